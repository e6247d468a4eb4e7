#!/usr/bin/env bats
# switch-distill: what a student begins with and learns, caches, resuming, refusals, ranks
load ../helper
# shellcheck source=../../shell/lib.sh
. "$root/shell/lib.sh"
export SWITCHYARD_SHARE=$root/share

setup_file() { # a teacher that knows a little
    cd "$BATS_FILE_TMPDIR" || return 1
    switch-pretrain --config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" --out teacher \
        --batch 8 --group-rows 2 --steps 8 --warmup 100 -q
}

usual=(--batch 8 --group-rows 2 --steps 6 --warmup 100 -q)

distill() { # OPTION...: a small run into ./run
    switch-distill --teacher "$BATS_FILE_TMPDIR/teacher" --train "$DATA/train/aa.ex" --out run \
        "${usual[@]}" "$@"
}

cache() { # FILE OPTION...: what the teacher says of its rows
    local file=$1
    shift
    switch-distill --teacher "$BATS_FILE_TMPDIR/teacher" --train "$DATA/train/aa.ex" \
        --write-cache "$file" "${usual[@]}" "$@"
}

column() { # FILE NAME: the column called NAME
    awk -F'\t' -v n="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == n) c = i; next } { print $c }' \
        "$1"
}

figures() { # RUN: all that is no time
    local c
    for c in step tokens loss nlp z lr grad_norm hard soft; do column "$1/metrics.tsv" $c; done
}

close() { # FILE FILE: columns of numbers, equal to 1e-5
    paste "$1" "$2" | awk '($1 - $2) ^ 2 > (1e-5 * $1) ^ 2 { exit 1 } END { exit NR != 6 }'
}

@test "the loss is (1 - f) hard + f tau^2 soft; the student is dense and has the teacher's weights" {
    distill -f 0.4 --tau 1.5
    paste <(column run/metrics.tsv hard) <(column run/metrics.tsv soft) <(column run/metrics.tsv loss) |
        awk '{ d = 0.6 * $1 + 0.4 * 2.25 * $2 - $3; if (d * d > 1e-12) exit 1 } END { exit NR != 6 }'
    [ "$(jq -r .model_type run/step-00000006/config.json)" = t5 ]
    [ "$(find run/step-00000006 -name 'expert*')" = "" ]
    mv run first
    distill --weights draw # begins higher
    paste <(column first/metrics.tsv hard) <(column run/metrics.tsv hard) |
        awk '{ exit !($1 < $2 - 0.5) }'
}

@test "it comes closer to the teacher than without its word" {
    distill -f 1 --steps 8
    mv run with
    distill -f 0 --steps 8
    paste <(column with/metrics.tsv soft) <(column run/metrics.tsv soft) |
        awk 'END { exit !($1 < $2) }'
}

@test "models of others teach; the copy of a dense teacher has nothing to learn of it" {
    for m in t5v10_tiny t5v11_tiny; do
        switch-distill -T "$DATA/golden/$m/model" -t "$DATA/train/aa.ex" -o "$m" -b 8 -n 1 -f 1 --z-loss 0 -q
        column $m/metrics.tsv grad_norm | awk '$1 > 1e-5 { exit 1 }'
    done
    switch-distill -T "$DATA/golden/switch_tiny/model" -t "$DATA/train/aa.ex" -o switch -b 8 -n 1 -f 1 -q
    column switch/metrics.tsv grad_norm | awk '$1 < 1e-2 { exit 1 }'
}

@test "all words cached: the bytes of a run beside the teacher" {
    distill --dropout 0.1
    cache all.logits --top 96
    mv run beside
    distill --dropout 0.1 --cache all.logits
    figures beside | diff - <(figures run)
    (cd beside/step-00000006 && sha256sum model* optimizer*) >sums
    (cd run/step-00000006 && sha256sum -c --quiet) <sums
    # without the teacher at all, and in microbatches: by rows that are cached
    mv run with
    switch-distill --cache all.logits --config beside/step-00000006 --train "$DATA/train/aa.ex" \
        --out run "${usual[@]}" --dropout 0.1
    switch-distill --cache all.logits --config beside/step-00000006 --train "$DATA/train/aa.ex" \
        --out micro "${usual[@]}" --dropout 0.1 --microbatch 2
    close <(column run/metrics.tsv soft) <(column micro/metrics.tsv soft)
}

@test "a few words cached: a lower soft loss, the rest as one; more words, closer" {
    distill
    column run/metrics.tsv soft >soft.96
    for k in 1 8 48; do
        cache top.logits -k $k
        rm -r run
        distill --cache top.logits
        column run/metrics.tsv soft >soft.$k
    done
    # at the first step, where all students are the same
    paste soft.1 soft.8 soft.48 soft.96 |
        awk 'NR == 1 { exit !(0 < $1 && $1 < $2 && $2 < $3 && $3 < $4) }'
}

