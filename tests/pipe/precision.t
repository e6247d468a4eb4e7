#!/usr/bin/env bats
# pipelines/precision: three runs, one table, and what is done stays done
load ../helper
export SWITCHYARD_SHARE=$root/share

precision() {
    "$root/pipelines/precision" out 1 "$DATA/train/tiny.json" --steps 20 --batch 4 --group-rows 2 \
        --warmup 100 -q
}

@test "a row for each precision; run again, the same table at once" {
    mkdir -p out/dev
    cp "$DATA"/train/*.ex out/dev
    cp "$DATA"/train/*.ex out
    (cd out && mix-langs -o mix.tsv aa.ex bb.ex)
    precision >table
    [ "$(cut -f 1,2 table | paste -sd' ')" = "precision	steps fp32	20 bf16	20 bf16-all	20" ]
    # a tiny model of 20 steps: rounding moves what it reaches by some hundredths at most
    awk -F'\t' 'NR == 2 { d = $3; t = $4 } NR > 2 { a = $3 - d; b = $4 - t
        if ($3 >= 0 || a * a > 0.01 || b * b > 0.01 || a == 0 || $5 <= 0) exit 1 }' table
    cmp table out/precision.tsv
    rm -r out/tiny-bf16
    mkdir out/tiny-bf16 && cp out/tiny-fp32/*.tsv out/tiny-bf16 # read, not made again
    precision >again
    [ "$(sed -n 3p again | cut -f 3,4)" = "$(sed -n 2p table | cut -f 3,4)" ]
}
