#!/usr/bin/env bats
# spm-decode: text of Debian's spm_decode, sentinels, foreign ids, misuse, damage
load ../helper
bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    awk 'BEGIN {
        srand(3)
        n = split("a e i o ko na si tu mä ö ни ста 語 本 12 , .", part)
        for (l = 0; l < 600; l++) {
            s = ""
            for (j = int(rand() * 9); j >= 0; j--) {
                s = s " "
                for (k = int(rand() * 4); k >= 0; k--) s = s part[1 + int(rand() * n)]
            }
            print s
        }
    }' >text
    for type in unigram bpe char; do
        spm_train --input=text --model_prefix=$type --model_type=$type --vocab_size=330 --pad_id=0 \
            --eos_id=1 --unk_id=2 --bos_id=-1 --hard_vocab_limit=false \
            --byte_fallback="$([ $type = bpe ] && echo true || echo false)" 2>/dev/null
    done
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    for f in text unigram.model bpe.model char.model; do ln -s "$BATS_FILE_TMPDIR/$f" .; done
}

@test "text is that of Debian's spm_decode, of all model types" {
    for m in unigram bpe char; do
        spm_encode --model=$m.model --output_format=id text >got.ids
        n=$(spm_export_vocab --model=$m.model 2>/dev/null | wc -l)
        awk -v n="$n" 'BEGIN { srand(5); for (l = 0; l < 300; l++) {
            s = int(rand() * n); for (j = int(rand() * 20); j > 0; j--) s = s " " int(rand() * n); print s } }' |
            grep -vE '(^| )13( |$)' >>got.ids # <0x0A> would make lines
        spm_decode --model=$m.model --input_format=id got.ids >want
        spm-decode -m $m.model got.ids >got
        cmp want got
        spm-decode -m $m.model -f ids <got.ids >again
        cmp want again
    done
}

@test "what was encoded comes back, from a shard and from its ids" {
    spm-encode -m unigram.model -n text -o text.ids
    spm-decode -m unigram.model text.ids >back
    spm-decode -m unigram.model <text.ids | cmp back -
    sed 's/^ *//; s/  */ /g' text | cmp back -
    spm-decode -m unigram.model --json text.ids | jq -r .text | cmp back -
}

@test "two files, an empty record, compressed output" {
    printf '5\n\n6 7\n' >a
    spm-decode -m unigram.model a a -o out.gz
    [ "$(zcat out.gz | wc -l)" -eq 6 ]
    [ "$(zcat out.gz | sed -n 2p)" = '' ]
    : >empty
    [ -z "$(spm-decode -m unigram.model empty)" ]
}

@test "sentinels have names, foreign ids are the unknown" {
    n=$(spm_export_vocab --model=unigram.model 2>/dev/null | wc -l)
    run --separate-stderr spm-decode -m unigram.model -f ids <<<"$((n + 99)) $n $((n + 98))"
    [ "$output" = '<extra_id_0><extra_id_99><extra_id_1>' ] && [ -z "$stderr" ]
    run --separate-stderr spm-decode -m unigram.model -f ids <<<"$((n + 100)) 99999999999999999999"
    [ "$status" -eq 0 ] && [ "$output" = ' ⁇  ⁇ ' ]
    [[ $stderr == *'2 ids are not in the vocabulary'* ]]
    run spm-decode --strict -m unigram.model -f ids <<<"5 $((n + 100))"
    [ "$status" -eq 1 ] && [[ $output == *'record 1: '* ]]
}

@test "a line feed in the text: a warning, or JSON" {
    run --separate-stderr spm-decode -m bpe.model -f ids <<<'13'
    [[ $stderr == *'1 texts hold a line feed'* ]]
    [ "$(spm-decode -m bpe.model -f ids --json <<<'13')" = '{"text":"\n"}' ]
}

@test "a shard of another vocabulary" {
    spm-encode -m unigram.model -n text -o text.ids
    run --separate-stderr spm-decode -m char.model text.ids
    [ "$status" -eq 0 ] && [[ $stderr == *'text.ids: made with another vocabulary'* ]]
    run spm-decode --strict -m char.model text.ids
    [ "$status" -eq 1 ]
}

@test "bad input is refused, and says where" {
    spm-encode -m unigram.model -n text -o text.ids
    head -c 2000 text.ids >cut.ids
    refuses spm-decode -m unigram.model cut.ids
    [[ $output == *cut.ids* ]]
    refuses spm-decode -m unigram.model text
    [[ $output == *'text:1: not a line of ids'* ]]
    refuses spm-decode -m unigram.model <text
    refuses spm-decode -m unigram.model none
    refuses spm-decode -m text text.ids
    head -c 5000 /dev/urandom >noise
    refuses spm-decode -m unigram.model noise
    refuses spm-decode -m noise text.ids
    run sh -c 'spm-decode -m unigram.model text.ids >/dev/full'
    [ "$status" -eq 1 ]
}

@test "misuse is 2" {
    exits 2 spm-decode text.ids
    exits 2 spm-decode -m unigram.model --format text text
    exits 2 script -qec 'spm-decode -m unigram.model' /dev/null
}
