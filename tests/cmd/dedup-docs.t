#!/usr/bin/env bats
# dedup-docs: clusters against an independent twin and the theory, survivors, determinism, damage
load ../helper
bats_require_minimum_version 1.5.0

# pairs N SHARED SEED: N pairs of documents of 104 words (100 shingles), SHARED shingles in common
pairs() {
    awk -v n="$1" -v shared="$2" -v seed="$3" '
        function word(  w, k) {
            w = ""
            for (k = 0; k < 6; k++) w = w substr("abcdefghijklmnopqrstuvwxyz", 1 + int(rand() * 26), 1)
            return w
        }
        BEGIN {
            srand(seed)
            for (i = 0; i < n; i++) {
                both = a = b = ""
                for (j = 0; j < shared + 4; j++) both = both word() " "
                for (; j < 104; j++) { a = a word() " "; b = b word() " " }
                printf "{\"text\":\"%s\",\"url\":\"http://a/%d\",\"lang\":\"en\"}\n", both a, i
                printf "{\"text\":\"%s\",\"url\":\"http://b/%d\",\"lang\":\"en\"}\n", both b, i
            }
        }'
}

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    pairs 2000 80 1 >some # similarity 0.67
    { cat some; sed -n '1~7p' some; } >many
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$BATS_FILE_TMPDIR/many" .
}

differ() { if cmp -s "$1" "$2"; then return 1; fi; }

removed() { dedup-docs -q --stats s.json "$@" -o out && jq '.dropped.near_duplicate.records // 0' s.json; }

@test "clusters are those of an independent twin" {
    awk 'BEGIN {
        srand(3)
        n = split("Été naïve don\047t 1,234.5 2024 Привет мир ВОДА عربي ٣٫٥ हिन्दी (so) a–b «oui» €9 한국어 x²", w)
        for (i = 0; i < 60; i++) {
            if (i % 3 == 0)
                for (j = 0; j < 45; j++)
                    t[j] = w[1 + int(rand() * n)] substr("bcdfghjklm", 1 + int(rand() * 10), 1 + int(rand() * 2))
            else
                for (j = rand() < .5; j < 4 * rand(); j++) t[int(rand() * 45)] = "other" i
            s = ""
            for (j = 0; j < (i == 50 ? 4 : 45); j++) s = s (j ? rand() < .1 ? "  " : " " : "") t[j]
            print "{\"text\":\"" s "\"}"
        }
    }' >docs
    perl "$root/tests/cmd/dedup-docs-twin.pl" docs >want
    dedup-docs --hash sha1 --clusters c.tsv docs >out
    tail -n +2 c.tsv | cut -f1,2 | tr '\t' ' ' | cmp want -
    [ "$(wc -l <want)" -gt 20 ]
    [ "$(wc -l <want)" -lt 60 ]
    [ "$(grep -c kept c.tsv)" -eq "$(cut -d' ' -f1 want | sort -u | wc -l)" ]
}

# Of 300 pairs, a link has the chance p = 1-(1-s^8)^14: 0.9997 at s = 95/105, 0.057 at s = 67/133;
# 5 deviations from the mean 300 p are 1.5 and 20.
@test "pairs are linked as often as their similarity says" {
    pairs 300 95 4 >near
    pairs 300 67 5 >far
    pairs 300 0 6 >other
    [ "$(removed near)" -ge 298 ]
    n=$(removed far)
    [ "$n" -le 37 ]
    [ "$n" -ge 1 ]
    [ "$(removed other)" -eq 0 ]
}

@test "lines that stay are untouched and in order; rejects are the rest" {
    pairs 20 95 4 >docs
    printf '{ "x": [1, 2], "text" : "a \\u00e9 b", "url":null }\r\n{"text":"short"}\n{"text":"short"}\n' >>docs
    dedup-docs --rejects gone --stats s.json docs >out
    [ "$(cat out gone | sort)" = "$(sort docs)" ]
    grep -vxFf gone docs | cmp - out
    grep -q '^{ "x": \[1, 2\], "text" : "a \\u00e9 b", "url":null }.$' out
    [ "$(jq -c '[.in.records,.out.records,.dropped.near_duplicate.records,.counted.clusters,.counted.short]' s.json)" = \
        '[43,23,20,20,3]' ]
    [ "$(jq -c .lang.en s.json)" = '{"in":40,"out":20,"dropped":{"near_duplicate":20}}' ]
}

