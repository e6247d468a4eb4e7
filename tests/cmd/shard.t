#!/usr/bin/env bats
# shard: what each command prints, that joining and cutting loses nothing, damage, misuse.
# Shards are made by make-shard.pl, which knows the format from its page alone.
load ../helper

make_shard() { # KEY=VALUE... <lines
    perl "$BATS_TEST_DIRNAME/make-shard.pl" "$@"
}

tokens() { # [LANGS]: a shard of three documents in two blocks
    printf '%s\n' '0 fi 5 6 7' '1 sw' '7 fi 99 31999' |
        make_shard vocab.size=32128 vocab.sha256=abc vocab.name=small "langs=${1-fi,sw}" block=2
}

rows() {
    printf '%s\n' '0 fi 5 6 | 250000'$'\t''1 2 | 3' '1 fi 9 1'$'\t''4 1' |
        make_shard kind=examples vocab.size=250112 lang=fi inputs=16 targets=8
}

many() { # N: a shard of N documents of 40 ids
    perl -e 'srand 1; for (0 .. $ARGV[0] - 1) { print join(" ", $_, "fi", map { int rand 250000 } 1 .. 40), "\n" }' "$1" |
        make_shard vocab.size=250112 lang=fi block=500
}

@test "ls: a row for each segment, from a file and from a pipe" {
    tokens >a
    rows >e
    bytes=$(wc -c <a)
    printf '%s\t' file segment kind records tokens blocks bytes bits_per_id vocab >want
    echo langs >>want
    printf 'a\t0\tids\t3\t5\t2\t%d\t%d.%d0\tsmall\tfi,sw\n' "$bytes" \
        $((bytes * 8 / 5)) $((bytes * 80 / 5 % 10)) >>want
    shard ls a >got
    diff -u want got
    shard ls <a | sed 's/^-/a/' | diff -u want -
    cat a a | shard ls - | cut -f2,4 | paste -sd' ' | grep -qx $'segment\trecords 0\t3 1\t3'
    shard ls e | tail -n 1 | cut -f3-5,9- | grep -qx $'examples\t2\t10\t-\tfi'
}

@test "ls --languages counts records and tokens" {
    tokens >a
    tokens sw,fi >b
    cat a b | shard ls -l >got
    printf '%s\n' $'file\tsegment\tlang\trecords\ttokens' $'-\t0\tfi\t2\t5' $'-\t0\tsw\t1\t0' \
        $'-\t1\tfi\t2\t5' $'-\t1\tsw\t1\t0' >want
    diff -u want got
}

@test "cat and head print records as lines of ids" {
    tokens >a
    rows >e
    printf '%s\n' '5 6 7' '' '99 31999' >want
    shard cat --text a | diff -u want -
    shard head <a | diff -u want -
    [ "$(shard head -n 4 a a | wc -l)" -eq 4 ]
    [ -z "$(shard head -n 0 a)" ]
    printf '%s\n' '5 6 | 250000'$'\t''1 2 | 3' '9 1'$'\t''4 1' >want
    shard cat -t -o text e
    diff -u want text
}

@test "head of a long pipe is quick and leaves quietly" {
    many 2000 >a
    yes a | head -n 500 | xargs cat | shard head -n 1 >got 2>err
    [ "$(wc -w <got)" -eq 40 ] && [ ! -s err ]
    shard cat -t a | head -n 1 | cmp - got
}

@test "cat gives what cat(1) gives, checked" {
    tokens >a
    tokens sw,et >b
    cat a b a >want
    cp a same
    shard cat a b - <same | cmp - want
    shard cat -o c a b a
    cmp c want
    shard check c | tail -n 1 | grep -qx $'c\twhole\t3\t6\t9\t15\t'"$(wc -c <want)"$'\t0\t0'
}

@test "shards of different vocabularies are not joined" {
    tokens >a
    tokens | sed s/abc/abd/ >b # a header that does not check
    printf '%s\n' '0 fi 1' | make_shard vocab.size=32128 vocab.sha256=abd lang=fi >c
    refuses shard cat -o d a c
    [[ $output == *'vocab.sha256 differs: abc before, now abd'* ]] && [ ! -e d ]
    cat a c >joined
    refuses shard sum joined
    [[ $output == *'segment 1, block 0: vocab.sha256 differs'* ]]
    refuses shard ls joined
    refuses shard ls b
    rows >e
    refuses shard cat -o d a e
}