@test "resumed, it gives the bytes of a run that was not stopped" {
    distill --save-every 3 --keep 0
    mv run whole
    distill --steps 3
    distill
    diff -r whole/step-00000006 run/step-00000006
    figures whole | diff - <(figures run)
    [ "$(jq -r .teacher run/step-00000006/state.json | cut -d' ' -f2-)" = "share 0.25 tau 1" ]
}

@test "another teacher, share or temperature does not go on" {
    distill --steps 2
    exits 1 distill -f 0.3
    [[ $output == *"another teacher ("*"share 0.25 tau 1, now "*"share 0.3 tau 1)"* ]]
    exits 1 distill --tau 2
    exits 1 distill --teacher "$BATS_FILE_TMPDIR/teacher" --cache <(:)
    switch-pretrain --config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" --out other \
        --batch 8 --group-rows 2 --steps 1 -q
    exits 1 distill --teacher other
    [[ $output == *"another teacher"* ]]
    exits 1 switch-pretrain --config run/step-00000002 --train "$DATA/train/aa.ex" --out run "${usual[@]}"
    [[ $output == *"another teacher"*"now none"* ]]
}

@test "a wrong cache is refused" {
    cache a.logits -k 4
    for o in "--steps 7" "--tau 2" "--steps 5 --train $DATA/train/bb.ex"; do
        # shellcheck disable=SC2086
        exits 1 distill --cache a.logits $o
        [[ $output == "switch-distill: a.logits: "* ]]
        [ "$(ls -A run)" = "" ]
    done
    jq '.vocab_size = 97' "$DATA/train/tiny.json" >wide.json
    exits 1 distill --cache a.logits --weights draw --config wide.json
    [[ $output == *"vocab_size is 96, the student's 97"* ]]
    exits 1 distill --weights draw --config wide.json
    exits 1 distill --cache "$DATA/train/aa.ex"
    [[ $output == *"a shard of examples, not of logits"* ]]
    printf x | dd of=a.logits bs=1 seek=2000 conv=notrunc status=none
    exits 1 distill --cache a.logits
    exits 1 distill --cache nowhere
}

@test "a cache in parts: cat joins them, in order and of one kind" {
    cache whole.logits -k 4
    cache a.logits -k 4 --steps 2
    cache b.logits -k 4 --first-step 2
    cache c.logits -k 5 --first-step 2
    cat a.logits b.logits >parts.logits
    distill --cache whole.logits
    mv run whole
    distill --cache parts.logits
    diff -r whole/step-00000006 run/step-00000006
    for other in "b.logits a.logits" "a.logits c.logits" "a.logits a.logits b.logits" b.logits a.logits; do
        # shellcheck disable=SC2086
        cat $other >bad.logits
        exits 1 distill --cache bad.logits
        [[ $output == "switch-distill: bad.logits: "* ]]
    done
    exits 2 cache x --first-step 6
    exits 2 distill --first-step 1
}

@test "a cache is a shard: listed, checked, shown; not cut or shuffled" {
    cache a.logits -k 4
    shard check a.logits
    shard ls a.logits | grep -q "logits	48	360	"
    [ "$(shard head -n 1 a.logits | tr -cd '|' | wc -c)" -eq 4 ] # 5 targets
    shard head -n 1 a.logits | tr '|' '\n' | awk 'NF != 4 { exit 1 }'
    for command in "merge -o b" "shuffle -o b" "export -f tfrecord -o b"; do
        # shellcheck disable=SC2086
        refuses shard $command a.logits
        [ ! -e b ]
    done
    cat a.logits a.logits >b.logits
    exits 1 distill --cache b.logits
    [[ $output == *"segment 1: its first row is 0, not 48" ]]
    printf x | dd of=a.logits bs=1 seek=2000 conv=notrunc status=none
    refuses shard check a.logits
}

@test "another student: a narrower one learns, but cannot inherit" {
    jq '.d_model = 8 | .model_type = "t5"' "$DATA/train/tiny.json" >narrow.json
    exits 1 distill --config narrow.json
    [[ $output == *"not to be inherited"* ]]
    rm -rf run
    distill --config narrow.json --weights draw
    mv run first
    distill --config narrow.json --weights first --steps 1 # or begins with weights of its own
    [ -e run/step-00000001 ]
}

@test "the same on 1, 2 and 3 ranks, beside the teacher and by a cache" {
    need_ranks
    distill
    column run/metrics.tsv loss >want
    for n in 2 3; do
        mv run "run.$n"
        ranks "$n" switch-distill --teacher "$BATS_FILE_TMPDIR/teacher" --train "$DATA/train/aa.ex" \
            --out run "${usual[@]}"
        close want <(column run/metrics.tsv loss)
        ranks "$n" switch-distill --teacher "$BATS_FILE_TMPDIR/teacher" --train "$DATA/train/aa.ex" \
            --write-cache "$n.logits" -k 96 "${usual[@]}"
        ranks "$n" switch-distill --cache "$n.logits" --teacher "$BATS_FILE_TMPDIR/teacher" \
            --train "$DATA/train/aa.ex" --out "cached.$n" "${usual[@]}"
        close want <(column "cached.$n/metrics.tsv" loss)
        # the weights are the same teacher's, however they are divided
        jq -r .teacher run/step-00000006/state.json >name
        jq -r .teacher run.2/step-00000006/state.json | cmp - name
    done
}

