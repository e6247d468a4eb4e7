#!/usr/bin/env bats
# switch-pretrain: what a run leaves, resuming, stopping, refusals, full disks
load ../helper
export SWITCHYARD_SHARE=$root/share

train() { # OPTION...: a small run into ./run
    switch-pretrain --config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" --out run \
        --batch 8 --group-rows 2 --steps 6 --warmup 100 -q "$@"
}

column() { # FILE NAME: the column called NAME
    awk -F'\t' -v n="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == n) c = i; next } { print $c }' \
        "$1"
}

@test "a run leaves metrics, evaluations and the newest checkpoints" {
    train --eval "$DATA/train" --eval-every 4 --save-every 2 --keep 2
    [ "$(column run/metrics.tsv step | paste -sd' ')" = "0 1 2 3 4 5" ]
    [ "$(column run/eval.tsv step | uniq | paste -sd' ')" = "4 6" ]
    [ "$(column run/eval.tsv lang | head -3 | paste -sd' ')" = "aa bb all" ]
    [ "$(column run/eval.tsv targets | head -3 | paste -sd' ')" = "480 300 780" ]
    [ "$(echo run/step-*)" = "run/step-00000004 run/step-00000006" ]
    [ "$(jq .next_row run/step-00000006/state.json)" = 48 ]
    # it learns, and the balance loss of 2 layers is near 2
    column run/metrics.tsv loss | awk 'NR == 1 { first = $1 } { last = $1 } END { exit !(last < first) }'
    column run/metrics.tsv aux | awk '$1 < 1.9 || $1 > 8 { exit 1 }'
    # shares of time are shares
    for c in gemm exchange wait attention softmax router optimizer input dropped; do
        column run/metrics.tsv $c | awk '$1 < 0 || $1 > 1 { exit 1 }'
    done
}

@test "a profile says where the time went: parts add up to the step" {
    train --profile 2>said
    awk -F'\t' '/^(other|gemm|attention|loss|router|exchange|wait|optimizer|input)\t/ { n++; sum += $3 }
        END { exit !(n == 9 && sum > 0.95 && sum < 1.05) }' said
    # and switch-plan can predict by its rates: itself, for a start
    for part in gemm attention loss optimizer other; do
        awk -F'\t' -v p=$part '$1 == p && $4 > 0 { ok = 1 } END { exit !ok }' said
    done
    awk -F'\t' '$1 == "step" { print $2 }' said >measured
    switch-plan -b 8 --group-rows 2 --inputs 24 --targets 12 --rates said "$DATA/train/tiny.json" |
        awk -F'\t' '$1 == "seconds.step" { print $2 }' | paste measured - |
        awk '{ exit !($2 > 0.5 * $1 && $2 < 1.5 * $1) }'
    grep -q '^[0-9]* steps on this rank: [0-9.]* GFLOP of products a step' said
}

@test "a checkpoint has all tensors, by index, and nothing of time or place" {
    train
    jq -r '.weight_map | to_entries[] | .value' run/step-00000006/model.safetensors.index.json |
        sort -u >files
    (cd run/step-00000006 && ls model-shared.safetensors expert-*.safetensors) | diff - files
    mv run first
    train
    diff -r first/step-00000006 run/step-00000006
}

@test "resumed, it gives the bytes of a run that was not stopped" {
    train --save-every 3 --keep 0 --eval "$DATA/train/bb.ex" --eval-every 2
    mv run whole
    train --steps 3 --eval "$DATA/train/bb.ex" --eval-every 2
    train --eval "$DATA/train/bb.ex" --eval-every 2 --microbatch 8
    diff -r whole/step-00000006 run/step-00000006
    # the short run's own evaluation at its end stands between; the others are the same
    grep -v '^3	' run/eval.tsv | diff whole/eval.tsv -
    [ "$(column run/metrics.tsv step | paste -sd' ')" = "0 1 2 3 4 5" ]
    column whole/metrics.tsv loss >want
    column run/metrics.tsv loss | diff want -
}

@test "blocks made again give the same bytes" {
    train --dropout 0.1 --steps 3
    mv run first
    train --dropout 0.1 --steps 3 --remat block
    diff -r first/step-00000003 run/step-00000003
    column first/metrics.tsv loss >want
    column run/metrics.tsv loss | diff want -
}

