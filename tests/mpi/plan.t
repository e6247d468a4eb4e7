#!/usr/bin/env bats
# switch-plan against switch-pretrain: bytes of a rank as predicted and as measured
load ../helper
export SWITCHYARD_SHARE=$root/share

setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    jq '.vocab_size = 32128 | .d_model = 256 | .d_ff = 768 | .d_kv = 64 | .num_heads = 4
        | .num_experts = 4' "$DATA/train/tiny.json" >switch.json
    jq '.num_sparse_encoder_layers = 0 | .num_sparse_decoder_layers = 0' switch.json >dense.json
}

# within5 RANKS CONFIG OPTION...: the plan's bytes are those of the run, give or take 5 %
within5() {
    local n=$1 config=$BATS_FILE_TMPDIR/$2.json predicted measured
    local start=(mpirun --oversubscribe --bind-to none -n "$1")
    shift 2
    [ "$n" -gt 1 ] || start=()
    predicted=$(switch-plan -n "$n" --inputs 24 --targets 12 --group-rows 4 "$@" "$config" |
        awk -F'\t' '$1 == "rank.memory" { print $2 }')
    "${start[@]}" switch-pretrain -c "$config" -t "$DATA/train/aa.ex" -o run -n 2 -j 1 -q \
        --resume never --group-rows 4 --profile "$@" 2>said
    measured=$(awk -F'\t' '$1 == "memory" { print $2 }' said)
    rm -r run
    [ -n "$measured" ] || skip "this system does not say how much memory a process has"
    awk -v p="$predicted" -v m="$measured" 'BEGIN { exit !(p > 0.95 * m && p < 1.05 * m) }' || {
        echo "$n ranks, $config $*: $predicted bytes predicted, $measured measured"
        return 1
    }
}

@test "memory of one rank is as predicted" {
    within5 1 dense -b 8
    within5 1 switch -b 8
    within5 1 switch -b 8 --precision bf16 --remat block
}

@test "memory of two ranks is as predicted" {
    within5 2 dense -b 16
    within5 2 switch -b 16
    within5 2 switch -b 8 --mesh model=2
    within5 2 switch -b 8 --mesh model=2 --attention-encoder all --attention-decoder 1
    within5 2 switch -b 8 --mesh model=2 --attention-encoder all --attention-width 0
}

@test "memory of four ranks is as predicted" {
    within5 4 switch -b 16 --mesh data=2,model=2 --precision bf16
}