@test "a task: rows of pairs" {
    awk 'BEGIN { srand(3); split("ba ke ti sto ne ri mo lu", w)
        for (i = 0; i < 96; i++) {
            s = ""; for (j = 0; j < 6; j++) s = s " " w[1 + int(rand() * 8)]
            print substr(s, 2) "\t" (s ~ /ba/ ? "yes" : "no") } }' >yesno
    tr '\t' '\n' <yesno >text
    spm_train --input=text --model_prefix=v --vocab_size=40 --pad_id=0 --eos_id=1 --unk_id=2 \
        --bos_id=-1 --hard_vocab_limit=false 2>/dev/null
    pack-pairs -q -m v.model --inputs 32 --targets 8 -o pairs.ex yesno
    n=$(head -c 4000 pairs.ex | grep -a -m 1 ^vocab.size= | cut -d= -f2)
    jq --argjson n "$n" '.vocab_size = $n' "$DATA/train/tiny.json" >tiny.json
    mix-langs -o mix.tsv pairs.ex
    switch-pretrain -c tiny.json -t mix.tsv -o teacher --steps 20 --warmup 100 -b 8 -q
    switch-distill -T teacher -t mix.tsv -o run --eval pairs.ex --steps 20 --warmup 100 -b 8 -q
    column run/metrics.tsv hard | awk 'NR == 1 { a = $1 } END { exit !($1 < a) }'
    [ "$(tail -n 1 run/eval.tsv | cut -f1,2)" = "20	all" ]
}

@test "misuse, a stop, a full disk" {
    exits 2 switch-distill
    exits 2 distill operand
    exits 2 distill --soft-share 2
    exits 2 distill --tau 0
    exits 2 distill --write-cache x
    exits 2 switch-distill --train "$DATA/train/aa.ex" --out run
    exits 2 switch-distill --train "$DATA/train/aa.ex" --cache x --out run
    exits 2 switch-distill --train "$DATA/train/aa.ex" --cache x --config t5-small --weights teacher --out run
    exits 2 switch-distill --teacher x --train "$DATA/train/aa.ex" --cache x --write-cache y
    refuses switch-distill --teacher nowhere --train "$DATA/train/aa.ex" --out run "${usual[@]}"
    exits 1 cache /dev/full
    exits 1 cache nowhere/file
    exits 1 cache big.logits --steps 100
    [[ $output == *"64 rows, but 800 are needed"* ]]
    [ ! -e big.logits ]
}

@test "any mesh: the same losses, the same teacher" {
    need_ranks
    local mesh
    distill
    column run/metrics.tsv loss >want
    jq -r .teacher run/step-00000006/state.json >name
    cache some.logits -k 8
    distill --cache some.logits --out run.cached
    column run.cached/metrics.tsv loss >want.cached
    for mesh in model=2 expert=1 data=2,model=2,expert=1; do
        n=2
        [ $mesh = data=2,model=2,expert=1 ] && n=4
        ranks $n switch-distill --teacher "$BATS_FILE_TMPDIR/teacher" --train "$DATA/train/aa.ex" \
            --out "run.$mesh" "${usual[@]}" --mesh $mesh
        close want <(column "run.$mesh/metrics.tsv" loss)
        jq -r .teacher "run.$mesh/step-00000006/state.json" | cmp - name
    done
    ranks 2 switch-distill --teacher "$BATS_FILE_TMPDIR/teacher" --train "$DATA/train/aa.ex" \
        --out sliced "${usual[@]}" --mesh model=2 --cache some.logits
    close want.cached <(column sliced/metrics.tsv loss)
}

@test "a cache written by slices: the same words, the same losses" {
    need_ranks
    local mesh n how k
    for k in 8 60 96; do    # of 96 words, 48 to a slice of two
        cache one.logits -k $k --tau 1.5
        distill --cache one.logits --tau 1.5 --out one
        for mesh in "2 model=2" "4 data=2,model=2"; do
            read -r n how <<<"$mesh"
            ranks "$n" switch-distill --teacher "$BATS_FILE_TMPDIR/teacher" \
                --train "$DATA/train/aa.ex" --write-cache many.logits "${usual[@]}" -k $k --tau 1.5 \
                --mesh "$how"
            shard cat -t many.logits | diff <(shard cat -t one.logits) -
            distill --cache many.logits --tau 1.5 --out many
            close <(column one/metrics.tsv loss) <(column many/metrics.tsv loss)
            rm -r many
        done
        rm -r one
    done
}

@test "bf16: the student's products are of what it inherits" {
    distill --steps 1
    mv run fp32
    distill --steps 1 --precision bf16
    # before the first update, a mean over many products: their rounding, 2^-9 each, averages out
    paste <(column fp32/metrics.tsv loss) <(column run/metrics.tsv loss) |
        awk '{ exit $1 == $2 || ($1 - $2) ^ 2 > ($1 / 1024) ^ 2 }'
}