@test "bf16: near fp32, resumed to the same bytes, and not mixed with fp32" {
    train --steps 6
    mv run fp32
    train --precision bf16 --save-every 3 --keep 0
    mv run whole
    train --precision bf16 --steps 3
    exits 1 train
    [[ $output == *"--precision bf16, not fp32"* ]]
    train --precision bf16
    diff -r whole/step-00000006 run/step-00000006
    # a loss is a mean over many products, each of which rounding moves by at most 2^-8
    paste <(column fp32/metrics.tsv loss) <(column run/metrics.tsv loss) |
        awk '$1 == $2 || $1 - $2 > $1 / 256 || $2 - $1 > $1 / 256 { exit 1 }'
}

@test "an evaluation is in the precision of training, routers too" {
    for how in fp32 bf16 bf16-all; do
        train --steps 2 --precision $how --eval "$DATA/train/bb.ex"
        switch-eval --group-rows 2 -b 8 --precision $how run "$DATA/train/bb.ex" >said
        column run/eval.tsv nlp | tail -1 >nlp.$how
        column said nlp | tail -1 | diff nlp.$how -
        rm -r run
    done
    exits 1 cmp -s nlp.fp32 nlp.bf16
    exits 1 cmp -s nlp.bf16 nlp.bf16-all
}

flip() { # FILE: another last byte
    perl -e 'open my $f, "+<:raw", $ARGV[0] or die; seek $f, -1, 2; read $f, my $c, 1;
        seek $f, -1, 2; print $f chr(ord($c) ^ 1); close $f' "$1"
}

@test "a byte that has changed: whoever reads all of a checkpoint says so" {
    local file run='' say='not as it was written (files.xxh128)'
    train --steps 2
    mv run sound
    local inputs=$DATA/golden/paper_switch/inputs.safetensors to=(--steps 1 -q --train "$DATA/train/aa.ex")
    readers=("switch-eval broken $DATA/train/aa.ex" "switch-probe -m broken -i $inputs -o out"
        "switch-convert -o out broken" "train --steps 1 --weights broken"
        "switch-distill --teacher broken --out out ${to[*]} --batch 8")
    for file in expert-00003.safetensors model-shared.safetensors config.json; do
        rm -rf broken && cp -r sound/step-00000002 broken
        flip "broken/$file"
        for run in "${readers[@]}"; do
            rm -rf run out
            # shellcheck disable=SC2086
            exits 1 $run
            [[ $output == *"broken/$file: $say"* || $file == config.json ]]
        done
    done
    # it may be meant: without sums nothing is checked
    rm -rf broken && cp -r sound/step-00000002 broken
    flip broken/expert-00003.safetensors
    rm broken/files.xxh128
    for run in "${readers[@]}"; do
        rm -rf run out
        # shellcheck disable=SC2086
        $run
    done
    # an expert that is not read is not checked: a dense student's first weights are the shared ones
    cp sound/step-00000002/files.xxh128 broken
    rm -rf out
    switch-distill --teacher sound --write-cache said "${to[@]}" --batch 8
    switch-distill --teacher broken --cache said --out out "${to[@]}" --batch 8
    flip broken/model-shared.safetensors
    exits 1 switch-distill --teacher broken --cache said --out out2 "${to[@]}" --batch 8
    [[ $output == *"broken/model-shared.safetensors: $say"* ]]
}

@test "rows past the checkpoint are cut, each step stands once" {
    train --save-every 2 --keep 0
    rm -r run/step-00000006
    printf '6\t0.1\tcut' >>run/metrics.tsv
    mkdir run/step-00000008.part && touch run/step-00000008.part/expert-00000.safetensors
    train
    [ "$(column run/metrics.tsv step | paste -sd' ')" = "0 1 2 3 4 5" ]
    [ ! -e run/step-00000008.part ]
}

@test "a damaged newest checkpoint is passed over, all damaged is an error" {
    train --save-every 2 --keep 0
    mv run/step-00000006 good
    cp -r good run/step-00000006
    truncate -s 50 run/step-00000006/expert-00003.safetensors
    run train
    [ "$status" -eq 0 ] && [[ $output == *"expert-00003.safetensors"*"passed over"* ]]
    diff -r good run/step-00000006
    for d in run/step-*; do truncate -s 50 "$d/model-shared.safetensors"; done
    exits 1 train
    [[ $output == *"none of its checkpoints can be loaded"* ]]
}