@test "the table says who is like whom" {
    pairs 3 95 4 >docs
    printf 'no document\n{"text":"%s","url":"tab\\there"}\n' "$(sed -n '3s/.*text":"\([^"]*\).*/\1/p' docs)" >>docs
    dedup-docs -q --keep first --clusters c.tsv docs >out
    [ "$(head -n 1 c.tsv)" = "$(printf 'cluster\tdocument\turl\tfate\tsimilarity')" ]
    [ "$(tail -n +2 c.tsv | cut -f1-4 | tr '\t' ,)" = '1,1,http://a/0,kept
1,2,http://b/0,removed
3,3,http://a/1,kept
3,4,http://b/1,removed
5,5,http://a/2,kept
5,6,http://b/2,removed
3,7,tab here,removed' ]
    [ "$(sed -n '2p;4p;8p' c.tsv | cut -f5 | xargs)" = '1.0000 1.0000 1.0000' ]
    # an estimate of 95/105 from 112 values: 5 deviations are 0.14
    sed -n '3p;5p;7p' c.tsv | awk '$5 < 0.76 || $5 >= 1 { bad = 1 } END { exit bad }'
}

@test "the same bytes for any threads and memory, from files and from a pipe" {
    dedup-docs --clusters c1 --stats s1 many >out
    [ "$(wc -l <out)" -lt "$(wc -l <many)" ]
    [ "$(jq .counted.clusters s1)" -gt 500 ]
    dedup-docs -j 3 --clusters c2 -M 1M many | cmp out -
    cmp c1 c2
    dedup-docs -j 2 --tmpdir . -M 1M <many | cmp out -
    head -n 999 many | gzip >a.gz
    tail -n +1000 many | zstd -q >b.zst
    dedup-docs a.gz - <b.zst | cmp out -
    dedup-docs many --hash xx64 -b 14 -r 8 -n 5 -s 1 -k hash | cmp out -
    ls -A >left
    [ "$(grep -c switchyard left)" -eq 0 ]
}

@test "any order of documents leaves the same ones" {
    dedup-docs many | sort >want
    tac many | dedup-docs | sort | cmp want -
    awk 'BEGIN { srand(5) } { print rand() "\t" $0 }' many | sort | cut -f2- >mixed
    dedup-docs -j 2 mixed | sort | cmp want -
    tac many | dedup-docs -k longest | sort >b
    dedup-docs -k longest many | sort | cmp - b
    tac many | dedup-docs -k first >a
    dedup-docs -k first many >b
    differ <(sort a) <(sort b)
}

@test "who stays" {
    text=$(pairs 1 100 9 | sed -n '1s/.*text":"\([^"]*\) ".*/\1/p')
    printf '{"text":"%s","url":"%s"}\n' "$text" 1 "$text one more of them" 2 "$text" 3 >docs
    [ "$(dedup-docs --keep first docs | jq -r .url)" = 1 ]
    [ "$(tac docs | dedup-docs --keep first | jq -r .url)" = 3 ]
    [ "$(dedup-docs --keep longest docs | jq -r .url)" = 2 ]
    a=$(dedup-docs docs)
    [ "$(wc -l <<<"$a")" -eq 1 ]
    [ "$(tac docs | dedup-docs)" = "$a" ]
}

@test "options change what they say" {
    pairs 200 80 8 >docs
    n=$(removed docs)
    [ "$(removed -b 50 docs)" -gt "$n" ]
    [ "$(removed -r 16 docs)" -lt "$n" ]
    [ "$(removed -n 40 docs)" -lt "$n" ]
    for o in '--seed 2' '--hash sha1'; do # as many but for chance, and not the same ones
        # shellcheck disable=SC2086
        m=$(removed $o docs)
        [ "$m" -gt $((n - 50)) ]
        [ "$m" -lt $((n + 50)) ]
        # shellcheck disable=SC2086
        differ <(dedup-docs docs) <(dedup-docs $o docs)
    done
    printf '{"text":"we met on %s and on %s again, and then no more"}\n' Monday 'March 3' Friday 'May 14' >docs
    [ "$(removed --dates docs)" -eq 1 ]
    [ "$(removed docs)" -eq 0 ]
    printf '{"text":"one and the same text it is","lang":"%s"}\n' en sv en xx xx sv >docs
    printf '{"text":"one and the same text it is"}\n{"text":"one and the same text it is"}\n' >>docs
    [ "$(removed docs)" -eq 7 ]
    [ "$(removed --by-lang docs)" -eq 4 ]
}

