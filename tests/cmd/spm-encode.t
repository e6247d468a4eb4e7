#!/usr/bin/env bats
# spm-encode: ids of Debian's spm_encode on a vocabulary trained here, shards, misuse, damage
load ../helper
bats_require_minimum_version 1.5.0

setup_file() { # text of made-up words in four scripts, and vocabularies of it: T5's flags
    cd "$BATS_FILE_TMPDIR" || return 1
    awk 'BEGIN {
        srand(7)
        n = split("a e i o u ba ke ti sto län é ß я ко ни ста при ้ กา ไม่ นี้ 日 本 語 の は 12 7 - , . ( )", part)
        for (i = 0; i < 400; i++) {
            w = ""
            for (j = int(rand() * 4); j >= 0; j--) w = w part[1 + int(rand() * n)]
            word[i] = w
        }
        for (l = 0; l < 1500; l++) {
            s = ""
            for (j = int(rand() * 14); j >= 0; j--) s = s (rand() < .07 ? "  " : " ") word[int(rand() * rand() * 400)]
            print s
        }
    }' >text
    printf '%s\n' '' ' ' 'ﬁne ½ Ａ①' 'tab	and cr\r' '漢字 unknown ✓✓ 🙂 <unk> </s> <extra_id_0>' \
        "$(printf 'bad \377\300\200 bytes')" >>text
    for kind in plain byte; do
        spm_train --input=text --model_prefix="$kind" --vocab_size=500 --pad_id=0 --eos_id=1 \
            --unk_id=2 --bos_id=-1 --character_coverage=0.995 --hard_vocab_limit=false \
            --byte_fallback="$([ $kind = byte ] && echo true || echo false)" 2>/dev/null
    done
    spm_train --input=text --model_prefix=users --vocab_size=300 --hard_vocab_limit=false \
        --user_defined_symbols='<extra_id_1>,<extra_id_0>,ti ba' 2>/dev/null
    for kind in bpe char word; do
        spm_train --input=text --model_prefix=$kind --vocab_size=300 --model_type=$kind \
            --hard_vocab_limit=false --user_defined_symbols='<extra_id_0>,ko12' 2>/dev/null
    done
    spm_train --input=text --model_prefix=bpebyte --vocab_size=600 --model_type=bpe --byte_fallback \
        --character_coverage=0.99 --hard_vocab_limit=false 2>/dev/null
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    for f in text {plain,byte,users,bpe,bpebyte,char,word}.model; do ln -s "$BATS_FILE_TMPDIR/$f" .; done
}

@test "ids and pieces are those of Debian's spm_encode" {
    for m in plain byte users bpe bpebyte char word; do
        spm_encode --model=$m.model --output_format=id text >want
        spm-encode -m $m.model --arithmetic 0.1.97 --lines --format ids text >got
        cmp want got
        [ "$(wc -w <got)" -gt 5000 ]
        spm-encode -m $m.model --arithmetic 0.1.97 -n -f ids -j 3 text text | cmp - <(cat want want)
        spm_encode --model=$m.model --output_format=piece text >want
        spm-encode -m $m.model --arithmetic 0.1.97 --lines --format pieces text >got
        cmp want got
    done
}

@test "ids are those of SentencePiece 0.2.2" {
    need_shared data/golden-spm
    for pair in t5_32100.lines t5_32100.long mt5_trim30k.lines mt5_trim30k.long multi_250k.lines; do
        spm-encode -m "$SHARED/data/spm/${pair%.*}.model" -n -f ids \
            "$SHARED/data/golden-spm/${pair#*.}.txt" | cmp - "$SHARED/data/golden-spm/ids/$pair.ids"
    done
}