@test "another config, mixture, seed or rule is refused" {
    train --steps 2
    exits 1 train --seed 5
    [[ $output == *"--seed 1, not 5"* ]]
    exits 1 train --train "$DATA/train/bb.ex" --steps 4
    [[ $output == *"another mixture"* ]]
    exits 1 train --lr 0.5
    [[ $output == *"--lr 1, not 0.5"* ]]
    jq '.d_ff = 16' "$DATA/train/tiny.json" >other.json
    exits 1 train --config other.json
    [[ $output == *"another model"* ]]
    exits 1 train --resume never
    [[ $output == *"has checkpoints"* ]]
}

@test "it goes on from a named checkpoint, or begins with its weights" {
    train --steps 4
    mv run first
    train --resume first/step-00000004
    [ "$(column run/metrics.tsv step | paste -sd' ')" = "4 5" ]
    mv run second
    train --weights first --steps 1 --seed 7
    before=$(column first/metrics.tsv loss | head -1)
    column run/metrics.tsv loss | awk -v b="$before" '{ exit !($1 < b) }'
}

@test "variants of the router train, resume and are kept in config.json" {
    train --router top2 --second threshold --second-threshold 0.1 --second-loss --steps 3
    [ "$(jq -r '.router_kind, .router_second, .router_threshold' run/step-00000003/config.json |
        paste -sd' ')" = "top2 threshold 0.1" ]
    exits 1 train --router ntlb --second-loss
    [[ $output == *"another model"* ]]
    exits 1 train --router top2 --second threshold --second-threshold 0.1
    [[ $output == *"--second-loss 1, not 0"* ]]
    exits 1 train --router top2 --second threshold --second-threshold 0.1 --second-loss \
        --capacity-rule none
    [[ $output == *"--capacity-rule floor, not none"* ]]
    exits 1 train --router top2 --second threshold --second-threshold 0.1 --second-loss \
        --explore dropout
    [[ $output == *"--explore its default, not dropout"* ]]
    train --router top2 --second threshold --second-threshold 0.1 --second-loss
    column run/metrics.tsv loss | awk 'NR == 1 { a = $1 } { b = $1 } END { exit !(NR == 6 && b < a) }'
    rm -r run
    train --router ntlb --choices 8 --capacity-factor 1 --min-capacity 1
    column run/metrics.tsv dropped | awk '$1 > 0 { exit 1 }' # there is room for all
    rm -r run
    train --capacity-factor 0.5 --min-capacity 1
    column run/metrics.tsv dropped | awk '$1 == 0 { exit 1 }'
    rm -r run
    train --capacity-factor 0.5 --min-capacity 1 --capacity-rule none
    column run/metrics.tsv dropped | awk '$1 > 0 { exit 1 }'
}

@test "exploration, precision and first weights are what options say" {
    local how
    train --explore argmax
    column run/metrics.tsv loss >plain
    for how in "--explore jitter" "--explore sample" "--router top2 --explore sample" \
        "--explore dropout" "--init mtf" "--init t5x" "--router-precision bfloat16"; do
        rm -r run
        # shellcheck disable=SC2086
        train --explore argmax $how
        ! column run/metrics.tsv loss | cmp -s plain - || return 1
        column run/metrics.tsv loss | awk 'NR == 1 { a = $1 } { b = $1 } END { exit !(b < a) }'
    done
    rm -r run
    train --explore dropout --input-dropout 0.5
    mv run half
    train --explore dropout
    ! cmp -s <(column half/metrics.tsv loss) <(column run/metrics.tsv loss) || return 1
    rm -r run
    train --explore dropout --input-dropout 0
    column run/metrics.tsv loss | cmp plain -
    rm -r run
    exits 1 train --router ntlb --explore sample
    [[ $output == *"ntlb tries its best experts in turn"* ]]
    train --router top2 # without jitter, as it is
    mv run usual
    train --router top2 --explore argmax --jitter 0.01
    cmp <(column usual/metrics.tsv loss) <(column run/metrics.tsv loss)
}

