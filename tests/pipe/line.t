#!/usr/bin/env bats
# the line from crawl to examples: no record is lost from tool to tool, memory does not grow, a
# producer that dies is noticed, a reader that leaves is none's error
load ../helper
bats_require_minimum_version 1.5.0

crawl=$DATA/tiny/tiny.warc.wet.gz

setup_file() { # documents in many languages, and a small vocabulary of them
    cd "$BATS_FILE_TMPDIR" || return 1
    c4clean -q --lang-from header --profile mc4 "$crawl" >docs
    jq -r .text docs | head -c 600000 >text
    spm_train --input=text --model_prefix=small --vocab_size=3000 --pad_id=0 --eos_id=1 --unk_id=2 \
        --bos_id=-1 --byte_fallback --hard_vocab_limit=false --max_sentence_length=16384 2>/dev/null
    spm-encode -q -m small.model docs >ids
    cat docs docs >small.jsonl
    for ((i = 0; i < 20; i++)); do cat small.jsonl; done >large.jsonl
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    model=$BATS_FILE_TMPDIR/small.model docs=$BATS_FILE_TMPDIR/docs ids=$BATS_FILE_TMPDIR/ids
    small=$BATS_FILE_TMPDIR/small.jsonl large=$BATS_FILE_TMPDIR/large.jsonl
}

@test "in = out + dropped, from tool to tool, language by language" {
    c4clean -q --lang-from header --profile mc4 --stats clean.json "$crawl" |
        spm-encode -q -m "$model" --stats encode.json |
        pack-spans -q --stats pack.json | tee out.ex | shard ls -l - >ls.tsv
    for f in clean encode pack; do
        jq -e '.in.records == .out.records + ([.dropped[].records] | add // 0)' $f.json
    done
    jq -e '.in.records > 1000 and .dropped != {}' clean.json
    # records from hand to hand, bytes of text where text is handed on
    [ "$(jq -c .out clean.json)" = "$(jq -c .in encode.json)" ]
    [ "$(jq .out.records encode.json)" = "$(jq .in.records pack.json)" ]
    [ "$(jq .counted.ids encode.json)" = "$(jq .counted.ids pack.json)" ]
    for pair in 'clean encode' 'encode pack'; do
        read -r a b <<<"$pair"
        jq -c '.lang | map_values(.out) | with_entries(select(.value > 0))' "$a.json" >out
        jq -c '.lang | map_values(.in) | with_entries(select(.value > 0))' "$b.json" >in
        diff out in
    done
    # the shard has the rows that were counted, in all languages that had a document
    [ "$(jq .counted.rows pack.json)" = "$(awk -F'\t' '{ n += $4 } END { print n }' ls.tsv)" ]
    [ "$(jq '.counted.inputs + .counted.targets' pack.json)" = \
        "$(awk -F'\t' '{ n += $5 } END { print n }' ls.tsv)" ]
    jq -r '.lang | to_entries[] | select(.value.out > 0).key' pack.json | sort >want
    tail -n +2 ls.tsv | cut -f3 | sort | diff want -
    [ "$(wc -l <want)" -ge 20 ]
    shard check out.ex
}

@test "in a pipe or by files, the same bytes" {
    c4clean -q --lang-from header --profile mc4 "$crawl" | spm-encode -q -m "$model" | pack-spans -q |
        shard sum >piped.tsv
    c4clean -q --lang-from header --profile mc4 -o d.jsonl.gz "$crawl"
    spm-encode -q -m "$model" -o d.ids d.jsonl.gz
    pack-spans -q -o d.ex d.ids
    shard sum d.ex | sed 's/^d.ex/-/' | diff piped.tsv -
    spm-decode -q -m "$model" d.ids | head -n 1 >first # what came in is what comes out
    [ -s first ]
}

runs_in() { # MIB FILE COMMAND...: the command, in so much address space
    local mib=$1 from=$2
    shift 2
    (ulimit -v $((mib << 10)) && exec "$@" <"$from" >got)
}

# measure SMALL LARGE COMMAND...: what the command needs for the first, found by halves, is enough
# for the second, whose output is left in got; 4 MiB are the allocator's to round
measure() {
    local small=$1 large=$2 low=4 high=512 mid
    shift 2
    runs_in $high "$small" "$@"
    while [ $((high - low)) -gt 1 ]; do
        mid=$(((low + high) / 2))
        if runs_in $mid "$small" "$@" 2>/dev/null; then high=$mid; else low=$mid; fi
    done
    echo "$high MiB for $small: $*"
    runs_in $((high + 4)) "$large" "$@"
}