@test "documents and lines agree, and no record is lost" {
    iconv -f utf-8 -t utf-8 -c text >valid # JSON holds no invalid bytes
    jq -cR '{text: .}' <valid >docs.jsonl
    spm-encode -m byte.model -f ids docs.jsonl >a
    spm-encode -m byte.model -f ids --lines valid >b
    cmp a b
    [ "$(wc -l <a)" -eq "$(wc -l <text)" ]
    gzip <valid | spm-encode -m byte.model -f ids -n | cmp a -
    zstd -q <valid | spm-encode -m byte.model -f ids -n - | cmp a -
}

@test "a shard holds the same ids as the text" {
    spm-encode -m plain.model -n text >a.ids
    spm-encode -m plain.model -n -f ids text >b.ids
    spm-decode -m plain.model a.ids >a.txt
    spm-decode -m plain.model b.ids >b.txt
    cmp a.txt b.txt
    [ "$(wc -l <a.txt)" -eq "$(wc -l <text)" ]
}

header() { head -c 4000 "$1" | tr '\0' '\n' | grep -a "^$2=" | sed 's/^[^=]*=//'; }

@test "the header says which vocabulary" {
    spm-encode -m plain.model -n text -o a.ids
    n=$(spm_export_vocab --model=plain.model 2>/dev/null | wc -l)
    [ "$(header a.ids pieces)" -eq "$n" ]
    [ "$(header a.ids vocab.size)" -eq $((n + 100)) ]
    [ "$(header a.ids sentinels)" -eq 100 ]
    [ "$(header a.ids sentinel0)" -eq $((n + 99)) ]
    [ "$(header a.ids eos)" -eq 1 ]
    [ "$(header a.ids vocab.name)" = plain ]
    [ "$(header a.ids lang)" = und ]
    [ "$(header a.ids vocab.sha256 | wc -c)" -eq 65 ]
    spm-encode -m plain.model --extra-ids 0 --lang he -n text -o b.ids
    [ "$(header b.ids vocab.size)" -eq "$n" ]
    [ -z "$(header b.ids sentinel0)" ]
    [ "$(header b.ids lang)" = iw ]
    echo '{"text":"a"}' | spm-encode -m users.model -o c.ids
    [ "$(header c.ids vocab.size)" -eq "$(header c.ids pieces)" ]
    [ "$(header c.ids sentinels)" -eq 2 ]
    header c.ids langs | grep -q ',fi,.*,und,zxx$'
    run spm-encode -m users.model --extra-ids 100 -n text -o d.ids
    [ "$status" -eq 1 ] && [[ $output == *'sentinels of its own'* ]]
}

@test "a sentinel's name in the text does not become a sentinel in a shard" {
    printf 'ti <extra_id_0> ba\n＜extra_id_1＞\n' >sly
    spm-encode -m users.model -n -f ids --stats text.json sly >text.ids
    spm-encode -m users.model -n --stats shard.json -o a.ids sly
    sentinel0=$(header a.ids sentinel0) # the text formats do as SentencePiece does
    [[ " $(head -n 1 text.ids) " == *" $sentinel0 "* ]]
    [ "$(head -n 1 text.ids)" = "$(spm_encode --model=users.model --output_format=id sly | head -n 1)" ]
    [ "$(jq .counted.sentinels_in_text shard.json)" -eq 2 ]
    [ "$(jq .counted.sentinels_in_text text.json)" -eq 0 ]
    [ "$(jq .counted.ids shard.json)" -gt $(($(jq .counted.ids text.json) + 8)) ]
}

@test "languages become a column; what is none of ours is und and counted" {
    printf '%s\n' '{"text":"ti","lang":"fi"}' '{"text":"ba","lang":"he"}' '{"text":"ko"}' \
        '{"text":"e","lang":"xx-none"}' |
        spm-encode -m plain.model --stats s.json -o a.ids
    [ "$(jq -c '.lang|map_values(.out)' s.json)" = '{"fi":1,"iw":1,"und":2}' ]
    [ "$(jq .counted.unknown_lang s.json)" -eq 1 ]
    [ "$(spm-decode -m plain.model --json a.ids | jq -r .lang | xargs)" = 'fi iw und und' ]
}