@test "experts where BLOCKS says" {
    local i=0 words=(none all every/2 first/2 '0,1')
    local want=('[]' '[0,1]' '[1]' '[0]' '[0,1]')
    for i in 0 1 2 3 4; do
        rm -rf run
        train --steps 1 --sparse-encoder "${words[i]}" --sparse-decoder none --experts 3
        [ "$(jq -c .sparse_encoder_blocks run/step-00000001/config.json)" = "${want[i]}" ]
        [ "$(jq -c .sparse_decoder_blocks run/step-00000001/config.json)" = '[]' ]
        [ "$(find run -name 'expert-*' | wc -l)" = $((i ? 3 : 0)) ]
    done
    for word in 2 -1 '1,' every/0 every/3 many; do
        exits 2 train --sparse-decoder "$word"
    done
}

@test "self-attention by experts trains and resumes, hidden and linear" {
    local how=(--attention-encoder all --attention-decoder 1 --capacity-factor 2)
    train "${how[@]}" --steps 3
    jq -e '.sparse_encoder_attention_blocks == [0,1] and .sparse_decoder_attention_blocks == [1] and
        .attention_expert_d_ff == .d_ff' run/step-00000003/config.json
    train "${how[@]}"
    column run/metrics.tsv loss | awk 'NR == 1 { a = $1 } { b = $1 } END { exit !(NR == 6 && b < a) }'
    column run/metrics.tsv aux | awk '$1 < 4.8 || $1 > 20 { exit 1 }' # 5 layers
    mv run hidden
    train "${how[@]}" --attention-width 0 --sparse-encoder none --sparse-decoder none
    column run/metrics.tsv loss | awk 'NR == 1 { a = $1 } { b = $1 } END { exit !(NR == 6 && b < a) }'
    jq -r '.weight_map | keys[]' run/step-00000006/model.safetensors.index.json >names
    grep -qx encoder.block.0.layer.0.SelfAttention.experts.expert_7.kv.weight names
    grep -qx decoder.block.1.layer.0.SelfAttention.router.classifier.weight names
    ! grep -E 'block.1.layer.0.SelfAttention.([qkv]|experts.*wi).weight' names || return 1
}

@test "SIGTERM: a checkpoint after the step, how to go on, exit 0" {
    switch-pretrain --config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" --out run \
        --batch 1 --steps 64 --save-every 1 --keep 0 -q 2>err &
    pid=$!
    until [ -e run/step-00000002/state.json ]; do
        kill -0 $pid
        sleep 0.01
    done
    kill -TERM $pid
    wait $pid
    if [ ! -e run/step-00000064 ]; then # stopped before it was done
        grep -q 'stopped; to go on: switch-pretrain --config' err
        last=$(printf '%s\n' run/step-* | tail -n 1)
        [ -e "$last/state.json" ]
    fi
    mv run first
    cp -r first run
    switch-pretrain --config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" --out run \
        --batch 1 --steps 64 --save-every 64 --keep 0 -q
    switch-pretrain --config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" --out whole \
        --batch 1 --steps 64 --save-every 64 --keep 0 -q
    diff -r run/step-00000064 whole/step-00000064
}

@test "a write that fails: exit 1, a message, the older checkpoint stays" {
    # shared weights of 8 MB where no file may pass 6 MB: MPI itself writes files up to 4 MB
    jq '.vocab_size = 131072' "$DATA/train/tiny.json" >wide.json
    train --config wide.json --steps 1
    cp -r run/step-00000001 before
    run bash -c "trap '' XFSZ; ulimit -f 6144; switch-pretrain --config wide.json \
        --train $DATA/train/aa.ex --out run --batch 8 --group-rows 2 --steps 2 --warmup 100 -q"
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *"switch-pretrain: run/step-00000002.part/"*"File too large"* ]]
    diff -r before run/step-00000001
    [ ! -e run/step-00000002 ]
    train --config wide.json --steps 2
    [ -e run/step-00000002/state.json ] && [ ! -e run/step-00000002.part ]
}

@test "data that does not suit the model, misuse" {
    jq '.vocab_size = 64' "$DATA/train/tiny.json" >small.json
    exits 1 train --config small.json
    [[ $output == *"ids up to 95, but the model's vocab_size is 64"* ]]
    exits 1 train --steps 1000
    [[ $output == *"64 rows, but 8000 are needed"* ]]
    refuses switch-pretrain --config nowhere --train "$DATA/train/aa.ex" --out run
    head -c 3000 /dev/urandom >junk
    refuses switch-pretrain --config "$DATA/train/tiny.json" --train junk --out run
    refuses switch-pretrain --config "$DATA/train/tiny.json" --train nowhere --out run
    exits 2 switch-pretrain
    exits 2 train --batch 7
    exits 2 train --microbatch 3
    exits 2 train --schedule linear
    exits 2 train operand
}

