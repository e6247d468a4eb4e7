#!/usr/bin/perl
# Write what the fuzzers start from, a folder for each: small files with one oddity each, and what was
# found: seeds.pl FOLDER
use strict;
use warnings;
use Compress::Zlib qw(memGzip compress);
use Compress::Raw::Zlib;

my $dir = shift or die "usage: seeds.pl FOLDER\n";

sub put {
    my ($name, $bytes) = @_;
    my ($target) = split m{/}, $name;
    mkdir "$dir/$target";
    open my $f, '>:raw', "$dir/$name" or die "$dir/$name: $!\n";
    print $f $bytes or die;
    close $f or die;
}

sub raw_deflate {
    my $z = Compress::Raw::Zlib::Deflate->new(-WindowBits => -15, -AppendOutput => 1);
    my $out = '';
    $z->deflate($_[0], $out);
    $z->flush($out);
    return $out;
}

sub record {
    my ($type, $body, $more) = @_;
    return "WARC/1.0\r\nWARC-Type: $type\r\nWARC-Target-URI: http://a.example/\r\n"
        . "WARC-Date: 2020-01-01T00:00:00Z\r\n" . ($more // '')
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body\r\n\r\n";
}

my @records = (
    record('warcinfo', "made: up\r\n"),
    record('conversion', "One line.\nTwo lines \xc3\xa9.\r three\n"),
    record('conversion', 'x' x 300, "WARC-Identified-Content-Language: eng,fra\r\n"),
);
my $plain = join '', @records;
my $members = join '', map { memGzip($_) } @records;
my %files = (
    plain => $plain,
    members => $members,
    one => memGzip($plain),
    cut => substr($members, 0, length($members) - 20),
    flip => substr($members, 0, 150) . chr(255 - ord substr $members, 150, 1) . substr($members, 151),
    zeros => $members . "\0" x 40,
    junk => $members . 'junk' . $members,
    lf => $plain =~ s/\r//gr,
    nolength => $plain =~ s/Content-Length: \d+\r\n//gr,
    mark => "\xef\xbb\xbf" . $plain,
    latin => memGzip($plain =~ s/\xc3\xa9/\xe9/r),
    halfway => memGzip($plain =~ s/\xc3\xa9.*/\xc3/sr),
    v11 => $plain =~ s/1\.0/1.1/gr,
    huge => $plain =~ s/Length: 300/Length: 99999999999999999999/r,
    empty => '',
);
for my $target (qw(stream warc reference)) {
    put("$target/$_", $files{$_}) for keys %files;
}

my $html = '<!DOCTYPE html><html><head><meta charset="utf-8"><title>A &amp; B</title><style>x{}</style>'
    . '<script>if(a<b)"</div>"</script></head><body><h1>One</h1><p>Two<br>three &eacute;&#233;&nbsp;'
    . "<pre> a\n  b</pre><table><tr><td>1<td>2</table><ul><li>x<li>y</ul><noscript>no</noscript>"
    . '<!-- c --><select><option>o</select><svg><a/></svg></body></html>';
my $head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n";

sub chunked {
    return join('', map { sprintf "%x\r\n%s\r\n", length, $_ } $_[0] =~ /(.{1,50})/sg) . "0\r\n\r\n";
}
my $te = "Transfer-Encoding: chunked\r\n";
put('http/plain', "$head\r\n$html");
put('http/chunks', "$head$te\r\n" . chunked($html));
put('http/badchunks', "$head$te\r\n" . chunked($html) =~ s/50/zz/r);
put('http/gzip', "${head}Content-Encoding: gzip\r\n\r\n" . memGzip($html));
put('http/both', "$head${te}Content-Encoding: gzip\r\n\r\n" . chunked(memGzip($html)));
put('http/zlib', "${head}Content-Encoding: deflate\r\n\r\n" . compress($html));
put('http/raw', "${head}Content-Encoding: deflate\r\n\r\n" . raw_deflate($html));
put('http/twice', "${head}Content-Encoding: gzip, deflate\r\n\r\n" . compress(memGzip($html)));
put('http/never', "${head}Content-Encoding: gzip\r\n\r\n$html");
put('http/br', "${head}Content-Encoding: br\r\n\r\n\x0b\x02");
put('http/lf', "HTTP/1.0 200\nContent-Type: text/plain\n\n\xff\xfea\0");
put('http/none', 'no head at all');

put('html/utf8', "charset=utf-8\n$html");
put('html/none', $html);
put('html/sjis', "charset=shift_jis\n<p>\x93\xfa\x96\x7b</p>");
put('html/utf16', "charset=utf-16le\n<\0p\0>\0a\0\x3d\xd8\0\xde\0");
put('html/koi8', "\n<meta http-equiv=content-type content='text/html; charset=koi8-r'><p>\xf0\xd2");
put('html/jis', "charset=iso-2022-jp\n<p>\x1b\$BF|K\\\x1b(B</p>");
put('html/big5', "charset=big5\n\xa4\xa4\xa4\xe5\xff");
put('html/gb18030', "charset=gb2312\n\xd6\xd0\x81\x30\x81\x30\x81");
put('html/deep', '<b>' x 1500 . '</i>' x 100);
put('html/cut', '<p>a<!-- <p');
put('html/script', '<script><!-- </scr');
put('html/refs', '&#1114112;&#xd800;&#0;&amp&lt;&;&#;&#x;');
put('html/tags', '<a<b></p/><//x><? ><!><p =a b=\'"c><br/ >');

put('doc/one', '{"text":"a\u00e9\ud83d\ude00\n","timestamp":"2020-01-01T00:00:00Z","url":"http://a/",'
    . '"lang":"en","p":[1,2.5e-3,{"k":null}],"t":true}');
put('doc/twice', '{"text":"x","text":7,"url":3}');
put('doc/nothing', "{}\r");
put('doc/lone', '{"text":"\ud800\udc","x":"' . "\xff\"}");
