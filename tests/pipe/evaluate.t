#!/usr/bin/env bats
# pipelines/evaluate: two models to a report with their experts; gates make it fail
load ../helper
export SWITCHYARD_SHARE=$root/share

@test "losses, experts, figures; a gate that holds is a failure" {
    mkdir -p out/dev
    cp "$DATA"/train/*.ex out/dev
    jq '.model_type = "t5"' "$DATA/train/tiny.json" >dense.json
    for name in switch dense; do
        config=$DATA/train/tiny.json
        [ "$name" = switch ] || config=dense.json
        switch-pretrain --config "$config" --train "$DATA/train/aa.ex" --eval out/dev --batch 8 \
            --steps 4 --eval-every 2 --warmup 100 -q --out "out/$name"
    done
    evaluate() { BIN=${BIN:-$root/bin} "$root/pipelines/evaluate" out 1 "Two models" switch dense "$@"; }
    exits 0 evaluate
    grep -q '<h2>Experts of switch by language' out/report.html
    [ "$(grep -c '<h2>Experts' out/report.html)" -eq 1 ]    # the dense one has none
    [ "$(cut -f 1 out/report.tsv | paste -sd' ')" = "lang aa bb all" ]
    cut -f 1,2 out/figures.tsv | sort -u | grep -qx 'held_out_loss	dense'
    exits 0 evaluate -- --fail-if 'aa.loss>100' --title other
    grep -q '<h1>other' out/report.html
    exits 1 evaluate -- --fail-if 'aa.loss>0.1'
    [[ $output == *"gate 'aa.loss>0.1': switch has"* ]]
    exits 1 "$root/pipelines/evaluate" out 1 title
}
