#!/usr/bin/env bats
# c4clean --reference-parsing: the reference's reader on files made for its weaknesses
load ../helper

clean() { # FILE [COMPAT]: url and text of its pages
    c4clean -q --profile mc4 --compat "${2:-3.1.0}" --without paragraphs --reference-parsing \
        --lang en --stats s.json "$1" | jq -c '[.url, .text]'
}

record() { # URL TEXT...: a record with a line of text for each
    printf 'WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: %s\r\n' "$1"
    printf 'WARC-Date: 2020-01-01T00:00:00Z\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\n'
    shift
    printf '%s\r\n' "$@" ''
}

@test "header lines are headers in text too, and those that begin like one are lost" {
    record http://a/ one WARCraft 'Content-based' Contents 'content-x' >x
    record http://b/ two 'WARC-Target-URI: http://c/' three >>x
    [ "$(clean x)" = '["http://a/","one\nContents\ncontent-x"]
["http://c/","two\nthree"]' ]
}

@test "lines end three ways and are stripped of all that Python calls space" {
    { record http://a/; printf 'one\rtwo\r\n\xc2\xa0three\xe3\x80\x80\n\x1cfour'; } >x
    [ "$(clean x)" = '["http://a/","one\ntwo\nthree\nfour"]' ]
    gzip -k x
    [ "$(clean x.gz)" = "$(clean x)" ]
}

@test "WARC/1.1 begins no page: the last URL has all text" {
    { record http://a/ one; record http://b/ two | sed 's,WARC/1.0,WARC/1.1,'; } >x
    [ "$(clean x)" = '["http://b/","one\ntwo"]' ]
}

@test "damage ends the file: what was whole before it stays, and the loss is told" {
    for i in 1 2 3; do record http://$i/ "text $i" | gzip; done >x.gz
    head -c -12 x.gz >cut.gz
    [ "$(clean cut.gz | wc -l)" -eq 2 ]
    [ "$(jq -r '.files[0].trouble' s.json)" = 'cut.gz: cut short' ]
    [ "$(jq '.counted["damage:files"]' s.json)" -eq 1 ]
    { cat x.gz; echo thus; } >more.gz
    [ "$(clean more.gz | wc -l)" -eq 2 ]
    { cat x.gz; printf '\0\0\0'; } >zeros.gz
    [ "$(clean zeros.gz | wc -l)" -eq 3 ]
    { record http://1/ one | gzip; record http://2/ two | gzip; record http://3/ $'\xff' | gzip; } >bad.gz
    [ "$(clean bad.gz | wc -l)" -eq 1 ]
    [[ $(jq -r '.files[0].trouble' s.json) == 'bad.gz: not UTF-8' ]]
    exits 1 c4clean -q --profile mc4 --reference-parsing --lang en --strict bad.gz
    echo no gzip >not.gz
    [ -z "$(clean not.gz)" ]
}

@test "3.0.1 stops at text before the first record, and needs no date" {
    { printf '\xef\xbb\xbf'; record http://a/ one; record http://b/ two; } >x
    [ "$(clean x | head -n 1)" = '["http://a/","﻿WARC/1.0\none"]' ]
    [ -z "$(clean x 3.0.1)" ]
    record http://a/ one | grep -v 'WARC-Date\|Content-Type' >x
    [ -z "$(clean x)" ]
    [ "$(clean x 3.0.1)" = '["http://a/","one"]' ]
    [ "$(jq -c '[.counted["split-wet-file:filtered:no_timestamp"], .counted["split-wet-file:filtered:no_content_type"]]' s.json)" = '[1,1]' ]
}

@test "--origin says where a page is from" {
    record http://a/ one >x
    record http://b/ two >>x
    for f in "$PWD/x" x; do
        c4clean -q -p mc4 --without paragraphs --lang en --origin "$f" |
            jq -r '[.url, .origin] | join(" ")' >got
        [ "$(cat got)" = "http://a/ $f:0"$'\n'"http://b/ $f:$(record http://a/ one | wc -c)" ]
    done
    c4clean -q -p mc4 --without paragraphs --lang en --origin x |
        c4clean -q -p mc4 --without paragraphs --lang en --origin | jq -r .origin | cut -d: -f1 |
        sort -u | grep -qx x
    c4clean -q -p mc4 --without paragraphs --lang en x >docs
    [ "$(c4clean -q -p mc4 --without paragraphs --lang en --origin docs | jq -r .origin | paste -sd' ')" = 'docs:1 docs:2' ]
}

@test "3.0.1 passes over header lines before the first record; 3.1.0 takes blank lines for a page" {
    { printf 'WARC/1.1\r\nWARC-Type: x\r\nContent-Length: 3\r\n\r\n'; record http://a/ one; } >x
    [ "$(clean x 3.0.1)" = '["http://a/","one"]' ]
    { printf '\r\n'; record http://a/ one; } >x
    [ "$(clean x)" = '["http://a/","one"]' ]
    [ "$(jq '.dropped["split-wet-file:filtered:no_url"].records' s.json)" -eq 1 ]
    record http://a/ one >x
    [ "$(clean x)" = '["http://a/","one"]' ]
    [ "$(jq '.dropped["split-wet-file:filtered:no_url"].records' s.json)" = null ]
}
