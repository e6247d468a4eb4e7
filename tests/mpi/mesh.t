#!/usr/bin/env bats
# Meshes of ranks: rows, slices of the model and experts divided in every way give the outputs,
# gradients, losses and checkpoints of one rank.
load ../helper
# shellcheck source=../golden/probe.bash
. "$root/tests/golden/probe.bash"
# shellcheck source=../../shell/lib.sh
. "$root/shell/lib.sh"

@test "dense, sliced: the reference's outputs and gradients" {
    for mesh in "2 model=2" "4 data=2,model=2" "4 model=4"; do
        read -r n how <<<"$mesh"
        probe t5v11_tiny packed_dense ranks "$n" -- --train-loss --mesh "$how"
        agrees packed_dense outputs grads
    done
    probe t5v10_tiny t5v10_tiny ranks 4 -- --hf-compat --train-loss --mesh model=4
    agrees t5v10_tiny outputs grads_paper_loss
    probe t5v11_asym t5v11_asym ranks 3 -- --hf-compat --train-loss --mesh model=3
    agrees t5v11_asym outputs grads_paper_loss
}

on_meshes() { # CASE OPTION...
    local case=$1 mesh n how
    shift
    for mesh in "2 model=2" "4 data=2,model=2" "4 data=2,model=2,expert=1" "4 data=4,expert=2" \
        "2 expert=1" "8 data=8" "6 data=3,model=2"; do
        read -r n how <<<"$mesh"
        rm -f got.safetensors
        probe switch_tiny paper_switch ranks "$n" -- --train-loss --mesh "$how" "$@"
        agrees paper_switch "$case.outputs" "$case.grads"
    done
}

@test "experts, two groups: the reference's outputs, routing and gradients on any mesh" {
    on_meshes groups2_cf1.0_min1 --group-rows 2 --capacity-factor 1 --min-capacity 1
}

@test "experts, four groups: the same" {
    on_meshes groups4_cf2.0 --capacity-factor 2
}

@test "variants of the router do not depend on the mesh" {
    local how mesh
    for how in "--router top2 --second random --second-loss" \
        "--router ntlb --choices 3 --capacity-factor 0.7 --min-capacity 1" "--explore sample" \
        "--router top2 --explore sample" "--capacity-rule none --explore dropout"; do
        # shellcheck disable=SC2086
        probe switch_tiny paper_switch ranks 1 -- --train-loss $how --seed 7
        mv got.safetensors want.safetensors
        for mesh in data=2,model=2 data=4,expert=2; do
            # shellcheck disable=SC2086
            probe switch_tiny paper_switch ranks 4 -- --train-loss $how --seed 7 --mesh $mesh
            "$compare" "$golden/paper_switch/inputs.safetensors" want.safetensors got.safetensors
        done
    done
}

@test "experts over several machines: the same" {
    export SWITCHYARD_NODE_RANKS=2
    for mesh in "4 data=4" "8 data=4,model=2"; do
        read -r n how <<<"$mesh"
        probe switch_tiny paper_switch ranks "$n" -- --train-loss --capacity-factor 2 --mesh "$how"
        agrees paper_switch groups4_cf2.0.outputs groups4_cf2.0.grads
    done
    # rows in two steps, or an expert at a time beside its work: the same bytes
    SWITCHYARD_NODE_RANKS=2 probe switch_tiny paper_switch ranks 4 -- --train-loss --expert-dropout 0.1
    mv got.safetensors steps.safetensors
    SWITCHYARD_NODE_RANKS=4 probe switch_tiny paper_switch ranks 4 -- --train-loss --expert-dropout 0.1
    cmp steps.safetensors got.safetensors
}

@test "dropout and jitter of experts do not depend on the mesh" {
    local noise=(--dropout 0.2 --expert-dropout 0.4 --jitter 0.3 --seed 7)
    probe switch_tiny paper_switch ranks 1 -- --train-loss "${noise[@]}"
    mv got.safetensors want.safetensors
    for how in model=2 data=4,expert=2; do
        probe switch_tiny paper_switch ranks 4 -- --train-loss "${noise[@]}" --mesh "$how"
        "$compare" "$golden/paper_switch/inputs.safetensors" want.safetensors got.safetensors
    done
}

