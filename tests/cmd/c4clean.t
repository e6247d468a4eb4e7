#!/usr/bin/env bats
# c4clean: what it keeps and where, what it counts, damage, misuse
load ../helper
export SWITCHYARD_SHARE=$root/share
bats_require_minimum_version 1.5.0

c4clean() { # tests of models say "command c4clean"
    command c4clean --lang-from header "$@"
}

# record URL DATE [LANGUAGES]: a WET record with the text of standard input
record() {
    cat >block
    printf 'WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: %s\r\nWARC-Date: %s\r\n' "$1" "$2"
    [ -z "${3-}" ] || printf 'WARC-Identified-Content-Language: %s\r\n' "$3"
    printf 'Content-Type: text/plain\r\nContent-Length: %d\r\n\r\n' "$(wc -c <block)"
    cat block
    printf '\r\n\r\n'
}

# prose N: three lines of their own, long enough for mC4, clean enough for C4
prose() {
    for i in 1 2 3; do
        printf 'This is line %d of page %d' "$i" "$1"
        for _ in 1 2 3 4 5 6 7 8; do printf ', which says some more to be long enough'; done
        echo .
    done
}

make_wet() { # a warcinfo, then pages 1 to 4: en, fi (first of two), none said, hr; then 1 again, older
    printf 'WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n'
    prose 1 | record http://www.a.example/1 2020-01-02T00:00:00Z eng
    prose 2 | record http://a.example/2 2020-01-01T00:00:00Z fin,eng
    prose 3 | record http://a.example/3 2020-01-01T00:00:00Z
    prose 4 | record http://a.example/4 2020-01-01T00:00:00Z hrv
    prose 5 | record https://a.example/1/ 2020-01-01T00:00:00Z eng
}

sums() { # STATS: in = out + dropped, in pages
    jq -e '.in.records == .out.records + ([.dropped[].records] | add // 0)' "$1"
}

