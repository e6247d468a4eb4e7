#!/usr/bin/env bats
# The same batch on 1, 2, 3 and 4 ranks, rows and experts divided: the reference's outputs,
# routing and gradients each time. With fewer groups than ranks some ranks have no rows, on 3
# ranks the experts do not divide evenly, on 6 some ranks have no expert.
load ../helper
# shellcheck source=../golden/probe.bash
. "$root/tests/golden/probe.bash"
# shellcheck source=../../shell/lib.sh
. "$root/shell/lib.sh"

on_ranks() { # CASE OPTION...
    local case=$1 n
    shift
    for n in 1 2 3 4 6; do
        rm -f got.safetensors
        probe switch_tiny paper_switch ranks "$n" -- --train-loss "$@"
        agrees paper_switch "$case.outputs" "$case.grads"
    done
}

@test "one group of all rows" {
    on_ranks groups1_cf1.25 --group-rows 4
}

@test "two groups, a tight capacity" {
    on_ranks groups2_cf1.0_min1 --group-rows 2 --capacity-factor 1 --min-capacity 1
}

@test "a group a row, a wide capacity" {
    on_ranks groups4_cf2.0 --capacity-factor 2
}

@test "dropout and jitter do not depend on the ranks" {
    local noise=(--dropout 0.2 --expert-dropout 0.4 --jitter 0.3 --seed 7)
    probe switch_tiny paper_switch ranks 1 -- --train-loss "${noise[@]}"
    mv got.safetensors want.safetensors
    for n in 2 3 4 6; do
        probe switch_tiny paper_switch ranks "$n" -- --train-loss "${noise[@]}"
        "$compare" "$golden/paper_switch/inputs.safetensors" want.safetensors got.safetensors
    done
    probe switch_tiny paper_switch ranks 2 -- --train-loss "${noise[@]}" --seed 8
    exits 1 "$compare" "$golden/paper_switch/inputs.safetensors" want.safetensors got.safetensors
}

@test "variants of the router do not depend on the ranks" {
    local how
    for how in "--router top2 --second random --second-loss" "--router top2 --second threshold" \
        "--router ntlb --choices 3 --capacity-factor 0.7 --min-capacity 1 --group-rows 2" \
        "--explore sample" "--explore dropout" "--capacity-rule none" \
        "--router ntlb --router-precision bfloat16"; do
        # shellcheck disable=SC2086
        probe switch_tiny paper_switch ranks 1 -- --train-loss $how --seed 7
        mv got.safetensors want.safetensors
        for n in 2 4; do
            # shellcheck disable=SC2086
            probe switch_tiny paper_switch ranks "$n" -- --train-loss $how --seed 7
            "$compare" "$golden/paper_switch/inputs.safetensors" want.safetensors got.safetensors
        done
        probe switch_tiny paper_switch ranks 2 -- --train-loss # it does do something
        exits 1 "$compare" "$golden/paper_switch/inputs.safetensors" want.safetensors \
            got.safetensors
    done
}

@test "HF's rules, where one rank has all rows" {
    probe switch_deep switch_deep ranks 3 -- --hf-compat --train-loss
    agrees switch_deep outputs grads_paper_loss
}

@test "a rank that fails ends all" {
    mkdir broken
    cp "$DATA/golden/switch_tiny/model/config.json" broken
    head -c 1000 "$DATA/golden/switch_tiny/model/model.safetensors" >broken/model.safetensors
    exits 1 ranks 2 switch-probe -m broken -i "$DATA/golden/paper_switch/inputs.safetensors" -o out
    [[ $output == *"switch-probe: broken/model.safetensors: "* ]]
    [ ! -e out ]
}