@test "dropout does not depend on slices" {
    probe t5v11_tiny packed_dense ranks 1 -- --train-loss --dropout 0.3 --seed 5
    mv got.safetensors want.safetensors
    for mesh in "2 model=2" "4 data=2,model=2" "4 model=4"; do
        read -r n how <<<"$mesh"
        probe t5v11_tiny packed_dense ranks "$n" -- --train-loss --dropout 0.3 --seed 5 --mesh "$how"
        "$compare" "$golden/packed_dense/inputs.safetensors" want.safetensors got.safetensors
    done
}

train() { # RANKS MESH CONFIG OPTION...: a small run into ./run
    local n=$1 mesh=$2 config=$3
    shift 3
    ranks "$n" switch-pretrain --mesh "$mesh" --config "$config" --train "$DATA/train/aa.ex" \
        --out run --batch 12 --group-rows 2 --steps 5 --warmup 100 --optimizer-min-dim 16 -q "$@"
}

# Sums in another order differ by 1e-5 relative at most; Adafactor's steps, which do not depend on
# a gradient's size, carry that on for 5 steps: 1e-4.
agree() { # DIR DIR: losses, gradient norms, drops
    paste <(cut -f 1,4,9,10 "$1/metrics.tsv") <(cut -f 1,4,9,10 "$2/metrics.tsv") | awk '
        function far(x, y) { return (x > y ? x - y : y - x) > 1e-4 * y }
        NR > 1 && ($1 != $5 || far($2, $6) || far($3, $7) || $4 != $8) { print; bad = 1 }
        END { exit bad || NR != 6 }'
}

dense() {
    jq '.model_type = "t5" | del(.num_experts, .encoder_sparse_step, .decoder_sparse_step,
        .num_sparse_encoder_layers, .num_sparse_decoder_layers) | .num_heads = 4 |
        .architectures = ["T5ForConditionalGeneration"]' "$DATA/train/tiny.json" >dense.json
}

@test "dense training: any mesh, the same losses and evaluations" {
    dense
    train 1 data=1 dense.json --eval "$DATA/train"
    mv run one
    for mesh in "2 data=2" "2 model=2" "4 data=2,model=2" "4 model=4"; do
        read -r n how <<<"$mesh"
        train "$n" "$how" dense.json --eval "$DATA/train"
        agree one run
        paste one/eval.tsv run/eval.tsv | awk '
            NR > 1 && ($2 != $6 || $4 != $8 || ($3 - $7) ^ 2 > (1e-4 * $3) ^ 2) { exit 1 }'
        rm -r run
    done
    ranks 1 switch-eval -o table1 one "$DATA/train/aa.ex"
    ranks 4 switch-eval --mesh model=2 -o table one "$DATA/train/aa.ex"
    paste table1 table | awk 'NR > 1 && ($3 != $12 || ($4 - $13) ^ 2 > 1e-10) { print; exit 1 }'
}

@test "sparse training: any mesh, the same losses; resumed under another" {
    train 1 data=1 "$DATA/train/tiny.json" --eval "$DATA/train"
    mv run one
    for mesh in "2 model=2" "4 data=2,model=2" "4 data=4,expert=2" "4 data=2,model=2,expert=1"; do
        read -r n how <<<"$mesh"
        train "$n" "$how" "$DATA/train/tiny.json" --eval "$DATA/train"
        agree one run
        paste one/eval.tsv run/eval.tsv | awk '
            NR > 1 && ($2 != $6 || $4 != $8 || ($3 - $7) ^ 2 > (1e-4 * $3) ^ 2) { exit 1 }'
        diff <(ls one/step-00000005) <(ls run/step-00000005)
        rm -r run
    done
    train 4 model=2 "$DATA/train/tiny.json" --steps 2
    train 2 expert=1 "$DATA/train/tiny.json" --steps 4
    train 1 data=1 "$DATA/train/tiny.json"
    agree one run
}

