#!/usr/bin/env bats
# switch-finetune: what it learns, judges and keeps; mixtures, resuming, patience, refusals
load ../helper
load ../colours
export SWITCHYARD_SHARE=$root/share

setup_file() { # a vocabulary, a dense model that knows nothing, a task: say the colour
    cd "$BATS_FILE_TMPDIR" || return 1
    vocabulary
    pairs 1 400 >train.tsv
    pairs 2 60 >dev.tsv
    pack-pairs -q -m v.model --extra-ids 28 -i 16 -t 8 -o train.ex train.tsv
    switch-pretrain --config dense.json --train train.ex --steps 1 --batch 1 -q --out base
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    ln -s "$BATS_FILE_TMPDIR"/{v.model,train.tsv,train.ex,dev.tsv,base,dense.json} .
}

tune() { # OPTION...: text to ./ft, for the vocabulary
    switch-finetune -w base -t train.tsv -m v.model --extra-ids 28 -i 16 --targets 8 -o ft \
        --batch 8 --lr 0.02 --eval-every 20 -j 1 -q "$@"
}

column() { # FILE NAME: the column called NAME
    awk -F'\t' -v n="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == n) c = i; next } { print $c }' \
        "$1"
}

decided() { # the scores that decide, as "step score"
    awk -F'\t' '$2 == "mean" { print $1, $6 }' ft/scores.tsv
}

@test "it learns a task; the best checkpoint is linked and kept, and answers as it was judged" {
    tune -e dev.tsv --metric accuracy --steps 100
    [ "$(decided | head -n 1)" = "20 0.000000" ]
    decided | tail -n 1 | awk '{ exit !($2 > 90) }' # a third is chance
    best=$(decided | awk '!n || $2 > max { max = $2; at = $1 } { n++ } END { print at }')
    [ "$(readlink ft/best)" = "$(printf step-%08d "$best")" ]
    [ "$(printf '%s\n' ft/step-* | wc -l)" -le 2 ]
    [ -e ft/step-00000100/state.json ]
    # its table, scored again, and its answers, asked again
    eval-score -m accuracy ft/best/predictions-dev.tsv | awk '$2 == "all" { print $4 + 0 }' |
        diff - <(decided | awk -v b="$best" '$1 == b { print $2 + 0 }')
    cut -f 1 dev.tsv | switch-generate -q -m v.model --extra-ids 28 ft/best |
        diff - <(column ft/best/predictions-dev.tsv prediction)
    [ "$(column ft/metrics.tsv lr | sort -u)" = 0.02 ]
    [ "$(jq '.options.dropout, .options["expert-dropout"]' ft/best/state.json | paste -sd' ')" = "0.1 0.4" ]
    column ft/eval.tsv nlp | tail -n 1 | awk '{ exit !($1 > -0.5) }'
}

@test "text gives the ids and rows of pack-pairs" {
    tune --steps 1
    shard cat -t ft/data/train.ex >got
    shard cat -t train.ex | diff - got
    mv ft text
    switch-finetune -w base -t train.ex -o ft --batch 8 --lr 0.02 --steps 1 -j 1 -q
    diff -r text/step-00000001 ft/step-00000001
}

@test "resumed at any place, it ends in the same bytes" {
    how=(-e dev.tsv --metric accuracy --steps 60 --save-every 15 --keep 0)
    tune "${how[@]}"
    mv ft whole
    tune "${how[@]}" --steps 45
    rm -r ft/step-00000045
    tune "${how[@]}"
    grep -v '^45	' ft/scores.tsv | diff whole/scores.tsv -
    diff -r whole/step-00000060 ft/step-00000060
    [ "$(readlink ft/best)" = "$(readlink whole/best)" ]
    # killed after a checkpoint, before it was judged
    rm -r ft && cp -r whole ft
    rm -r ft/step-00000045 ft/step-00000060 ft/step-00000040/predictions-dev.tsv
    sed -i '/^[46]0	/d' ft/scores.tsv
    tune "${how[@]}"
    diff -r -x metrics.tsv -x data whole ft
    diff <(cut -f 1,4 whole/metrics.tsv) <(cut -f 1,4 ft/metrics.tsv)
}

