#!/usr/bin/env bats
# Threads of the ranks of one machine: a share of the processors each, asleep when idle.
load ../helper

# How ranks run: OMP_WAIT_POLICY of two, while they train.
policies() { # VARIABLE=VALUE...
    local job pid
    env -u OMP_WAIT_POLICY -u GOMP_SPINCOUNT "$@" mpirun --oversubscribe --bind-to none -n 2 \
        switch-pretrain --config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" --out run \
        --batch 2 --steps 32 --save-every 1 --keep 0 -q 2>err &
    job=$!
    until [ -e run/step-00000001/state.json ]; do
        kill -0 $job
        sleep 0.002
    done
    for pid in $(pgrep -P $job switch-pretrain); do
        tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^OMP_WAIT_POLICY=//p'
    done | paste -sd' ' >policies
    wait $job
    rm -r run
    cat policies
}

@test "threads that wait for work sleep, unless asked to spin" {
    [ "$(policies)" = "passive passive" ]
    [ "$(policies OMP_WAIT_POLICY=active)" = "active active" ]
    [ "$(policies GOMP_SPINCOUNT=1000)" = "" ]
}

@test "every tool takes a number of threads for its ranks" {
    for j in 1 2; do
        mpirun --oversubscribe --bind-to none -n 2 switch-pretrain -j $j \
            --config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" --out run$j --batch 8 \
            --group-rows 2 --steps 3 -q
        mpirun --oversubscribe --bind-to none -n 2 switch-eval -j $j -o table$j run$j \
            "$DATA/train/aa.ex"
        mpirun --oversubscribe --bind-to none -n 2 switch-probe -j $j -gt -o out$j \
            -m "$DATA/golden/switch_tiny/model" -i "$DATA/golden/paper_switch/inputs.safetensors"
        [ -s "out$j" ]
    done
    paste <(cut -f 1,4 run1/metrics.tsv) <(cut -f 1,4 run2/metrics.tsv) |
        awk 'NR > 1 && ($1 != $3 || ($2 - $4) ^ 2 > (1e-5 * $2) ^ 2) { exit 1 }'
    paste <(cut -f 1-4 table1) <(cut -f 1-4 table2) |
        awk 'NR > 1 && ($3 != $7 || ($4 - $8) ^ 2 > (1e-5 * $4) ^ 2) { exit 1 }'
}