@test "sum does not care how records are cut into blocks and shards" {
    many 3000 >all
    perl -e 'srand 1; for (0 .. 2999) { print join(" ", $_, "fi", map { int rand 250000 } 1 .. 40), "\n" }' >lines
    head -n 1100 lines | make_shard vocab.size=250112 lang=fi block=77 >a
    tail -n 1900 lines | make_shard vocab.size=250112 langs=sw,fi block=500 >b
    shard sum all | tail -n 1 | cut -f2- >want
    shard sum a b | tail -n 1 | cut -f2- | diff -u want -
    cat a b | shard sum | tail -n 1 | cut -f2- | diff -u want -
    shard sum b a | tail -n 1 | cut -f2-5 | diff -u <(cut -f1-4 want) -
    [ "$(shard sum b a | tail -n 1 | cut -f6)" != "$(cut -f5 want)" ] # another order
    sed '5s/fi/sw/' lines | make_shard vocab.size=250112 langs=sw,fi >c
    [ "$(shard sum c | tail -n 1 | cut -f4)" = "$(cut -f3 want)" ]  # the same ids
    [ "$(shard sum c | tail -n 1 | cut -f5)" != "$(cut -f4 want)" ] # another language
    sed '5s/ [0-9]*$/ 3/' lines | make_shard vocab.size=250112 lang=fi >d
    [ "$(shard sum d | tail -n 1 | cut -f4)" != "$(cut -f3 want)" ]
}

@test "every cut of a shard is an error that names the place" {
    rows >e
    size=$(wc -c <e)
    for n in 1 31 32 50 200 $((size - 136)) $((size - 1)); do
        head -c "$n" e >short
        refuses shard check short
        refuses shard cat -o none short
        refuses shard sum short
        refuses shard ls short
        head -c "$n" e | refuses shard ls -
    done
    head -c $((size - 1)) e >short
    exits 1 shard check short
    [[ $output == *"short: byte $((size - 136)): segment 0, block 1: cut short"* ]]
    [[ $output == *$'short\tdamaged\t1\t1\t2\t10\t'* ]]
}

@test "a changed byte is found, and passed over when so told" {
    many 2000 >a
    size=$(wc -c <a)
    printf '\377' | dd of=a bs=1 seek=$((size / 2)) conv=notrunc 2>dd.err
    exits 1 shard check a
    [[ $output == *'a: byte '*': segment 0, block 1: checksum does not match'* ||
        $output == *'a: byte '*': segment 0, block 2: checksum does not match'* ]]
    exits 1 shard check --skip-damage a
    [[ $output == *$'a\tdamaged\t1\t3\t1500\t60000\t'*$'\t1\t'* ]]
    [ "$(shard cat -st a 2>err | wc -l)" -eq 1500 ]
    grep -q '1 places of damage' err
    shard cat -s -o b a
    shard check b
    refuses shard cat -o c a
    [ ! -e c ] && [ ! -e c.part ]
}

@test "repair writes the index and end that a crash left out" {
    many 2000 >a
    head -c $(($(wc -c <a) - 137)) a >short # no end
    shard check --repair -o b short
    cmp a b
    head -c $(($(wc -c <a) / 2)) a >short
    shard check --repair -o b short >got
    grep -q $'^short\trepaired\t1\t[12]\t' got
    shard check b
    shard cat -t b | cmp - <(shard cat -t a | head -n "$(shard ls b | tail -n 1 | cut -f4)")
    head -c 20 a >short
    refuses shard check --repair -o none short
    [ ! -e none ]
}

@test "garbage between segments is an error, or passed over" {
    tokens >a
    { cat a; echo garbage; cat a; } >b
    refuses shard check b
    [[ $output == *'segment 1, block 0: no header where a segment should begin'* ]]
    exits 1 shard check -s b
    [[ $output == *$'b\tdamaged\t2\t4\t6\t10\t'*$'\t1\t8'* ]]
    refuses shard ls b
}

