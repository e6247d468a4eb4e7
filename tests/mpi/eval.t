#!/usr/bin/env bats
# switch-eval on 1 to 4 ranks: the same table; a rank that fails ends all
load ../helper
# shellcheck source=../../shell/lib.sh
. "$root/shell/lib.sh"

setup() {
    need_ranks
    cd "$BATS_TEST_TMPDIR" || return 1
    switch-pretrain --config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" --out run \
        --batch 8 --group-rows 2 --steps 4 --warmup 100 -q
}

@test "the same on any number of ranks" {
    for n in 1 2 3 4; do
        ranks "$n" switch-eval run --lang-dir "$DATA/train" --group-rows 2 -e "experts$n" -o "loss$n"
        cmp experts1 "experts$n"
        # rows, targets, drops are counts; the losses are sums of doubles over rows of floats
        paste loss1 "loss$n" | awk -F'\t' '
            NR > 1 { d = $4 - $13; if ($1 != $10 || $2 != $11 || $3 != $12 || $7 != $16 || d * d > 1e-10) exit 1 }'
    done
}

@test "damage ends all ranks with one message" {
    truncate -s 1000 run/step-00000004/expert-00005.safetensors
    exits 1 ranks 2 switch-eval run "$DATA/train/aa.ex"
    [[ $output == *"expert-00005.safetensors"* ]]
}
