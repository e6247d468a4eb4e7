#!/usr/bin/env bats
# Dense T5 against reference outputs and gradients.
load ../helper
load probe

@test "T5 1.0, tied, ReLU: outputs and gradients" {
    probe t5v10_tiny t5v10_tiny -- --hf-compat
    agrees t5v10_tiny outputs grads_hf_loss
    probe t5v10_tiny t5v10_tiny -- --hf-compat --train-loss
    agrees t5v10_tiny outputs grads_paper_loss
}

@test "T5 1.1, untied, gated: outputs and gradients" {
    probe t5v11_tiny t5v11_tiny -- --hf-compat
    agrees t5v11_tiny outputs grads_hf_loss
    probe t5v11_tiny t5v11_tiny -- --hf-compat --train-loss
    agrees t5v11_tiny outputs grads_paper_loss
}

@test "unequal stacks, long rows, heads wider than the model: outputs and gradients" {
    probe t5v11_asym t5v11_asym -- --hf-compat
    agrees t5v11_asym outputs grads_hf_loss
    probe t5v11_asym t5v11_asym -- --hf-compat --train-loss
    agrees t5v11_asym outputs grads_paper_loss
}

@test "packed rows: outputs and gradients" {
    probe t5v11_tiny packed_dense -- --train-loss
    agrees packed_dense outputs grads
}

@test "the comparison itself can fail" {
    probe t5v11_tiny packed_dense --
    run agrees packed_dense grads # of the loss with z
    [ "$status" -eq 1 ]
    [[ $output == *"compare: grad."* ]]
    run agrees packed_dense outputs # loss.z is 0 here
    [ "$status" -eq 1 ]
    [[ $output == *"compare: loss.z"* ]]
}