@test "documents of fewer words than a shingle always stay" {
    printf '{"text":"%s"}\n' 'a b c d' 'a b c d' '' '' '... !' 'a b c d e' 'A, b; C d e.' >docs
    dedup-docs -q --stats s.json docs >out
    [ "$(wc -l <out)" -eq 6 ]
    [ "$(jq .counted.short s.json)" -eq 5 ]
    [ "$(removed -n 2 docs)" -eq 2 ]
}

@test "what is no document is dropped and counted, or stops the run" {
    printf '%s\n' '{"text":"a"}' 'junk' '{"url":"x"}' '' '{"text":""}' >docs
    run --separate-stderr dedup-docs --stats s.json docs
    # shellcheck disable=SC2154
    [ "$status" -eq 0 ] && [ "${#lines[@]}" -eq 2 ] && [[ $stderr == *'3 of 5 lines'* ]]
    [ "$(jq -c '[.in.records,.out.records,.dropped.no_document.records]' s.json)" = '[5,2,3]' ]
    run dedup-docs -j 2 --strict -o out docs
    [ "$status" -eq 1 ]
    [[ $output == *'docs:2: byte 0: '* ]]
    [ ! -e out ]
}

@test "no input, missing input, damage, a full disk" {
    : >empty
    [ -z "$(dedup-docs --clusters c.tsv empty)" ]
    [ "$(wc -l <c.tsv)" -eq 1 ]
    [ -z "$(dedup-docs </dev/null)" ]
    refuses dedup-docs none.jsonl
    refuses dedup-docs -o no/such/dir many
    refuses dedup-docs --tmpdir no/such/dir many
    for o in '' '--clusters /dev/full' '--rejects /dev/full' '--stats /dev/full'; do
        run sh -c "dedup-docs $o -o $([ -n "$o" ] && echo out || echo /dev/full) many"
        [ "$status" -eq 1 ]
        [[ $output == dedup-docs:* ]]
    done
    run bash -c "trap '' XFSZ; ulimit -f 100; dedup-docs many | head -c 0"' ; exit ${PIPESTATUS[0]}'
    [ "$status" -eq 1 ]
    [[ $output == *'temporary file: not written: File too large' ]]
    gzip <many | head -c 60000 >cut.gz
    refuses dedup-docs --strict -o out2 cut.gz
    [ ! -e out2 ]
    run dedup-docs --stats s.json cut.gz many -o out2
    [ "$status" -eq 0 ]
    [[ $output == *cut.gz* ]]
    [ "$(jq .counted.damage s.json)" -eq 1 ]
    dedup-docs many | sort | cmp - <(sort out2) # what was read of cut.gz is in many
    head -c 20000 /dev/urandom | dedup-docs -q >/dev/null
    run sh -c 'dedup-docs many | head -n 1'
    [ "$status" -eq 0 ] && [ "${#lines[@]}" -eq 1 ]
}

@test "misuse is 2" {
    exits 2 dedup-docs --keep best many
    exits 2 dedup-docs --buckets 0 many
    exits 2 dedup-docs --buckets 1000 --hashes 1000 many
    exits 2 dedup-docs --hash md5 many
    exits 2 dedup-docs --mem 12 many
    exits 2 dedup-docs --threads 0 many
    exits 2 dedup-docs --frobnicate
    exits 2 dedup-docs --clusters - many
    exits 2 dedup-docs -o out --clusters - --rejects - many
    [ "$(dedup-docs -o out --clusters - many | head -n 1 | cut -f1)" = cluster ]
    exits 2 script -qec 'dedup-docs' /dev/null
}