poison() { # rows.ex: 40 steps of one pair, three of others, 40 of the one
    seq 1 200 | sed 's/^/the quick brown fox jumps over the lazy dog while a cat sat out there /' >text
    spm-train -q -n -s 60 -o spm.model text
    {
        yes $'a fox\ta fox' | head -n 320
        seq 24 | sed 's/^/a fox\tlazy dog quick brown out there jumps /'
        yes $'a fox\ta fox' | head -n 320
    } | pack-pairs -q -n -m spm.model --extra-ids 36 -i 16 -t 16 -o rows.ex
}

steep() { # OPTION...
    switch-pretrain --config "$DATA/train/tiny.json" --train rows.ex --out run --batch 8 \
        --schedule constant --lr 0.05 --steps 60 --save-every 10 --keep 0 -q "$@"
}

@test "a loss that leaps: back to the checkpoint, past the rows, the same bytes when resumed" {
    poison
    steep 2>/dev/null
    column run/metrics.tsv loss | sed -n 43p | awk '{ exit !($1 > 3) }'
    [ ! -e run/rollbacks.tsv ]
    rm -r run
    run steep --max-rollbacks 1
    [ "$status" -eq 0 ]
    [[ $output == *"step 42: loss "*"back to step 40, on past the rows of the steps between"* ]]
    [ "$(column run/rollbacks.tsv to)-$(column run/rollbacks.tsv skip)" = 40-3 ]
    [ "$(column run/metrics.tsv step | uniq | wc -l)" -eq 60 ]
    column run/metrics.tsv loss | tail -n 20 | awk '$1 > 1 { exit 1 }'
    [ "$(jq .next_row run/step-00000060/state.json)" -eq 504 ]
    mv run whole
    steep --max-rollbacks 1 --steps 45 2>/dev/null
    steep --max-rollbacks 1
    diff -r whole/step-00000060 run/step-00000060
    diff whole/rollbacks.tsv run/rollbacks.tsv
    # killed between going back and the next checkpoint
    rm -r run/step-000000[56]0 run/step-00000045
    steep --max-rollbacks 1
    diff -r whole/step-00000060 run/step-00000060
}

@test "a shard without rows to spare is not left in the lurch" {
    poison
    exits 1 steep --max-rollbacks 1 --steps 83
    [[ $output == *"of 664 rows none can be passed over"* ]]
}

@test "a lower rate does not change the rows; rollbacks come to an end" {
    poison
    exits 1 steep --max-rollbacks 2 --rollback lower
    [[ $output == *"on with half the rate"*"2 rollbacks were of no use"* ]]
    [ "$(column run/rollbacks.tsv lr_scale | paste -sd' ')" = "0.5 0.25" ]
    [ "$(column run/rollbacks.tsv skip | paste -sd' ')" = "0 0" ]
    rm -r run
    # a rate at which nothing stays finite, and no checkpoint before it but the first
    run steep --lr 1e6 --max-rollbacks 3
    [ "$status" -le 1 ]
    [ -e run/step-00000000 ]
    exits 2 steep --rollback sideways
    exits 2 steep --spike 0.5
}

@test "dense models train too" {
    jq '.model_type = "t5"' "$DATA/train/tiny.json" >dense.json
    train --config dense.json --steps 2 --schedule constant --optimizer-min-dim 8
    [ "$(find run/step-00000002 -name '*expert*')" = "" ]
    [ "$(column run/metrics.tsv dropped | paste -sd' ')" = "0 0" ]
    [ "$(column run/metrics.tsv lr | paste -sd' ')" = "0.001 0.001" ]
}

@test "threads: the same losses up to rounding; for the same number the same bytes" {
    # products wide enough for the library to divide
    jq '.d_model = 97 | .d_ff = 509' "$DATA/train/tiny.json" >wide.json
    for j in 1 2 3; do
        train --config wide.json --steps 2 --dropout 0.1 -j $j
        mv run run$j
        paste <(column run1/metrics.tsv loss) <(column run$j/metrics.tsv loss) |
            awk '($1 - $2) ^ 2 > (1e-5 * $1) ^ 2 { exit 1 }'
    done
    train --config wide.json --steps 2 --dropout 0.1 --threads 3
    diff -r run/step-00000002 run3/step-00000002
    exits 2 train -j 0
}