@test "what is no document is dropped and counted, or stops the run" {
    printf '%s\n' '{"text":"ti"}' 'ti' '{"url":"x"}' '{"text":""}' >docs
    run --separate-stderr spm-encode -m plain.model -f ids --stats s.json docs
    [ "$status" -eq 0 ] && [ "${#lines[@]}" -ge 1 ]
    [ "$(spm-encode -q -m plain.model -f ids docs | wc -l)" -eq 2 ]
    [ "$(jq -c '[.in.records,.out.records,.dropped.no_document.records,.counted.empty]' s.json)" = \
        '[4,2,2,1]' ]
    run spm-encode -m plain.model -f ids --strict -o out docs
    [ "$status" -eq 1 ] && [[ $output == *'docs:2: '* ]]
    [ ! -e out ]
}

@test "any number of threads, the same bytes" {
    for _ in 1 2 3 4 5 6 7 8; do cat text; done >many
    for f in shard ids pieces; do
        spm-encode -m byte.model -n -f $f --stats one.json many -o one
        for j in 2 3 5; do
            spm-encode -m byte.model -n -f $f -j $j --stats many.json many -o many.$f
            if [ $f = shard ]; then # a header holds the options
                cmp <(shard cat --text one) <(shard cat --text many.$f)
            else
                cmp one many.$f
            fi
            cmp <(jq 'del(.options)' one.json) <(jq 'del(.options)' many.json)
        done
    done
}

@test "what is drawn is a function of the seed and the text" {
    for m in byte bpe; do
        spm-encode -m $m.model -n -f ids --alpha 0.3 --seed 7 text >a
        [ "$(spm-encode -m $m.model -n -f ids text | paste - a | awk -F'\t' '$1 != $2' | wc -l)" -gt 1000 ]
        spm-encode -m $m.model -n -f ids -j 3 -a 0.3 -s 7 text | cmp a -
        tail -n 700 text | spm-encode -m $m.model -n -f ids -a 0.3 -s 7 | cmp <(tail -n 700 a) -
        [ "$(spm-encode -m $m.model -n -f ids -a 0.3 -s 8 text | paste - a | awk -F'\t' '$1 != $2' | wc -l)" -gt 1000 ]
        # the text stays what it was
        spm-decode -m $m.model a >drawn.txt
        spm-encode -m $m.model -n -f ids text | spm-decode -m $m.model -f ids | cmp - drawn.txt
    done
    spm-encode -m byte.model -n -f ids -a 100 text >a # a great alpha leaves the best
    spm-encode -m byte.model -n -f ids -a 1 -N 1 text | cmp - <(spm-encode -m byte.model -n -f ids text)
    [ "$(spm-encode -m byte.model -n -f ids text | paste - a | awk -F'\t' '$1 != $2' | wc -l)" -lt 20 ]
    [ "$(spm-encode -m bpe.model -n -f pieces -a 1 <<<'ti ba' | xargs)" = '▁ t i ▁ b a' ]
    for m in char word; do refuses spm-encode -m $m.model -n -f ids -a 1 text; done
    refuses spm-encode -m bpe.model -n -f ids -a 0.1 -N 5 text
}

@test "the best ways are those of Debian's spm_encode" {
    grep -v '^ *$' text | head -n 300 >few
    spm-encode -m plain.model -n -f ids --nbest 5 few >got
    [ "$(wc -l <got)" -eq 300 ]
    tr '\t' '\n' <got | sed 's/^[^ ]* //' >ways # SentencePiece writes a line a way
    spm_encode --model=plain.model --output_format=nbest_id --nbest_size=5 few >want
    [ "$(wc -l <want)" -eq "$(wc -l <ways)" ]
    [ "$(paste want ways | awk -F'\t' '$1 != $2' | wc -l)" -lt 100 ] # of equals any may be first
    cut -f1 got | sed 's/^[^ ]* //' | cmp - <(spm-encode -m plain.model -n -f ids few)
    spm-encode -m plain.model -n -f pieces -N 2 <<<'' >got
    [ "$(cat got)" = 0 ]
    refuses spm-encode -m bpe.model -n -f ids -N 5 text
}