@test "patience: it ends when nothing gets better, also when it is asked again" {
    run tune -e dev.tsv --metric-command 'cat >/dev/null; echo 5' --steps 400 --patience 2
    [ "$status" -eq 0 ]
    [ "$(decided | paste -sd,)" = "20 5.000000,40 5.000000,60 5.000000" ]
    [ "$(readlink ft/best)" = step-00000020 ]
    [ "$(column ft/metrics.tsv step | tail -n 1)" = 59 ]
    cp -r ft before
    tune -e dev.tsv --metric-command 'cat >/dev/null; echo 5' --steps 400 --patience 2
    diff -r before ft
}

@test "a command judges: what it reads, what it may say" {
    printf 'input\treference\treference\tlang\tid\nthe red dog\tred\trot\ten\ta\nthe blue cat\tblue\t\tde\tb\n' >two.tsv
    tune -e two.tsv --metric-command 'tee seen | wc -l' --steps 1
    [ "$(head -n 1 seen)" = $'id\tlang\tgroup\tlabel\tprediction\treference\treference' ]
    [ "$(sed 1d seen | cut -f 1,2,6,7 | paste -sd'|')" = $'a\ten\tred\trot|b\tde\tblue\t' ]
    [ "$(decided)" = "1 3.000000" ]
    rm -r ft
    tune -e two.tsv --metric-command 'sed -n 1q; echo -2.5' --lower-is-better --steps 1
    [ "$(decided)" = "1 2.500000" ]
    for c in 'echo many' false 'exit 3' nosuchcommand 'kill $$' 'echo 1; echo 2'; do
        rm -r ft
        exits 1 tune -e two.tsv --metric-command "$c" --steps 1
        [[ $output == *"switch-finetune: $c: "* ]]
    done
}

@test "a command that hangs: ended with all it began, exit 1; the run goes on with another" {
    for c in 'sleep 61 & echo $! >pid; wait' 'exec >&-; echo $$ >pid; exec sleep 61'; do
        exits 1 tune -e dev.tsv --metric-command "$c" --metric-timeout 0.5 --steps 1
        [[ $output == *"switch-finetune: $c: not done after 0.5 seconds, ended"* ]]
        run ps -o stat= -p "$(cat pid)" # gone, or nobody has yet asked how it ended
        [[ $output == "" || $output == Z* ]]
        tune -e dev.tsv --metric-command 'echo 7' --steps 1
        [ "$(decided)" = "1 7.000000" ]
        rm -r ft
    done
    tune -e dev.tsv --metric-command 'sleep 0.1; echo 7' --metric-timeout 0 --steps 1
    exits 2 tune -e dev.tsv --metric-command true --metric-timeout -1
}

@test "several sets and languages: the mean decides; references may be several" {
    printf 'input\treference\tlang\nthe red dog\tred\ten\nthe red fox\tred\ten\nthe red cat\tblue\tde\n' >l.tsv
    pack-pairs -q -m v.model --extra-ids 28 -i 16 -t 8 -l sv -o dev.ex dev.tsv
    tune -e l.tsv -e shard=dev.ex --metric accuracy,em --steps 40 --eval-every 40
    got() { awk -F'\t' -v s="$1" -v m="$2" -v l="$3" '$2 == s && $3 == m && $4 == l { print $6 }' ft/scores.tsv; }
    [ "$(got shard accuracy sv)" = "$(got shard accuracy all)" ]
    # "mean" of two languages, "all" of one
    want=$(echo "$(got l accuracy mean) $(got l em mean) $(got shard accuracy all) $(got shard em all)" |
        awk '{ printf "%.4f", ($1 + $2 + $3 + $4) / 4 }')
    [ "$(decided | awk '{ printf "%.4f", $2 }')" = "$want" ]
    # the languages of a table in eval.tsv
    [ "$(column ft/eval.tsv lang | sort | paste -sd' ')" = "all de en sv" ]
    # without a metric it is the loss
    rm -r ft
    tune -e dev=dev.ex --steps 40
    [ "$(awk -F'\t' '$2 == "mean" { print $3 }' ft/scores.tsv | sort -u)" = nlp ]
    paste <(decided | cut -d' ' -f 2) <(awk -F'\t' '$2 == "all" { printf "%.6f\n", $3 }' ft/eval.tsv) |
        awk '$1 != $2 { exit 1 }'
}