@test "twenty times the input takes no more memory" {
    # the smaller input fills the largest blocks already
    spm-encode -q -m "$model" "$small" >small.ids
    pack-spans -q small.ids >small.ex
    measure "$small" "$large" spm-encode -q -m "$model"
    mv got large.ids
    measure small.ids large.ids pack-spans -q
    mv got large.ex
    for f in ids ex; do [ "$(wc -c <large.$f)" -gt $((19 * $(wc -c <small.$f))) ]; done
    measure small.ids large.ids spm-decode -q -m "$model"
    for c in ls cat check sum; do
        # shellcheck disable=SC2086
        measure small.ex large.ex shard $c
    done
}

# shellcheck disable=SC2030
@test "the same pages twenty times over take c4clean no more memory" {
    # what is over --mem goes to files
    for ((i = 0; i < 20; i++)); do cat "$crawl"; done >many.gz
    measure "$crawl" many.gz c4clean -q --lang-from header --profile mc4 --mem 1M --stats many.json
    [ "$(wc -l <got)" -eq "$(jq .out.records many.json)" ]
}

# the consumers of a token shard, and what each says of one that ends early
consumers=('pack-spans -q -o out.ex' 'shard ls' 'shard ls -l' 'shard cat' 'shard cat -o out.ids'
    'shard check' 'shard sum' 'spm-decode -q -o out.txt -m')

consumes() { # STATUS COMMAND <shard: so it ends, if not 0 with a place and nothing left
    local want=$1 command=$2
    # shellcheck disable=SC2086
    set -- $command
    [ "$1" != spm-decode ] || set -- "$@" "$model"
    rm -f out.*
    run --separate-stderr timeout 20 "$@"
    # shellcheck disable=SC2031
    [ "$status" -eq "$want" ] || {
        # shellcheck disable=SC2031
        echo "exit $status, not $want: $*: $stderr"
        return 1
    }
    [ "$want" -eq 0 ] && return
    [[ $stderr == "$1: "*'byte '*': segment 0'*'cut short'* && ${#stderr_lines[@]} -eq 1 ]] || {
        echo "$*: $stderr"
        return 1
    }
    [ -z "$(find . -name 'out.*')" ]
}

@test "a producer that is killed leaves every consumer with an error and no file" {
    mkfifo in out
    for c in "${consumers[@]}"; do
        spm-encode -q -m "$model" <in >out &
        pid=$!
        exec 4>in
        { # the consumer reads while we feed; the kill comes with the input still open
            cat "$docs" >&4
            kill -9 "$pid"
        } 3>&- &
        consumes 1 "$c" 3>&- 4>&- <out
        exec 4>&-
        wait "$pid" && return 1
        wait
    done
}

@test "a cut pipe is told from an end, wherever it is cut" {
    size=$(wc -c <"$ids")
    for n in 40 5000 $((size / 3)) $((size - 136)) $((size - 1)); do
        for c in "${consumers[@]}"; do head -c "$n" "$ids" | consumes 1 "$c"; done
    done
    for c in "${consumers[@]}"; do consumes 0 "$c" <"$ids"; done
}

@test "the error of the first is an error of all that follow" {
    head -c 300000 "$ids" >cut.ids
    run bash -c 'pack-spans -q cut.ids | shard cat | shard ls; echo "${PIPESTATUS[*]}"'
    [ "${lines[-1]}" = '1 1 1' ]
    [ "$(grep -c 'cut short' <<<"$output")" -eq 3 ]
}

@test "a reader that leaves ends the producers, and nobody says a word" {
    trap - PIPE
    run bash -c 'c4clean -q --lang-from header --profile mc4 "$1" | spm-encode -q -m "$2" | pack-spans -q | shard cat |
        head -c 100 >/dev/null; echo "${PIPESTATUS[*]}"' - "$crawl" "$model"
    [ "$output" = '141 141 141 141 0' ]
    run bash -c 'spm-decode -q -m "$2" "$1" | head -c 100 >/dev/null; echo "${PIPESTATUS[*]}"' - \
        "$ids" "$model"
    [ "$output" = '141 0' ]
    run bash -c 'shard cat -t "$1" | head -c 100 >/dev/null; echo "${PIPESTATUS[*]}"' - "$ids"
    [ "$output" = '141 0' ]
}