@test "what is no shard is told by its looks" {
    echo 'some text' >text
    echo '{"text": "a"}' >json
    gzip -c text >gz
    : >empty
    for f in text json gz empty; do
        refuses shard ls "$f"
        refuses shard head "$f"
        head -c 100 "$f" | refuses shard check -
    done
    exits 1 shard sum text json gz empty
    [[ $output == *text*'looks like text'*json*'looks like JSON'*gz*'looks like gzip'*'is empty'* ]]
    refuses shard sum absent
    refuses shard ls /
    head -c 5000 /dev/urandom >noise
    refuses shard check noise
    exits 1 shard check -s noise
}

@test "misuse is 2, a full disk is noticed" {
    tokens >a
    exits 2 shard
    exits 2 shard look a
    exits 2 shard ls --text a
    exits 2 shard head -o b a
    exits 2 shard head -n many a
    exits 2 shard check -o b a
    exits 2 shard check --repair a
    exits 2 shard check --repair -o b a a
    for c in ls 'ls -l' cat 'cat -t' head check sum; do
        # shellcheck disable=SC2086
        exits 1 sh -c 'exec >/dev/full; exec "$@"' - shard $c a
        [[ $output == shard:* ]]
    done
    exits 1 shard cat -o /no/such/folder/b a
}

@test "no terminal is read or written" {
    tokens >a
    command -v script >/dev/null || skip "no script(1) here"
    run script -qec 'shard ls' /dev/null
    [ "$status" -eq 2 ]
    run script -qec 'shard cat a' /dev/null
    [ "$status" -eq 1 ]
    [[ $output == *'not written to a terminal'* ]]
}

