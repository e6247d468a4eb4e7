#!/usr/bin/env bats
# pages that nobody wrote: c4clean's memory and time are bounded, and the pages beside them are kept
load ../helper

# hostile KIND: a page, a text in parts or pieces that nobody wrote, a page
hostile() {
    perl -e '
        my $kind = shift;
        sub page {
            my ($url, $text) = @_;
            printf "WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: http://a.example/%s\r\n" .
                "WARC-Date: 2020-01-01T00:00:00Z\r\nContent-Length: %d\r\n\r\n", $url, length $text;
            print $text, "\r\n\r\n";
        }
        sub good { page($_[0], join "", map { "$_[0] $_: " . "some words to fill it with " x 9 . ".\n" } 1 .. 4) }
        good("first");
        page("x", "A line of many, with a mark.\n" x 3500000) if $kind eq "page";
        page("x", "word " x 20000000) if $kind eq "line";
        page("x", "x" x 33000000) if $kind eq "word";
        page("x", "[" x 33000000) if $kind eq "brackets";
        page("x", "x\n" x 16500000) if $kind eq "lines";
        page("x", "." x 189999) if $kind eq "marks";
        if ($kind eq "tiny") { page($_, "a b\n") for 1 .. 150000 }
        good("last")' "$1"
}

@test "a page or a line of 100 MB, a great many tiny ones: bounded memory and time" {
    for kind in page line word brackets lines marks tiny; do
        hostile $kind >big.wet
        for p in c4 mc4; do
            (ulimit -v $((260 << 10)) &&
                exec timeout 20 "$(type -P c4clean)" -q -p $p -l en --mem 4M -o out big.wet 2>err)
            [ "$(jq -r .url out | tr '\n' ' ')" = 'http://a.example/first http://a.example/last ' ]
        done
    done
    perl -e 'print "{\"url\":\"u$_\",\"timestamp\":\"t\",\"text\":\"", "and a word" x ($_ ? 1 : 9000000), "\"}\n" for 0, 1' >big
    (ulimit -v $((260 << 10)) && exec timeout 20 "$(type -P c4clean)" -q -p mc4 -l en --mem 4M -o out --rejects r big 2>err)
    [ "$(jq -r '.reason + " " + .url' r | tr '\n' ' ')" = 'damage:too-long  paragraph-filter:filtered u1 ' ]
}

@test "HTML of 32 MiB, a line of 100 MB as the reference reads it: bounded memory" {
    perl -e '
        sub page {
            my ($url, $html) = @_;
            $html = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=windows-1251\r\n\r\n$html";
            printf "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.example/%s\r\n" .
                "WARC-Date: 2020-01-01T00:00:00Z\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", $url, length $html, $html;
        }
        page("big", "<p>some <b>words</b> \xe0\xe1\xe2\xe3\xe4\xe5.</p>\n" x 850000);
        page("last", "<p>" . "some words to fill it with " x 9 . ".</p>" x 4);' >big.warc
    (ulimit -v $((340 << 10)) &&
        exec timeout 60 "$(type -P c4clean)" -q -p c4 -l en --mem 4M --without too_few_sentences -o out --rejects r big.warc)
    [ "$(jq -r .url out r | tr '\n' ' ')" = 'http://a.example/last http://a.example/big ' ]
    hostile line >big.wet
    (ulimit -v $((340 << 10)) &&
        exec timeout 60 "$(type -P c4clean)" -q -p mc4 -l en --mem 4M --reference-parsing -o out --rejects r big.wet)
    [ "$(jq -r .reason r)" = too-long-filter:filtered ] && [ "$(wc -l <out)" -eq 2 ]
}
