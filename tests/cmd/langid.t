#!/usr/bin/env bats
# langid: what it answers, what it keeps, thresholds, priors, any bytes, threads, damage, misuse
load ../helper
bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    cp "$DATA/langid/scripts.langid" m # Latin is en, Cyrillic ru; hr has a lower bar
}

# answer OPTION...: answers of the small model, one a line of standard input
answer() { langid -n -m m "$@"; }

# prose: enough words, none twice, for a document
prose() {
    echo 'Judging by letters alone takes about a hundred bytes of them, so this goes on until there'
    echo 'is enough, without saying anything that was said before.'
}

@test "lines: a label and a probability each" {
    printf 'English words\nРусские слова\n\n1234\nhalf и половина' | answer >out
    [ "$(cut -f 1 out)" = "en
ru
und
und
ru" ]
    [ "$(cut -f 2 out | sed -n '1p;3p;4p')" = "0.9951
0.0000
0.0000" ]
    awk -F'\t' '$2 !~ /^[01]\.[0-9][0-9][0-9][0-9]$/ { exit 1 }' out
}

@test "documents: lang and lang_p are put in, or replaced; all else stays" {
    jq -nc --arg t "$(prose)" \
        '{id: 7, text: $t, lang_p: [1, {"a": 2}], url: "u", lang: "xx", "a\"b": null}' >a
    langid -m m a >out
    [ "$(jq -c 'del(.text)' out)" = '{"url":"u","lang":"en","lang_p":0.9951,"id":7,"a\"b":null}' ]
    [ "$(jq -r .text out)" = "$(jq -r .text a)" ]
    langid -m m out | cmp - out
    gzip -c a | langid -m m | cmp - out
    zstd -qc a | langid -m m - | cmp - out
    langid -m m -o b.gz a && zcat b.gz | cmp - out
}

@test "too little text is und: 100 bytes of a document, or as one says" {
    echo '{"text":"a few words"}' >a
    [ "$(langid -m m a | jq -c '[.lang, .lang_p]')" = '["und",0]' ]
    [ "$(langid -m m --min-bytes 13 a | jq -r .lang)" = en ]
    [ "$(langid -m m --min-bytes 14 a | jq -r .lang)" = und ]
    [ "$(echo 'a few words' | answer --min-bytes 14)" = "und	0.0000" ]
}

@test "too unsure is und, with the probability that it has" {
    echo 'half и половина' >a # 4 and 9 letters of 13
    [ "$(answer a)" = "ru	0.8966" ]
    [ "$(answer -p 0.95 a)" = "und	0.8966" ]
    echo 'half или' >a
    [ "$(answer a | cut -f 1)" = und ]
    [ "$(answer --min-prob 0 a | cut -f 1)" = en ]
}

@test "one of some labels, by any of their names; priors" {
    echo 'слова' >a
    [ "$(answer a)" = "ru	0.9951" ]
    [ "$(answer --langs eng,hr a)" = "und	0.5000" ]
    [ "$(answer --langs hr a)" = "hr	1.0000" ]
    printf 'hr\t3\nen\t1\nrus\t0\n' >p
    [ "$(answer --priors p a)" = "hr	0.7500" ]
    { printf 'label\tweight\n'; cat p; } >q
    [ "$(answer --priors q a)" = "hr	0.7500" ]
    [ "$(answer --langs ru --priors p a)" = "und	0.0000" ]
    exits 2 langid -m m --langs en,fi a
    [[ $output == *"no label 'fi'"* ]]
    for bad in 'fi\t1' 'hr\tx' 'hr\t-1' 'hr' 'hr\t1\t1'; do
        printf 'hr\t1\n%b\n' "$bad" >p
        refuses langid -n -m m --priors p a
        [[ $output == *"p: line 2"* ]]
    done
}

@test "any bytes: no UTF-8, NUL, nothing; the text ends there" {
    head -c 100000 /dev/urandom >junk
    answer junk >out
    [ "$(wc -l <out)" -eq "$(answer -j 3 junk | wc -l)" ]
    printf 'abc\0abc\nabc\xff\xd0\xb6\n' | answer -p 0 >out
    [ "$(cat out)" = "en	0.9951
en	0.9951" ]
    : | langid -m m >out
    [ ! -s out ]
}

@test "any number of threads: the same bytes, in their order, from many files" {
    for f in 1 2 3; do
        awk -v f=$f 'BEGIN {
            for (i = 1; i <= 400; i++) {
                if (i % 7 == 0) print "no document"
                t = ""
                for (k = 0; k < i; k++) t = t (k % f ? "English " : "русский ") k " "
                print "{\"text\":\"" t "\",\"n\":" i "}"
            }
        }' >$f.jsonl
    done
    langid -q -m m --min-bytes 0 --stats s1 1.jsonl 2.jsonl 3.jsonl >one
    langid -q -m m --min-bytes 0 --stats s4 -j 4 1.jsonl 2.jsonl 3.jsonl >four
    cmp one four
    [ "$(wc -l <one)" -eq 1200 ]
    jq 'del(.options)' s1 >t1
    jq 'del(.options)' s4 | cmp - t1
    jq -e '.in.records == 1371 and .out.records == 1200 and
        .dropped.no_document.records == 171 and ([.lang[].out] | add) == 1200' s1
}

@test "what is no document is dropped and told, or stops" {
    printf '%s\n' '{"text":"a"}' '{"text":1}' '{"text":"b"}' >a
    run --separate-stderr langid -m m a
    [ "$status" -eq 0 ] && [ "${#lines[@]}" -eq 2 ] && [[ $stderr == *"1 of 3 lines dropped"* ]]
    refuses langid -m m --strict a
    [[ $output == *"a:2: byte"* ]]
}

@test "damaged input: what is before it comes out" {
    for i in $(seq 3000); do echo "{\"text\":\"$i\"}"; done | gzip >a.gz
    head -c 3000 a.gz >b.gz
    run --separate-stderr langid -m m --stats s b.gz
    [ "$status" -eq 0 ] && [ "${#lines[@]}" -gt 100 ] && [[ $stderr == *b.gz* ]]
    jq -e '.counted.damage == 1 and (.files[0].trouble | length) > 0' s
    refuses langid -m m --strict -o out b.gz
    [ ! -e out ]
}

@test "models: none, damaged, a folder; their labels" {
    [ "$(langid --list -m m)" = "en
ru
hr" ]
    for cut in 0 10 100 500; do
        head -c $cut m >bad
        refuses langid -n -m bad m
    done
    { head -c -1 m && printf x; } >bad
    refuses langid -n -m bad m
    refuses langid -n -m absent m
    refuses langid -n -m . m
    SWITCHYARD_SHARE=$PWD refuses langid -n m
    [[ $output == *--model* ]]
    cp m langid.model
    [ "$(echo word | SWITCHYARD_SHARE=$PWD langid -n)" = "en	0.9951" ]
    gzip -k m
    [ "$(echo word | langid -n -m m.gz)" = "en	0.9951" ]
}

@test "misuse is 2, a full disk and an absent file 1" {
    exits 2 langid -p 2
    exits 2 langid --max-bytes 0
    exits 2 langid -j 0
    refuses langid -n -m m absent
    for i in $(seq 5000); do echo word; done >a
    exits 1 sh -c 'langid -n -m m a >/dev/full'
    exits 1 langid -n -m m -o /dev/full a
    exits 1 sh -c 'langid --list -m m >/dev/full'
}

@test "cld3's answers, of its numbers" {
    need_shared data/langid/cld3-weights.safetensors
    cut -f 5 "$SHARED/data/langid/snippets.tsv" | tail -n +2 >texts
    langid -n -p 0 -m "$SHARED/data/langid/cld3-weights.safetensors" texts | cut -f 1 >got
    tail -n +2 "$SHARED/data/langid/answers.tsv" | cut -f 3 | cmp - got
    [ "$(wc -l <got)" -eq 8356 ]
}
