#!/usr/bin/env bats
# switch-eval: its table, its agreement with training, ranks, experts, damage
load ../helper
export SWITCHYARD_SHARE=$root/share

train() { # OPTION...
    switch-pretrain --config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" --out run \
        --batch 8 --group-rows 2 --steps 4 --warmup 100 -q --eval "$DATA/train" "$@"
}

@test "a row a language, then all; equal to the evaluation that training made" {
    train
    switch-eval run --lang-dir "$DATA/train" --group-rows 2 -o loss.tsv
    [ "$(cut -f 1 loss.tsv | paste -sd' ')" = "lang aa bb all" ]
    [ "$(cut -f 3 loss.tsv | paste -sd' ')" = "targets 480 300 780" ]
    awk -F'\t' 'NR > 1 { print $1, sprintf("%.6f", $6) }' loss.tsv >got
    awk -F'\t' 'NR > 1 { print $2, sprintf("%.6f", $3) }' run/eval.tsv >want
    diff want got
    # loss, perplexity and nlp say the same thing; all is the mean over targets
    awk -F'\t' 'NR > 1 { d = log($5) - $4; if (d * d > 1e-10 || $4 != -$6) exit 1 }
                $1 != "all" { n += $3; s += $3 * $4 } $1 == "all" { d = s / n - $4; exit d * d > 1e-12 }' \
        loss.tsv
}

@test "how many rows at a time changes nothing but rounding" {
    train
    for n in 2 6; do
        switch-eval run/step-00000004 "$DATA/train/aa.ex" --group-rows 2 --rows $n >"loss$n"
    done
    awk -F'\t' 'FNR == 1 { next } FNR == NR { a[$1] = $4; next } { d = a[$1] - $4; if (d * d > 1e-10) exit 1 }' \
        loss2 loss6
}

@test "the use of experts adds up" {
    train
    switch-eval run "$DATA/train/aa.ex" "$DATA/train/bb.ex" -e experts.tsv -m tiny >loss.tsv
    [ "$(cut -f 10 loss.tsv | paste -sd' ')" = "model tiny tiny tiny" ]
    # 8 experts: the entropy is at most log 8, the busiest has an eighth at least
    awk -F'\t' 'NR > 1 && ($8 <= 0 || $8 > log(8) || $9 < 1 / 8 || $9 > 1 || $7 > 1) { exit 1 }' loss.tsv
    # mean over blocks of the largest share, from the other table
    awk -F'\t' 'FNR == 1 { next }
                FNR == NR { k = $1 FS $2 FS $3; if ($6 > most[k]) most[k] = $6; next }
                { s = n = 0; for (k in most) if (index(k, $1 FS) == 1) { s += most[k]; n++ }
                  d = s / n - $9; if (n != 2 || d * d > 1e-8) exit 1 }' experts.tsv loss.tsv
    awk -F'\t' 'NR > 1 { n[$1 FS $2 FS $3] += $6; t[$1] += $5 }
                END { for (k in n) if (n[k] < 0.9999 || n[k] > 1.0001) exit 1
                      exit t["aa"] + t["bb"] != t["all"] }' experts.tsv
}

@test "another router, another capacity: what options say, else the checkpoint" {
    local column=7
    dropped() { # OPTION...
        switch-eval run "$DATA/train/aa.ex" --capacity-factor 0.5 --min-capacity 1 "$@" |
            tail -n 1 | cut -f $column
    }
    train
    plain=$(dropped)
    [ "$(dropped --capacity-rule none)" = 0 ]
    [ "$(dropped --router ntlb --choices 8 --capacity-factor 1.5)" = 0 ]
    awk -v a="$plain" -v b="$(dropped --router top2 --second all)" \
        -v c="$(dropped --capacity-rule round --capacity-factor 0.55)" \
        -v d="$(dropped --capacity-factor 0.55)" 'BEGIN { exit !(a > 0.4 && b < a && c < d) }'
    column=4 # the loss
    [ "$(dropped --router top2 --second none)" = "$(dropped --router top2 --second threshold --second-threshold 1)" ]
    [ "$(dropped --router top2 --second all)" != "$(dropped --router top2 --second none)" ]
    [ "$(dropped --router-precision bfloat16)" != "$(dropped)" ]
    rm -r run
    train --router top2
    [ "$(dropped)" != "$(dropped --router top1)" ] # kept in config.json
    [ "$(dropped)" = "$(dropped --router top2)" ]
    exits 2 switch-eval run "$DATA/train/aa.ex" --router top3
}

@test "groups of any size, dense models" {
    train
    switch-eval run "$DATA/train/aa.ex" --group-rows 3 >/dev/null
    switch-eval run "$DATA/train/aa.ex" --group-rows 20 >/dev/null
    jq '.model_type = "t5"' "$DATA/train/tiny.json" >dense.json
    switch-pretrain --config dense.json --train "$DATA/train/aa.ex" --out dense --steps 1 --batch 8 -q
    switch-eval dense "$DATA/train/aa.ex" -e experts.tsv >loss.tsv
    [ "$(tail -n 1 loss.tsv | cut -f 7-9 | paste -sd' ')" = "0	0	0" ]
    [ "$(wc -l <experts.tsv)" -eq 1 ]
}

@test "misuse is 2" {
    exits 2 switch-eval
    exits 2 switch-eval run
    exits 2 switch-eval run x.ex --rows 3 --group-rows 2
    exits 2 switch-eval run x.ex --rows none
}

@test "damage is named, a full disk noticed" {
    train
    refuses switch-eval absent "$DATA/train/aa.ex"
    refuses switch-eval run absent.ex
    refuses switch-eval run --lang-dir .
    head -c 5000 /dev/urandom >noise.ex
    refuses switch-eval run noise.ex
    head -c 700 "$DATA/train/aa.ex" >cut.ex
    refuses switch-eval run cut.ex
    exits 1 sh -c "switch-eval run $DATA/train/aa.ex >/dev/full"
    exits 1 switch-eval run "$DATA/train/aa.ex" -o no/such/folder/x.tsv
    truncate -s 1000 run/step-00000004/model-shared.safetensors
    refuses switch-eval run "$DATA/train/aa.ex"
}