@test "memory does not grow with the shard" {
    case $(command -v shard) in */build/*) skip "a sanitizer takes more" ;; esac
    many 9000 >a # over 1 MB
    n=$((50000000 / $(wc -c <a) + 1))
    yes a | head -n "$n" | xargs cat | (
        ulimit -v 60000 # KiB: what the libraries map, and a few blocks
        shard cat | shard check - >got
    )
    tail -n 1 got | cut -f2,3,5 | grep -qx $'whole\t'"$n"$'\t'$((9000 * n))
    [ "$(tail -n 1 got | cut -f7)" -gt 50000000 ]
}

@test "merge packs all segments into one, and loses nothing" {
    tokens >a
    tokens sw,et,fi >b
    cat a b >ab
    exits 0 shard merge -o m a ab
    [ "$(shard ls m | tail -n +2 | cut -f2-5,10)" = $'0\tids\t9\t15\tfi,sw,et' ]
    shard sum a ab | tail -n 1 | cut -f2- >want
    shard sum m | tail -n 1 | cut -f2- | diff -u want -
    exits 1 shard diff ab m
    shard cat -o joined a ab
    exits 0 shard diff joined m
    rows >e
    exits 0 shard merge -o r e e
    [ "$(shard cat -t r)" = "$(shard cat -t e e)" ]
    refuses shard merge -o x a e
    [ ! -e x ]
    refuses shard merge -o x - <a
}

@test "split: equal parts, parts of so many records, parts by language" {
    many 1003 >a
    exits 0 shard split -p 4 -o 'p-%.ids' a
    [ "$(for f in p-*; do shard ls "$f" | tail -n 1 | cut -f4; done | paste -sd' ')" = '251 251 251 250' ]
    shard cat -t p-00000-of-00004.ids p-0000[123]-of-00004.ids | cmp - <(shard cat -t a)
    exits 0 shard split -n 500 -o 'n-%.ids' a
    [ "$(echo n-*)" = 'n-00000-of-00003.ids n-00001-of-00003.ids n-00002-of-00003.ids' ]
    shard cat -t n-* | cmp - <(shard cat -t a)
    tokens >b
    exits 0 shard split -l -o 'l-%.ids' b
    [ "$(shard cat -t l-fi.ids)" = $'5 6 7\n99 31999' ]
    [ "$(shard ls l-sw.ids | tail -n 1 | cut -f4,10)" = $'1\tsw' ]
    exits 0 shard split -p 5 -o 'e-%.ids' b    # more parts than records
    [ "$(shard ls e-* | tail -n +2 | cut -f4 | paste -sd' ')" = '1 1 1 0 0' ]
    exits 2 shard split -p 4 -o p a
    exits 2 shard split -o 'p-%' a
    exits 2 shard split -p 4 -n 4 -o 'p-%' a
}

@test "shuffle: a permutation that seed decides, whatever memory there is" {
    perl -e 'srand 1; for (0 .. 29999) { print join(" ", $_, "fi", map { int rand 250000 } 1 .. 1 + $_ % 40), "\n" }' |
        make_shard vocab.size=250112 lang=fi block=500 >a
    exits 0 shard shuffle -o s a
    exits 0 shard diff a s
    [ "$(shard sum s | tail -n 1 | cut -f2-5)" = "$(shard sum a | tail -n 1 | cut -f2-5)" ]
    [ "$(shard sum s | tail -n 1 | cut -f6)" != "$(shard sum a | tail -n 1 | cut -f6)" ]
    shard shuffle --mem 1M -o t a    # six buckets
    shard cat -t s | cmp - <(shard cat -t t)
    shard shuffle -S 1 -o u a
    shard cat -t s | cmp -s - <(shard cat -t u) && false
    # neighbours of the shuffled shard are a third of all apart, on average
    shard cat -t a | awk '{ print NF }' | sort | uniq -c | sort >want
    shard cat -t s | awk '{ print NF }' | sort | uniq -c | sort | diff -u want -
    rows >e
    exits 0 shard shuffle -o f e
    exits 0 shard diff e f
}

@test "diff tells what one shard has and the other has not" {
    tokens >a
    printf '%s\n' '0 fi 5 6 7' '7 fi 99 31999' '8 fi 1' '7 fi 99 31999' |
        make_shard vocab.size=32128 vocab.sha256=abc vocab.name=small langs=fi,sw >b
    run shard diff a b
    [ "$status" -eq 1 ]
    [ "$(shard diff a b 2>err | tail -n +2 | sort)" = $'a\t1\t1\nb\t2\t8\nb\t3\t7' ]
    [ "$(cat err)" = 'shard: 1 records only in a, 2 only in b' ]
    [ "$(shard diff -n 1 a b 2>/dev/null | wc -l)" -eq 2 ]
    exits 2 shard diff a
    refuses shard diff a absent
}

@test "trace: from a row back to the documents it was made of" {
    for i in $(seq 40); do
        echo "{\"text\":\"page $i says $(seq -s' ' "$i" $((i + 60)))\",\"timestamp\":\"2020-01-01T00:00:$i\",\"url\":\"http://x/$i\",\"lang\":\"fi\",\"origin\":\"a.wet:$i\"}"
    done >docs
    sed -i '3s/.*/no document/' docs
    spm-train -q -s 60 --t5 -c 1 -b -o m.model docs 2>/dev/null || spm-train -q -s 600 --at-most --t5 -c 1 -b -o m.model docs 2>/dev/null
    spm-encode -q -m m.model docs 2>/dev/null | pack-spans -q -i 64 -o e
    exits 0 shard trace -n 5 e docs
    [[ ${lines[0]} == '# spm-encode '* && ${lines[1]} == '# pack-spans '* ]]
    # what the row's inputs say is in the documents named
    shard trace -n 5 e docs | grep -v '^#' | tail -n +2 >rows
    first=$(head -n 1 rows | cut -f 5) last=$(tail -n 1 rows | cut -f 5)
    [ "$(head -n 1 rows | cut -f 6)" = "http://x/$first" ]
    [ "$(head -n 1 rows | cut -f 8)" = "\"origin\":\"a.wet:$first\"" ]
    [ "$(head -n 1 rows | cut -f 3)" -eq $((first - 2)) ]    # line 3 is no document
    [ "$last" -ge "$first" ]
    [ "$(shard trace -n 5 e | grep -v '^#' | tail -n +2 | cut -f 3)" = "$(cut -f 3 rows)" ]
    refuses shard trace -n 100000 e docs
    head -n 2 docs >few
    refuses shard trace -n 5 e few
    [[ $output == *'but the files hold 2'* ]]
    refuses shard trace -n 5 e absent
    exits 2 shard trace <e
}