@test "each set by the metrics of the task that it is called after" {
    printf 'a red dog\tentailment\na blue dog\tnot_entailment\n' >r.tsv
    tune -t r.tsv -e rte=r.tsv -e squad=dev.tsv --by-name --targets 24 --steps 1
    [ "$(awk -F'\t' '$4 == "all" { print $2, $3 }' ft/scores.tsv | paste -sd,)" = \
        "rte accuracy,squad em,squad f1,mean by-name" ]
    exits 2 tune -e dev.tsv --by-name -o other
    [[ $output == *"no task is called 'dev'"* ]]
    exits 2 tune -e rte=r.tsv --by-name --task rte
}

@test "tasks are mixed by rows, a cap, weights or a plan" {
    pairs 3 100 | sed 's/the/a/' >small.tsv
    tune -t small.tsv --steps 1 # a name is the file's
    [ -e ft/data/small.ex ] && [ -e ft/data/train.ex ]
    rm -r ft
    mixture() {
        tune "$@" --steps 1
        jq -r .mixture ft/step-00000001/state.json
        rm -r ft
    }
    plain=$(mixture -t small.tsv)
    [ "$(mixture -t small.tsv)" = "$plain" ]
    [ "$(mixture -t small.tsv --cap 10)" != "$plain" ]
    [ "$(mixture -t small.tsv --alpha 0.3)" != "$plain" ]
    exits 1 tune -t small.tsv:2 --steps 1
    [[ $output == *"1 of 2 sets to train on have weights"* ]]
    switch-finetune -w base -t a=train.ex:1 -t b=train.ex:3 -o w --steps 1 --batch 8 -q
    mix-langs -o plan.tsv train.ex
    switch-finetune -w base -t plan.tsv -o p --steps 1 --batch 8 -q
    exits 1 switch-finetune -w base -t plan.tsv -t train.ex -o q --steps 1 --batch 8 -q
    [[ $output == *"takes no other beside it"* ]]
}

@test "a loss that is not finite: back, and in the end given up" {
    exits 1 tune --lr 1e6 --steps 20 --max-rollbacks 2 --rollback lower
    [[ $output == *"back to step 0, on with half the rate"* ]]
    [[ $output == *"2 rollbacks were of no use"* ]]
    [ "$(column ft/rollbacks.tsv lr_scale | paste -sd' ')" = "0.5 0.25" ]
    exits 1 tune --lr 1e6 --steps 20 --max-rollbacks 0 -o other
    [[ $output == *"not finite"* ]]
}

@test "one rank and two, on rows or on slices: the same losses and answers" {
    need_ranks
    tune -e dev.tsv --metric accuracy --steps 40
    mv ft one
    for mesh in data=2 model=2; do
        mpirun --oversubscribe --bind-to none -n 2 switch-finetune -w base -t train.tsv -m v.model \
            --extra-ids 28 -i 16 --targets 8 -o ft --batch 8 --lr 0.02 --eval-every 20 -j 1 -q \
            -e dev.tsv --metric accuracy --steps 40 --mesh $mesh
        paste <(column one/metrics.tsv loss) <(column ft/metrics.tsv loss) | head -n 5 |
            awk '($1 - $2) ^ 2 > (1e-4 * $1) ^ 2 { exit 1 }'
        [ "$(wc -l <ft/step-00000040/predictions-dev.tsv)" -eq 61 ]
        cut -f 6 ft/step-00000040/predictions-dev.tsv |
            diff - <(cut -f 6 one/step-00000040/predictions-dev.tsv)
        rm -r ft
    done
    exits 2 tune --mesh data=2 --steps 1
}