@test "mc4 keeps its languages and what says none" {
    make_wet >a.wet
    c4clean -p mc4 --stats s.json --rejects r.jsonl a.wet >out.jsonl
    [ "$(jq -r '[.url, .lang, .timestamp] | join(" ")' out.jsonl)" = \
        "http://www.a.example/1 en 2020-01-02T00:00:00Z
http://a.example/2 fi 2020-01-01T00:00:00Z
http://a.example/3 und 2020-01-01T00:00:00Z" ]
    [ "$(jq -r 'keys_unsorted | join(" ")' out.jsonl | sort -u)" = "text timestamp url lang" ]
    [ "$(head -n 1 out.jsonl | jq -r .text)" = "$(prose 1)" ]
    [ "$(jq -r .reason r.jsonl)" = "language-filter:filtered:ignored_language
duplicate-url-filter:filtered" ]
    [ "$(tail -n 1 r.jsonl | jq -r .text)" = "$(prose 5)" ]
    sums s.json
    [ "$(jq '.counted["skipped-records:warcinfo"]' s.json)" -eq 1 ]
    [ "$(jq '.lang.fi.out' s.json)" -eq 1 ]
}

@test "c4 keeps English alone; what says none goes, unless --lang vouches for it" {
    make_wet >a.wet
    run --separate-stderr c4clean -p c4 --stats s.json a.wet
    [ "$status" -eq 0 ]
    [ "$(jq -r .url <<<"$output")" = http://www.a.example/1 ]
    [[ $stderr == *"--lang en"* ]]
    jq -e '.dropped["language:unknown"].records == 1 and
        .dropped["english-filter:filtered:ignored_language-fi"].records == 1 and
        .dropped["english-filter:filtered:ignored_language-other"].records == 1' s.json
    [ "$(c4clean -p c4 --lang en a.wet | wc -l)" -eq 4 ]
    run --separate-stderr c4clean -q -p c4 a.wet
    [ -z "$stderr" ]
}

@test "documents in, their other members kept; gzip, zstd and a pipe are the same" {
    prose 1 | jq -Rsc '{text: ., id: 7, url: "u", timestamp: "t", lang: "he-IL"}' >a.jsonl
    want=$(c4clean -p mc4 a.jsonl)
    [ "$(jq -c '[.id, .lang]' <<<"$want")" = '[7,"iw"]' ]
    gzip -k a.jsonl
    zstd -q a.jsonl
    [ "$(c4clean -p mc4 a.jsonl.gz)" = "$want" ]
    [ "$(c4clean -p mc4 a.jsonl.zst)" = "$want" ]
    [ "$(c4clean -p mc4 <a.jsonl)" = "$want" ]
    # shellcheck disable=SC2002
    [ "$(cat a.jsonl | c4clean -p mc4 -)" = "$want" ]
    [ "$(c4clean -p mc4 <<<"$want")" = "$want" ]
}

@test "of one URL the latest page stays, of equal dates the smallest text; 3.0.1: the greatest" {
    prose 1 | record http://a.example/x 2020-01-01T00:00:00Z eng >one
    prose 2 | record http://a.example/x/ 2020-01-01T00:00:00Z eng >two
    prose 3 | record http://a.example/x/ 2019-01-01T00:00:00Z eng >old
    for n in 1 2; do printf '%s %d\n' "$(printf %s "$(prose $n)" | md5sum)" $n; done | sort >sums
    for files in "one two old" "old two one"; do
        # shellcheck disable=SC2086
        c4clean -p mc4 $files | jq -r .text | grep -q "line 1 of page $(sed -n '1s/.* //p' sums)"
    done
    for n in 1 2 3; do printf '%s %d\n' "$(printf %s "$(prose $n)" | md5sum)" $n; done | sort >sums
    for files in "one two old" "old two one"; do
        # shellcheck disable=SC2086
        c4clean -p mc4 --compat 3.0.1 $files | jq -r .text |
            grep -q "line 1 of page $(sed -n '3s/.* //p' sums)"
    done
    prose 3 | record http://a.example/nodate "" eng >three
    [ "$(c4clean -p mc4 three | wc -l)" -eq 0 ]
    [ "$(c4clean -p mc4 --compat 3.0.1 three | wc -l)" -eq 1 ]
}

@test "threads and memory change no byte" {
    need_shared data/crawl/wet/core-5langs-a.warc.wet.gz
    files=("$SHARED"/data/crawl/wet/{core,hplt,oscar}*.gz)
    for p in c4 mc4; do
        for how in "-j 1" "-j 3 --mem 1M" "-j 2 --mem 1M --tmpdir ."; do
            # shellcheck disable=SC2086
            c4clean -q -p $p -l en $how --stats s.json --rejects rejects -o out "${files[@]}"
            { cat out rejects; jq 'del(.options)' s.json; } | md5sum
        done | sort -u >sums
        [ "$(wc -l <sums)" -eq 1 ]
    done
}

@test "a line stays with the smallest md5 of URL, in whatever order files come" {
    for n in 1 2 3 4; do
        { prose "$n"; echo ' Shared Line. '; echo shared line.; } |
            record "http://a.example/$n" 2020-01-01T00:00:00Z eng >"$n.wet"
    done
    owner=$(for n in 1 2 3 4; do
        printf '%s %s\n' "$(printf 'http://a.example/%s' "$n" | md5sum | cut -c1-32)" "$n"
    done | sort | head -n 1 | cut -d' ' -f2)
    c4clean -p mc4 {1,2,3,4}.wet | sort >a
    c4clean -p mc4 {4,2,1,3}.wet | sort >b
    cmp a b
    [ "$(jq -r 'select(.text | test("Shared")) | .url' a)" = "http://a.example/$owner" ]
    [ "$(grep -c 'shared line' a)" -eq 0 ]
}

@test "rejects and output together are the input; the counts are the reference's names" {
    need_shared data/crawl/wet/quirks-1.warc.wet.gz
    c4clean -p c4 -l en --stats s.json --rejects r.jsonl "$SHARED/data/crawl/wet/quirks-1.warc.wet.gz" \
        >out.jsonl
    sums s.json
    [ "$(jq .in.records s.json)" -eq "$(cat r.jsonl out.jsonl | wc -l)" ]
    jq -e '.counted["clean-page:line-filtered:policy"] == 6 and
        .counted["clean-page:line-filtered:too_long_word"] == 2 and
        .counted["dedupe-lines:line-filtered:global_duplicate"] == 32 and
        .dropped["too-long-filter:filtered"].records == 1 and
        .dropped["duplicate-url-filter:filtered"].records == 5' s.json
}

many_pages() { # N: pages in English
    for n in $(seq "$1"); do prose "$((n + 10))" | record "http://b.example/$n" 2020-01-01T00:00:00Z eng; done
}

@test "files by language have the names of allenai/c4, some pages held out" {
    many_pages 40 >a.wet
    make_wet >b.wet
    c4clean -p mc4 --split-by lang --out docs --validation 4 a.wet b.wet
    printf 'c4-%s.tfrecord-00000-of-00001.json.gz\n' en-validation en fi-validation und >want
    (cd docs/multilingual && printf "%s\n" *) | diff - want
    held=docs/multilingual/c4-en-validation.tfrecord-00000-of-00001.json.gz
    [ "$(zcat $held | wc -l)" -gt 0 ]
    zcat docs/multilingual/*.gz | sort >parts
    c4clean -p mc4 a.wet b.wet | sort | cmp - parts
    for url in $(zcat $held | jq -r .url); do
        last=$(printf %s "$url" | sed -E 's#^https?://(www[.])?##' | tr -d '\n' | md5sum | cut -c32)
        case $last in 0 | 4 | 8 | c) ;; *) echo "$url: $last"; false ;; esac
    done
    c4clean -p c4 --split-by lang --out all --validation 0 a.wet
    [ "$(cd all && find . -type f)" = ./en/c4-train.00000-of-00001.json.gz ]
    [ "$(zcat all/en/*.gz | wc -l)" -eq 40 ]
}

@test "shards: as many as asked for, or as were published; by URL; the same bytes with any threads" {
    many_pages 60 >a.wet
    make_wet >b.wet
    c4clean -p mc4 --split-by lang --out docs --shards 3 --validation 5 a.wet b.wet
    for i in 0 1 2; do
        for url in $(zcat docs/multilingual/c4-en.tfrecord-0000$i-of-00003.json.gz | jq -r .url); do
            top=$(printf %s "$url" | sed -E 's#^https?://(www[.])?##' | md5sum | cut -c1-8)
            [ $((0x$top * 3 >> 32)) -eq $i ]
        done
    done
    [ "$(find docs -name 'c4-en.tfrecord-*' | wc -l)" -eq 3 ]
    c4clean -p mc4 --split-by lang --out again --shards 3 --validation 5 -j 3 --mem 1M a.wet b.wet
    diff -r docs again
    c4clean -p mc4 --split-by lang --out many --shards c4 --validation 5 a.wet b.wet
    for name in many/multilingual/*; do
        case ${name##*/} in
        c4-en.tfrecord-?????-of-11264.json.gz | c4-en-validation.tfrecord-00???-of-00128.json.gz) ;;
        c4-fi-validation.tfrecord-00000-of-00001.json.gz | c4-und.tfrecord-?????-of-03072.json.gz) ;;
        *) echo "$name"; false ;;
        esac
    done
    zcat docs/multilingual/*.gz | sort >one
    zcat many/multilingual/*.gz | sort | cmp - one
    c4clean -p c4 --split-by lang --out c4 --shards c4 --validation 5 a.wet
    find c4 -type f >names
    [ -s names ] && ! grep -v 'c4/en/c4-\(train\.0....-of-01024\|validation\.0000[0-7]-of-00008\)\.json\.gz' names
}

@test "a run that fails leaves no folder, and what was there" {
    many_pages 5 >a.wet
    echo nonsense >bad
    exits 1 c4clean -p mc4 --split-by lang --out docs a.wet bad
    [ ! -e docs ]
    c4clean -p mc4 --split-by lang --out docs a.wet
    find docs -type f -exec md5sum {} + >before
    exits 1 c4clean -p mc4 --split-by lang --out docs a.wet bad
    find docs -type f -exec md5sum {} + | cmp - before
    mkdir locked
    : >locked/multilingual
    exits 1 c4clean -p mc4 --split-by lang --out locked a.wet
    [[ $output == *locked/multilingual* ]]
    many_pages 0 >none.wet
    c4clean -p mc4 --split-by lang --out nothing none.wet
    [ -d nothing/multilingual ] && [ -z "$(find nothing -type f)" ]
}

@test "rules can be put in and left out" {
    { prose 1; echo "A line with a mark, and then none"; } | record http://a/ 2020-01-01T00:00:00Z eng >a
    [ "$(c4clean -p c4 a | jq -r .text | wc -l)" -eq 3 ]
    [ "$(c4clean -p c4 --without no_endmark a | jq -r .text | wc -l)" -eq 4 ]
    [ "$(c4clean -p mc4 --with no_endmark a | jq -r .text | wc -l)" -eq 3 ]
    [ "$(c4clean --list-rules | wc -l)" -gt 10 ]
    c4clean --list-rules | tail -n +2 | cut -f1,3 >names
    while read -r rule group; do # the page has each by its name, or one of many by its group's
        case $group in c4 | mc4) group=$rule ;; esac
        grep -qE "Cm ($rule|$group)( |\$)" "$DATA/../../man/man1/c4clean.1" || { echo "$rule: not in the page"; false; }
        [ -s "$DATA/rules/$rule.txt" ]
        run c4clean -p mc4 --with "$rule" a # some need a list
        [ "$status" -eq 0 ] || [[ $status -eq 2 && $output == *" need --"* ]]
    done <names
    exits 2 c4clean -p c4 --with none a
}

@test "parameters of Punkt say what a sentence is" {
    echo "She had asked for Dr. No. Then for another." | record http://a/ 2020-01-01T00:00:00Z eng >a
    echo "# switchyard-punkt 1" >none.punkt
    [ "$(c4clean -p c4 --punkt none.punkt a | wc -l)" -eq 1 ]
    [ "$(c4clean -p c4 --punkt "$DATA/punkt/small.punkt" a | wc -l)" -eq 0 ]
    exits 1 c4clean -p c4 --punkt a a
    [[ $output == "c4clean: a: not a file of sentence parameters" ]]
    exits 1 c4clean -p c4 --punkt missing a
    exits 1 c4clean -p c4 --punkt . a
}

@test "what is not UTF-8 is dropped and said to be" {
    { make_wet; printf 'bad \377 byte\n' | record http://a/bad 2020-01-01T00:00:00Z eng; } >a.wet
    c4clean -p mc4 --stats s.json --rejects r.jsonl a.wet >out.jsonl
    [ "$(jq '.dropped["not-utf8"].records' s.json)" -eq 1 ]
    [ "$(jq -r 'select(.reason == "not-utf8") | .url' r.jsonl)" = http://a/bad ]
}

@test "damage costs what it hits, and --strict stops" {
    make_wet >a.wet
    want=$(c4clean -p mc4 a.wet)
    { head -c 700 a.wet; } >cut.wet
    c4clean -p mc4 cut.wet >out 2>err
    exits 1 c4clean -p mc4 --strict cut.wet
    [[ $output == *cut.wet* ]]
    { c4clean -p mc4 a.wet | head -n 1; echo '{"text": 1}'; echo nonsense; c4clean -p mc4 a.wet | tail -n 1; } >b.jsonl
    c4clean -p mc4 --stats s.json b.jsonl >out 2>err
    [ "$(wc -l <out)" -eq 2 ] && grep -q '2 damaged.*line 3' err
    [ "$(jq '.counted["damage:lines"]' s.json)" -eq 2 ]
    exits 1 c4clean -p mc4 --strict b.jsonl
    [[ $output == *"b.jsonl: line 2: "* ]]
    [ "$(c4clean -p mc4 a.wet)" = "$want" ]
}

@test "broken files of a crawl: never a crash, never half an output" {
    need_shared data/crawl/broken
    for f in "$SHARED"/data/crawl/broken/* "$SHARED"/data/crawl/warc/*; do
        for p in c4 mc4; do
            run c4clean -p $p -l en -o out.jsonl --stats s.json "$f"
            [ "$status" -le 1 ] || { echo "$f: $status: $output"; false; }
            if [ "$status" -eq 0 ]; then
                sums s.json >/dev/null && [ -f out.jsonl ]
            else
                [ ! -e out.jsonl ] && [[ $output == "c4clean: "* ]]
            fi
            rm -f out.jsonl s.json
        done
    done
}

@test "random bytes are refused, an empty file has no pages" {
    head -c 100000 /dev/urandom | tr -d '{\037\050' >noise
    refuses c4clean -p mc4 noise
    { echo '{'; head -c 100000 /dev/urandom; } >noise
    exits 0 c4clean -p mc4 -o out noise
    { echo 'WARC/1.0'; head -c 100000 /dev/urandom; } >noise
    exits 0 c4clean -p mc4 -o out noise
    : >empty
    [ -z "$(c4clean -p mc4 --stats s.json empty)" ]
    [ "$(jq .in.records s.json)" -eq 0 ]
    refuses c4clean -p mc4 missing
    refuses c4clean -p mc4 empty .
}

@test "nothing is left behind by a run that fails" {
    make_wet >a.wet
    echo old >out.jsonl
    exits 1 c4clean -p mc4 -o out.jsonl --rejects r.jsonl --stats s.json a.wet missing
    [ "$(cat out.jsonl)" = old ]
    [ "$(echo *)" = "a.wet block out.jsonl" ]
    exits 1 c4clean -p mc4 --tmpdir nowhere a.wet
    [[ $output == *nowhere* ]]
    exits 1 c4clean -p mc4 -o nowhere/out a.wet
    exits 1 c4clean -p mc4 --split-by lang --out a.wet a.wet
}

@test "a full disk is noticed, whatever is on it" {
    make_wet >a.wet
    exits 1 sh -c 'c4clean --lang-from header -p mc4 a.wet >/dev/full'
    exits 1 c4clean -p mc4 -o out --stats /dev/full a.wet
    exits 1 c4clean -p mc4 -o out --rejects /dev/full a.wet
}

@test "misuse is 2" {
    make_wet >a.wet
    exits 2 c4clean a.wet
    exits 2 c4clean -p c5 a.wet
    exits 2 c4clean -p mc4 --lang xx a.wet
    exits 2 c4clean -p c4 --lang de a.wet
    exits 2 c4clean -p mc4 --validation 10 a.wet
    exits 2 c4clean -p mc4 --split-by lang a.wet
    exits 2 c4clean -p mc4 --out d a.wet
    exits 2 c4clean -p mc4 --split-by lang --out d -o x a.wet
    exits 2 c4clean -p mc4 --split-by lang --out d --validation -1 a.wet
    exits 2 c4clean -p mc4 --split-by lang --out d --explain a.wet
    exits 2 c4clean -p mc4 --shards 3 a.wet
    for n in 0 -1 c5 3x 100000; do exits 2 c4clean -p mc4 --split-by lang --out d --shards=$n a.wet; done
    exits 2 c4clean -p mc4 --no-such a.wet
    exits 2 c4clean -p mc4 --pass urls --winners w a.wet
    exits 2 c4clean -p mc4 --winners w --task 1/2 a.wet
    for task in 0/2 3/2 1 1/2x x/2 1/ /2; do exits 2 c4clean -p mc4 --pass urls --winners w --task $task a.wet; done
    exits 2 c4clean -p mc4 --pass urls --winners w --task 1/2
    exits 2 c4clean -p mc4 --pass urls --winners w --task 1/2 -
    exits 2 c4clean -p mc4 --pass urls --winners w --task 1/2 -o x a.wet
    exits 2 c4clean -p mc4 --pass merge-urls --winners w --task 1/2 a.wet
    [ ! -e w ]
}

# tasks N PROFILE ARGUMENT...: a crawl of 40 pages shared out over N tasks: docs.I, stats.I, rejects.I
tasks() {
    local n=$1 pass i o p=$2
    shift 2
    for pass in urls merge-urls lines merge-lines filter; do
        for ((i = 1; i <= n; i++)); do
            o=()
            [ $pass != filter ] || o=(-o "docs.$i" --stats "stats.$i" --rejects "rejects.$i")
            case $pass in
            merge-*) files=() ;;
            *) mapfile -t files < <(awk -v i="$i" -v n="$n" 'NR % n == i % n' list) ;;
            esac
            c4clean -q -p "$p" -l en --pass $pass --winners winners --task "$i/$n" --mem 1M "$@" "${o[@]}" \
                "${files[@]}"
        done
    done
}

crawl_of_40() {
    for n in $(seq 40); do
        { prose "$n"; prose $((n / 3)); echo 'The same line in every page, it says so.'; } |
            record "http://a.example/$((n % 30))" "20$((10 + n % 7))-01-01T00:00:00Z" eng >"$n.wet"
        echo "$n.wet"
    done >list
}

# tasks_sum_up PROFILE ARGUMENT...: they wrote and counted what one run does: docs, stats, rejects
tasks_sum_up() {
    mapfile -t files <list
    c4clean -q -p "$1" -l en "${@:2}" --stats stats --rejects rejects -o docs "${files[@]}"
    for f in docs rejects; do cmp <(sort $f) <(sort $f.?); done
    [ "$(jq -cS '[.in, .out, .dropped, .counted]' stats)" = "$(jq -cs '
        def sums: map(to_entries[]) | group_by(.key) | map({ key: .[0].key, value: (if .[0].value | type == "number"
            then map(.value) | add else map(.value) | sums end) }) | from_entries;
        [(map(.in) | sums), (map(.out) | sums), (map(.dropped) | sums), (map(.counted) | sums)]
        ' stats.? | jq -cS .)" ]
}

@test "tasks together write what one run writes, and count what it counts" {
    crawl_of_40
    for p in c4 mc4; do
        rm -rf winners
        tasks 7 $p
        tasks_sum_up $p
        jq -e '.dropped["duplicate-url-filter:filtered"].records == 10 and
            .counted["dedupe-lines:line-filtered:global_duplicate"] > 30' stats
    done
    [ "$(find winners -type f | wc -l)" -eq 28 ]
}

@test "tasks count the URLs of a list that no page has, as one run does" {
    crawl_of_40
    for n in $(seq 0 2 58) 3 3; do echo "http://a.example/$n"; done >urls
    tasks 3 mc4 --urls urls
    tasks_sum_up mc4 --urls urls
    # pages have the URLs 0 to 29
    jq -e '.counted["webtextlike-filter:missing-page"] == 15 and .counted["webtextlike-filter:passed"] == 16' stats
    [ "$(jq -s 'map(select(.counted["webtextlike-filter:missing-page"] > 0)) | length' stats.?)" -gt 1 ]
    c4clean -q -p mc4 -l en --urls urls --without other_url --stats stats "${files[@]}" >docs
    jq -e '.counted | has("webtextlike-filter:missing-page") | not' stats
}

@test "passes refuse what is cut, foreign or changed, and leave no file" {
    crawl_of_40
    tasks 2 c4
    mapfile -t files < <(awk 'NR % 2' list)
    pass() { c4clean -q -p c4 -l en --pass "$1" --winners winners --task 1/2 "${@:2}" "${files[@]}"; }
    no() { # MESSAGE COMMAND...
        exits 1 "${@:2}"
        [[ $output == "c4clean: "*"$1"* ]] || { echo "not '$1': $output"; false; }
    }
    no 'other options' pass filter -o again --without too_short
    for f in winners/urls.00001-of-00002 winners/urls-lost.00002-of-00002 winners/lines-lost.00002-of-00002; do
        cp $f saved
        for cut in 0 5 72 100 -1; do
            head -c $cut saved >$f
            no "$f: " pass filter -o again
        done
        { head -c 79 saved; printf '\377'; tail -c +81 saved; } >$f
        # of its own claims on URLs it reads the head alone
        [[ $f == */urls.* ]] || no '' pass filter -o again
        rm $f
        no "$f: " pass filter -o again
        cp saved $f
    done
    files+=(2.wet)
    no 'not what --pass urls read' pass filter -o again
    files=("${files[@]:1}")
    no 'not what --pass urls read' pass filter -o again
    [ ! -e again ] && [ ! -e again.part ]
    rm winners/lines.*
    no 'winners/lines.00001-of-00002: ' c4clean -q -p c4 -l en --pass merge-lines --winners winners --task 1/2
    mapfile -t files < <(awk 'NR % 2' list)
    full() { (ulimit -f 1 && trap '' XFSZ && pass "$@"); }
    no 'winners/lines.00001-of-00002: ' full lines
    [ -z "$(find winners -name 'lines.*')" ]
}