@test "bad text is counted, and stays a record" {
    printf 'a\377\300b\n\0\n\n\xed\xa0\x80 ti\nti\n' >bad
    head -c 3000000 /dev/zero | tr '\0' k >>bad
    for m in byte bpe char word; do
        [ "$(spm-encode -q -m $m.model -n -f ids --stats s.json bad | wc -l)" -eq 6 ]
        [ "$(jq -c '[.in.records,.out.records,.counted.invalid_utf8,.counted.nul,.counted.empty]' s.json)" = '[6,6,2,1,1]' ]
    done
    [ "$(spm-encode -q -m byte.model -n -f ids -a 1 bad | wc -l)" -eq 6 ]
}

@test "bad models are refused with a clear word" {
    : >empty.model
    head -c 5000 /dev/urandom >noise.model
    head -c 3000 plain.model >cut.model
    for m in none.model empty.model noise.model cut.model .; do
        refuses spm-encode -m $m -n text -o out
        [[ $output == *"$m"* ]]
    done
}

@test "missing input, damage, a full disk" {
    refuses spm-encode -m plain.model none.jsonl
    run sh -c 'spm-encode -m plain.model -n text >/dev/full'
    [ "$status" -eq 1 ]
    run sh -c 'spm-encode -m plain.model -n -f ids text >/dev/full'
    [ "$status" -eq 1 ]
    refuses spm-encode -m plain.model -n text -o no/such/dir
    gzip <text | head -c 3000 >cut.gz
    refuses spm-encode --strict -m plain.model -n -o out cut.gz
    [ ! -e out ]
    run spm-encode -m plain.model -n -f ids --stats s.json cut.gz -o out
    [ "$status" -eq 0 ] && [[ $output == *cut.gz* ]]
    [ "$(jq .counted.damage s.json)" -eq 1 ]
    head -c 20000 /dev/urandom | spm-encode -q -m byte.model -n -f ids >/dev/null
    head -c 20000 /dev/urandom | spm-encode -q -m byte.model >/dev/null
    run sh -c 'yes "ti ba" | spm-encode -m plain.model -n -f ids | head -n 1'
    [ "$status" -eq 0 ] && [ -n "$output" ]
}

@test "misuse is 2" {
    exits 2 spm-encode text
    exits 2 spm-encode -m plain.model --format bits text
    exits 2 spm-encode -m plain.model --extra-ids 5 -f ids text
    exits 2 spm-encode -m plain.model --lang 'a b' text
    exits 2 spm-encode -m plain.model --arithmetic 1 text
    exits 2 spm-encode -m plain.model --nbest 3 text
    exits 2 spm-encode -m plain.model --seed 3 text
    exits 2 spm-encode -m plain.model --nbest 513 -f ids text
    exits 2 spm-encode -m plain.model -j 0 text
    exits 2 script -qec 'spm-encode -m plain.model' /dev/null
}

@test "a document of more ids than a record holds is cut and counted: there are as many records" {
    { echo before; head -c 4500000 /dev/zero | tr '\0' k; echo; echo after; } >long
    cp "$BATS_FILE_TMPDIR/char.model" m.model
    exits 0 spm-encode -m m.model --lines --stats s.json -o long.ids long
    [[ $output != *dropped* ]]
    [ "$(shard ls long.ids | awk 'NR == 2 { print $4 }')" -eq 3 ]
    shard cat -t long.ids >got
    spm-encode -q -m m.model -n -f ids long | cut -d' ' -f1-4194304 | cmp - got
    [ "$(jq -c '[.out.records, .counted.too_long]' s.json)" = '[3,1]' ]
    refuses spm-encode -q -m m.model --lines --strict -o strict.ids long
    [ ! -e strict.ids ]
}
