#!/usr/bin/env bats
# Switch Transformers against reference outputs and gradients, with HF's rules and with ours.
load ../helper
load probe

@test "HF's rules, nothing dropped: outputs, routing, gradients" {
    probe switch_tiny switch_tiny -- --hf-compat --train-loss
    agrees switch_tiny outputs grads_paper_loss
}

@test "HF's rules, two sparse blocks a stack, tokens dropped, idle experts" {
    probe switch_deep switch_deep -- --hf-compat --train-loss
    agrees switch_deep outputs grads_paper_loss
}

@test "HF's rules, a third of the tokens dropped" {
    probe switch_overflow switch_overflow -- --hf-compat --train-loss
    agrees switch_overflow outputs grads_paper_loss
}

@test "our rules: one group of all rows" {
    probe switch_tiny paper_switch -- --train-loss --group-rows 4
    agrees paper_switch groups1_cf1.25.outputs groups1_cf1.25.grads
}

@test "our rules: two groups, a tight capacity" {
    probe switch_tiny paper_switch -- --train-loss --group-rows 2 --capacity-factor 1 \
        --min-capacity 1
    agrees paper_switch groups2_cf1.0_min1.outputs groups2_cf1.0_min1.grads
}

@test "our rules: a group a row, a wide capacity" {
    probe switch_tiny paper_switch -- --train-loss --capacity-factor 2
    agrees paper_switch groups4_cf2.0.outputs groups4_cf2.0.grads
}