# model: cld3's weights, to say $model
model() {
    need_shared data/langid/cld3-weights.safetensors
    model=$SHARED/data/langid/cld3-weights.safetensors
}

english() {
    for i in one two three; do
        printf 'This is line %s of a page that was written for no other reason than to be tried out. ' "$i"
        printf 'It should be long enough, though, or else it would be thrown away before anybody asks, '
        printf 'which is why there is another sentence here that has nothing to tell anyone.\n'
    done
}

german() { # a page that mC4 keeps
    for i in 1 2 3; do
        printf 'Das ist die Zeile %d einer Seite, die nur zum Ausprobieren geschrieben worden ist; ' "$i"
        printf 'sie soll aber lang genug sein, damit sie nicht gleich wieder verworfen wird, '
        printf 'und deshalb steht hier noch ein Satz, der eigentlich gar nichts mehr sagen will.\n'
    done
}

@test "a model tells languages, whatever a page says of itself" {
    model
    { english | record http://a/1 2020-01-01T00:00:00Z fin
      german | record http://a/2 2020-01-01T00:00:00Z eng; } >a.wet
    command c4clean -p mc4 --langid-model "$model" --stats s.json a.wet >out
    [ "$(jq -r '"\(.lang) \(.lang_p > 0.95)"' out)" = 'en true
de true' ]
    jq -e '.counted | .["language-filter:passed:de"] == 1 and .["language-filter:passed:en"] == 1 and
        .["language-filter:passed"] == 2' s.json
    jq -e '.facts.langid | test("cld3")' s.json
    command c4clean -p c4 --langid-model "$model" --stats s.json a.wet >out
    [ "$(jq -r .url out)" = http://a/1 ]
    jq -e '.dropped["english-filter:filtered:ignored_language-de"].records == 1 and
        .counted["english-filter:filtered:ignored_language"] == 1' s.json
    # again, by another name, and what a document had of ours is ours again
    command c4clean -p c4 --langid-model "$model" a.wet | sed 's/"lang_p":[0-9.]*/"lang_p":7,"x":1/' |
        command c4clean -p mc4 --langid-model "$model" >again
    [ "$(jq -c 'keys_unsorted' again)" = '["text","timestamp","url","lang","lang_p","x"]' ]
    jq -e '.lang_p < 1.01 and .lang_p > 0.9' again
}

@test "what is too short or too mixed to tell is und, and kept" {
    model
    { for i in 1 2 3; do for _ in $(seq 60); do printf '%d.%d; ' $RANDOM "$i"; done; echo; done; } |
        record http://a/1 2020-01-01T00:00:00Z eng >a.wet
    command c4clean -p mc4 --langid-model "$model" --stats s.json a.wet >out
    [ "$(jq -r .lang out)" = und ]
    jq -e '.counted["language-filter:passed:und"] == 1 and
        .counted["language-filter:filtered:no_predictions"] == 1' s.json
}

@test "without a model, and without a word for it, nothing is guessed" {
    make_wet >a.wet
    mkdir empty
    SWITCHYARD_SHARE=$PWD/empty exits 2 command c4clean -p mc4 a.wet
    [[ $output == *'--langid-model'*'--lang-from header'* ]]
    SWITCHYARD_SHARE=$PWD/empty exits 0 command c4clean -p mc4 -l en a.wet
    SWITCHYARD_SHARE=$PWD/empty exits 0 command c4clean -p c4 --punkt "$DATA/punkt/small.punkt" --pass urls --winners w --task 1/1 a.wet
    exits 1 command c4clean -p mc4 --langid-model a.wet a.wet
    [[ $output == 'c4clean: a.wet: '* ]]
    exits 2 c4clean -p mc4 --langid-model m a.wet
    exits 2 command c4clean -p mc4 -l en --langid-model m a.wet
}

@test "a word of its language's list drops a page, and is counted" {
    mkdir lists
    echo 'so rude' >lists/en
    echo 'page' >lists/en-2020 # another edition
    echo 'TOUT' >lists/fr # the page is lower-cased, lists are not
    { { english; echo 'That is So Rude, they say, of me.'; } | record http://a/1 2020-01-01T00:00:00Z eng
      { english | sed 's/^/Again: /'; echo 'That is so rudely said, they say.'; } | record http://a/2 2020-01-01T00:00:00Z eng
      { german; echo 'so rude'; } | record http://a/3 2020-01-01T00:00:00Z deu
      { german | sed 's/^/Encore: /'; echo 'Tout TOUT tout'; } | record http://a/4 2020-01-01T00:00:00Z fra
    } >a.wet
    c4clean -p mc4 --badwords lists --stats s.json --rejects r.jsonl a.wet >out
    [ "$(jq -r .url out | tr '\n' ' ')" = 'http://a/2 http://a/3 http://a/4 ' ]
    [ "$(jq -r '"\(.url) \(.reason)"' r.jsonl)" = 'http://a/1 badwords-filter:filtered' ]
    jq -e '.counted | .["badwords-filter:passed"] == 3 and .["badwords-filter-en:passed"] == 1 and
        .["badwords-filter-en:filtered"] == 1 and .["badwords-filter-fr:passed"] == 1 and
        (has("badwords-filter-de:passed") | not)' s.json
    jq -e '.counted["language-filter:passed"] == 4' s.json
    [ "$(c4clean -p c4 --badwords lists a.wet | jq -r .url)" = http://a/2 ]
    refuses c4clean -p mc4 --badwords nowhere a.wet
}

@test "--explain: a row for what was decided, and it is what was counted" {
    need_shared data/crawl/wet
    files=("$SHARED"/data/crawl/wet/{hplt-cc,hplt-dolma,quirks}*.gz)
    for p in c4 mc4; do
        c4clean -q -p $p -l en --with pii --explain --stats s.json "${files[@]}" >rows.tsv
        c4clean -q -p $p -l en --with pii --explain -j 3 --mem 1M "${files[@]}" | cmp - rows.tsv
        [ "$(head -n 1 rows.tsv)" = "url	line	rule	verdict	evidence" ]
        [ -z "$(awk -F'\t' 'NF != 5' rows.tsv)" ]
        tail -n +2 rows.tsv | awk -F'\t' '{ n[$3 " " $4]++ } END { for (k in n) print k, n[k] }' | sort >ours
        c4clean --list-rules | awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
            { print $at["counted_as"], $at["rule"] }' >names
        jq -r '[(.counted | to_entries[]), (.dropped | to_entries[] | .value |= .records)][] |
            select(.value > 0) | "\(.key) \(.value)"' s.json |
            awk 'NR == FNR { name[$1] = $2; next }
                $1 == "dedupe-lines:line-filtered:global_duplicate" || $1 == "dedupe-lines:line-filtered:local_duplicate" {
                    lost += $2; next }
                $1 ~ /:line-passed$|:passed|wet-file$|^skipped|^damage|filtered:ignored_language$/ { next }
                { rule = $1 in name ? name[$1] : $1
                  print rule, $1 ~ /:line-filtered:/ ? "drop-line" : $1 ~ /-edited:/ ? "edit" : "drop-page", $2 }
                END { print "duplicate_line lost-line", lost }' names - | sort >theirs
        jq -r '"- keep \(.out.records)"' s.json | sort -o theirs -m - theirs
        diff ours theirs
    done
}

@test "--explain says which line, and what became of it" {
    { echo 'First line that ends in nothing, so it goes'
      echo 'Second line [edit] is edited, ends well and has words.'
      echo 'Third line is in two pages, it is long enough.'
      echo 'Fourth line is there twice, it is long enough.'
      echo 'Fourth line is there twice, it is long enough.'
      echo 'Fifth line makes it enough for a page.'
    } >text
    record http://a.example/1 2020-01-01T00:00:00Z eng <text >a.wet
    { sed 's/^[SF]/Other &/' text; echo 'A tab	and a \ here too, to be told.'; } |
        record http://a.example/2 2020-01-01T00:00:00Z eng >b.wet
    c4clean -p c4 --explain a.wet b.wet | cut -f 2- >rows
    cut -f 1-3 rows | tail -n +2 | tr '\t\n' ' ;' >found
    # a.example/1 has the smaller MD5: it owns the third line
    [ "$(cat found)" = "1 no_endmark drop-line;2 citations edit;5 duplicate_line lost-line;0 - keep;\
1 no_endmark drop-line;2 citations edit;3 duplicate_line lost-line;5 duplicate_line lost-line;0 - keep;" ]
    grep -q "^3	duplicate_line	lost-line	in another page: Third line" rows
    grep -q "^5	duplicate_line	lost-line	again in this page: Fourth line" rows
    grep -q "^2	citations	edit	\[edit\]: Second line \[edit\] is" rows
    grep -q "^1	no_endmark	drop-line	ends in s: First line that" rows
    { prose 1; printf 'javascript\tand \\ in a line that has words.\n'; } |
        record http://a/t 2020-01-01T00:00:00Z eng >t.wet
    c4clean -p c4 --explain t.wet | grep -qF 'javascript\tand \\ in a line'
}

# sums_up STATS REJECTS: a row for each page that is not kept, its reasons those of the counts, and
# what is lost to damage counted as such
sums_up() {
    jq -e --slurpfile r "$2" '(.in.records - .out.records == ($r | length)) and
        ((.dropped | map_values(.records)) == ($r | group_by(.reason) | map({ key: .[0].reason, value: length }) | from_entries)) and
        (([.counted["damage:records", "damage:lines", "damage:files"] // 0] | add) ==
            ([.dropped | to_entries[] | select(.key | startswith("damage:")) | .value.records] | add // 0)) and
        ([$r[] | select(.reason | startswith("damage:")) | (.origin | length > 0) and (.trouble | length > 0)] | all)' \
        "$1" >sums || { echo "$1: $(jq -c '[.in.records, .out.records, .dropped, .counted]' "$1") $(wc -l <"$2")"; false; }
}

@test "--rejects has a row for all that is not kept, damage too" {
    need_shared data/crawl/broken
    for f in "$SHARED"/data/crawl/broken/* "$SHARED"/data/crawl/wet/ccst_* "$SHARED"/data/crawl/warc/*; do
        for o in '-p mc4' '-p mc4 --reference-parsing'; do
            # shellcheck disable=SC2086
            c4clean -q $o -l en --stats s --rejects r -o out "$f" 2>err || continue
            sums_up s r
        done
    done
    f=$SHARED/data/crawl/broken/bad-crc-member5.wet.gz
    c4clean -q -p mc4 -l en --rejects r -o out "$f" 2>err
    jq -es --arg f "$f" 'map(select(.reason == "damage:stream"))[] | .origin == $f + ":36562" and (.url | test("^http")) and
        (.text | length) > 1000 and (.trouble | test("gzip member at byte 14304: checksum does not match$"))' r
    c4clean -q -p mc4 -l en --explain "$f" 2>err >rows
    grep -q "	0	damage:stream	drop-page	.*gzip member at byte 14304" rows
}

@test "--rejects: damage of each kind, with what is known, from a run and from tasks" {
    rec() { record "http://a/$1" 2020-01-01T00:00:00Z eng; }
    { echo junk before; rec 1 <<<one; printf 'WARC/1.0\r\nWARC-Target-URI: http://a/cut\r\nWARC-Da'; } >junk.wet
    { rec 2 <<<two | gzip; rec 3 <<<three | gzip | head -c -8; printf '\0\0\0\0\0\0\0\0'; rec 4 <<<four | gzip; rec 5 <<<five | gzip | head -c 5; } >b.wet.gz
    rec 6 <<<six | gzip | { head -c 12; printf '\377\377\377'; } >first.wet.gz
    rec 7 <<<seven | gzip >>first.wet.gz
    { echo '{"text": 1}'; echo '{"text": "x", "url": "http://a/8"}'; echo nonsense; } >c.jsonl
    { gzip <c.jsonl; gzip <c.jsonl | head -c -8; printf '\0\0\0\0\0\0\0\0'; gzip <c.jsonl; } >d.jsonl.gz
    files=(junk.wet b.wet.gz first.wet.gz c.jsonl d.jsonl.gz)
    c4clean -q -p mc4 -l en --stats s --rejects r -o out "${files[@]}" 2>err
    sums_up s r
    jq -r 'select(.reason | startswith("damage:")) | [.reason, .origin, .url, .text] | join(" ")' r |
        tr -d '\r' | sed '/^$/d; s/ *$//' >told
    printf 'damage:%s\n' 'no-record junk.wet:0  junk before' 'header junk.wet:201 http://a/cut WARC-Da' \
        'stream b.wet.gz:189 http://a/3 three' 'stream b.wet.gz:570' 'stream first.wet.gz:0' \
        'line c.jsonl:1  {"text": 1}' 'line c.jsonl:3  nonsense' 'line d.jsonl.gz:1  {"text": 1}' \
        'line d.jsonl.gz:3  nonsense' 'line d.jsonl.gz:4  {"text": 1}' 'line d.jsonl.gz:6  nonsense' \
        'stream d.jsonl.gz:6' 'line d.jsonl.gz:7  {"text": 1}' 'line d.jsonl.gz:9  nonsense' | diff - told
    for pass in urls merge-urls lines merge-lines filter; do
        [[ $pass == merge-* ]] && in=() || in=("${files[@]}")
        [ $pass = filter ] && o=(--stats s2 --rejects r2 -o out2) || o=()
        c4clean -q -p mc4 -l en --pass $pass --task 1/1 --winners w "${o[@]}" "${in[@]}" 2>err
    done
    cmp r r2
    [ "$(jq -cS '[.in, .out, .dropped, .counted]' s)" = "$(jq -cS '[.in, .out, .dropped, .counted]' s2)" ]
    exits 1 c4clean -q -p mc4 -l en --strict d.jsonl.gz
}

@test "--stats that cannot be written is found out at the start" {
    make_wet >a.wet
    for path in nowhere/s.json . /dev/null/s; do
        exits 1 c4clean -p mc4 -o out --stats $path a.wet missing
        [[ $output == "c4clean: $path: "* ]]
        [ ! -e out ]
    done
    echo old >s.json
    exits 1 c4clean -p mc4 -o out --stats s.json missing
    [ "$(cat s.json)" = old ] && [ ! -e s.json.part ]
}
