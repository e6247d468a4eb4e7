#!/usr/bin/env bats
# Rows of experts in chunks beside the experts' work, in one piece, and in two steps where ranks are
# as if on several machines: the same bytes.
load ../helper
# shellcheck source=../../shell/lib.sh
. "$root/shell/lib.sh"

train() { # NAME N OPTION...: a small run on N ranks into ./NAME
    local name=$1 n=$2
    shift 2
    ranks "$n" switch-pretrain --config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" \
        --out "$name" --batch 8 --group-rows 2 --steps 3 --warmup 100 -q "$@"
}

same() { # A B: losses and checkpoints
    diff <(cut -f 1,3-11 "$1/metrics.tsv") <(cut -f 1,3-11 "$2/metrics.tsv")
    diff -r "$1/step-00000003" "$2/step-00000003"
}

# On N ranks at once, in 2 chunks, in as many as each has experts: on one machine, and as if on
# machines of half of them, between which gradients are summed in another order
alike() { # N OPTION...
    local n=$1 node chunks
    shift
    for node in 0 $((n / 2)); do
        [ "$node" -ne 1 ] || continue
        export SWITCHYARD_NODE_RANKS=$node
        rm -rf whole
        SWITCHYARD_CHUNKS=1 train whole "$n" "$@"
        for chunks in 2 9; do
            rm -rf other
            SWITCHYARD_CHUNKS=$chunks train other "$n" "$@"
            same whole other || {
                echo "$n ranks, $*, $chunks chunks, $node ranks a machine"
                return 1
            }
        done
    done
}

@test "2 and 4 ranks, in each precision" {
    for precision in fp32 bf16 bf16-all; do
        alike 2 --precision $precision --expert-dropout 0.1
        alike 4 --precision $precision --expert-dropout 0.1
    done
}

@test "slices of experts" {
    for precision in fp32 bf16; do
        alike 4 --precision $precision --mesh data=2,model=2 --expert-dropout 0.1
        alike 8 --precision $precision --mesh data=4,model=2
    done
}

@test "experts in self-attention, second choices, blocks made again, no room" {
    alike 4 --attention-encoder all --attention-decoder 0 --attention-width 20
    alike 4 --mesh data=2,model=2 --attention-encoder all --attention-width 0
    alike 4 --router top2 --precision bf16 --remat block
    alike 4 --router ntlb --capacity-factor 0.1 --min-capacity 1
}

@test "more ranks than rows, and than experts of a number that does not divide" {
    alike 4 --batch 2
    jq '.num_experts = 7' "$DATA/train/tiny.json" >seven.json
    alike 4 --config seven.json --precision bf16
    jq '.num_experts = 3' "$DATA/train/tiny.json" >three.json
    alike 2 --config three.json
}

@test "all ranks do as the first was told" {
    cat >said <<'END'
#!/bin/sh
SWITCHYARD_CHUNKS=$((OMPI_COMM_WORLD_RANK + 1)) exec switch-pretrain "$@"
END
    chmod +x said
    train whole 2
    ranks 2 ./said --config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" --out other \
        --batch 8 --group-rows 2 --steps 3 --warmup 100 -q --timeout 30
    same whole other
}