@test "models of Hugging Face, with experts" {
    seq 1 200 | sed 's/^/a fox and a dog /' >text
    spm-train -q -n -s 30 -o w.model text
    printf 'a fox\tdog\na dog\tfox\n' >x.tsv
    for ref in t5v10_tiny t5v11_tiny switch_tiny; do
        switch-finetune -w "$DATA/golden/$ref/model" -t x.tsv -e dev=x.tsv -m w.model --extra-ids 60 \
            -i 12 --targets 6 -o "$ref" --steps 3 --batch 4 --task squad -q
        [ -e "$ref/best/config.json" ]
    done
}

@test "second moments of the checkpoint: they go on, and a resumed run has them" {
    switch-pretrain --config dense.json --train train.ex --steps 8 --batch 2 -q --out pre
    tune -w pre --steps 4
    mv ft plain
    tune -w pre --moments --steps 4
    cmp -s plain/step-00000004/model-shared.safetensors ft/step-00000004/model-shared.safetensors && false
    [ "$(jq .options.moments ft/step-00000004/state.json)" = 8 ]
    mv ft whole
    tune -w pre --moments --steps 2
    tune -w pre --moments --steps 4
    diff -r whole/step-00000004 ft/step-00000004
    exits 1 tune -w pre --steps 6
    [[ $output == *"--moments 8, not 0"* ]]
    exits 1 tune -w "$DATA/golden/t5v10_tiny/model" --moments
    [[ $output == *"state.json: "* ]]
}

@test "misuse, and data that is none" {
    exits 2 switch-finetune
    exits 2 tune operand
    exits 2 tune --metric accuracy
    exits 2 tune -e dev.tsv --metric accuracies
    exits 2 tune -e dev.tsv --task none
    exits 2 tune -e dev.tsv --task squad --metric-command true
    exits 2 tune --lower-is-better
    exits 2 tune --patience 3
    exits 2 switch-finetune -w base -t train.ex -e train.ex --metric em -o ft # no vocabulary
    exits 1 switch-finetune -w base -t train.tsv -o ft
    [[ $output == *"train.tsv: is text (or no shard): --vocab is needed"* ]]
    exits 1 tune -t train.ex --steps 1
    [[ $output == *"two sets are called train"* ]]
    exits 1 tune -t mean=train.ex
    exits 1 tune -t x=train.ex:-1
    exits 1 tune -e plan=<(mix-langs train.ex) --steps 1
    exits 1 tune -m dev.tsv
    seq 1 100 | sed 's/^/other words stand in this one /' >text
    spm-train -q -n -s 30 -o other.model text
    exits 1 switch-finetune -w base -t train.ex -m other.model --extra-ids 28 -o ft
    [[ $output == *"train.ex: not of the vocabulary of other.model"* ]]
    printf 'input\treference\n' >none.tsv
    exits 1 tune -e none.tsv --steps 1
    [[ $output == *"none.tsv: no examples"* ]]
    printf 'no tab here\n' >bad.tsv
    exits 1 tune -t bad=bad.tsv --steps 1
    [[ $output == *"bad.tsv: no pair in it"* ]]
    exits 1 tune -w nowhere
    exits 1 tune -e dev.tsv --metric pearson --steps 1
    [[ $output == *"example 1"* ]]
    # another run's folder
    rm -rf ft
    tune --steps 1
    exits 1 tune --steps 2 --dropout 0.5
    [[ $output == *"--dropout 0.1, not 0.5"* ]]
}

@test "a command that writes infinity is refused; nan is never the best" {
    exits 1 tune -e dev.tsv --metric-command 'echo inf' --steps 20
    [[ $output == *"'inf"*'not a number' ]]
    rm -rf ft
    exits 0 tune -e dev.tsv --metric-command 'echo nan' --steps 20
    [ "$(decided)" = '20 nan' ]
    [ ! -e ft/best ]
}