@test "attention by experts: any mesh, the same outputs, gradients and losses" {
    local blocks=(--attention-encoder all --attention-decoder 1) width inputs
    inputs=$golden/paper_switch/inputs.safetensors
    for width in 32 0; do
        train 1 data=1 "$DATA/train/tiny.json" "${blocks[@]}" --attention-width $width
        mv run one
        switch-probe --grads --train-loss -m one/step-00000005 -i "$inputs" -o want --dropout 0.2 \
            --expert-dropout 0.3 --seed 3
        for mesh in "2 model=2" "4 data=2,model=2" "4 data=2,model=2,expert=1"; do
            read -r n how <<<"$mesh"
            ranks "$n" switch-probe --grads --train-loss -m one/step-00000005 -i "$inputs" -o got \
                --dropout 0.2 --expert-dropout 0.3 --seed 3 --mesh "$how"
            "$compare" "$inputs" want got
            train "$n" "$how" "$DATA/train/tiny.json" "${blocks[@]}" --attention-width $width
            agree one run
            diff <(ls one/step-00000005) <(ls run/step-00000005)
            rm -r run
        done
        train 2 model=2 "$DATA/train/tiny.json" "${blocks[@]}" --attention-width $width --steps 2
        train 1 data=1 "$DATA/train/tiny.json" "${blocks[@]}" --attention-width $width
        agree one run
        rm -r run one
    done
    exits 2 train 2 model=2 "$DATA/train/tiny.json" "${blocks[@]}" --attention-width 31
    [[ $output == *"model=2 does not divide the 31 hidden units of attention of the model"* ]]
}

@test "first weights do not depend on the mesh; a checkpoint is resumed under any" {
    dense
    train 1 data=1 dense.json --lr 0 --steps 1
    mv run one
    train 4 data=2,model=2 dense.json --lr 0 --steps 1
    cmp one/step-00000001/model-shared.safetensors run/step-00000001/model-shared.safetensors
    diff <(ls one/step-00000001) <(ls run/step-00000001)
    rm -r run
    train 1 data=1 dense.json
    mv run whole
    train 2 model=2 dense.json --steps 2
    train 4 data=2,model=2 dense.json --steps 4
    train 1 data=1 dense.json
    agree whole run
}

@test "a mesh that does not fit: exit 2, one message" {
    dense
    exits 2 train 2 data=3 dense.json
    [ "$(grep -c 'switch-pretrain: mesh' <<<"$output")" = 1 ]
    exits 2 train 3 model=3 dense.json
    [[ $output == *"mesh: model=3 does not divide the 4 heads of the model"* ]]
    exits 2 train 1 rows=2 dense.json
    exits 2 train 1 data=1,data=1 dense.json
    exits 2 train 1 data=0 dense.json
    exits 2 ranks 2 switch-probe --mesh model=3 -m "$golden/t5v10_tiny/model" \
        -i "$golden/t5v10_tiny/inputs.safetensors" -o got
}

@test "six steps of the reference's training on any mesh" {
    cd "$root" || return 1
    for mesh in "2 data=2" "2 model=2" "4 data=2,model=2" "4 model=4" "4 data=4,expert=1"; do
        read -r n how <<<"$mesh"
        TEST_MESH=$how exits 0 ranks "$n" build/release/tests/unit/train/test_loop
    done
}

@test "owners of tensors: any mesh loads and saves the bytes of one rank" {
    dir=$PWD
    cd "$root" || return 1
    TEST_DIR=$dir exits 0 ranks 1 build/release/tests/unit/optim/test_spread
    for mesh in "2 data=2" "2 expert=1" "4 model=2" "4 model=2,expert=1" "3 data=3"; do
        read -r n how <<<"$mesh"
        TEST_DIR=$dir TEST_MESH=$how exits 0 ranks "$n" build/release/tests/unit/optim/test_spread
        rm -r "$dir/again"
    done
    # as on machines of a rank, and of two: by messages, which move during the backward pass
    for mesh in "1 2 data=2" "1 4 model=2,expert=1" "2 4 data=4"; do
        read -r node n how <<<"$mesh"
        SWITCHYARD_NODE_RANKS=$node TEST_DIR=$dir TEST_MESH=$how \
            exits 0 ranks "$n" build/release/tests/unit/optim/test_spread
        rm -r "$dir/again"
    done
}
