#!/usr/bin/env bats
# pipelines/finetune: from a folder of labelled files to scores, killed and run again
load ../helper
load ../colours
export SWITCHYARD_SHARE=$root/share

setup() { # a vocabulary, and a model that knows nothing
    cd "$BATS_TEST_TMPDIR" || return 1
    vocabulary
    pairs 1 20 | pack-pairs -q -m v.model --extra-ids 28 -i 16 -t 8 -o one.ex
    switch-pretrain --config dense.json --train one.ex --steps 1 --batch 1 -q --out base
}

finetune() { # OUT RANKS TASK DATA OPTION...
    BIN=${BIN:-$root/bin} "$root/pipelines/finetune" "${@:1:4}" base v.model --extra-ids 28 \
        --inputs 16 --targets 8 --steps 80 --eval-every 40 --batch 8 --lr 0.02 -q "${@:5}"
}

@test "train, dev and test by their names, a score by language; done is done" {
    mkdir set
    pairs 1 300 >set/train-en.tsv
    pairs 2 30 | gzip >set/valid-en.tsv.gz
    pairs 3 30 >set/test-de.tsv
    pairs 4 30 >set/test.en.tsv
    pairs 5 30 >set/test-fr.tsv
    LANGUAGES="en de" finetune out 1 text set >rows
    [ "$(cut -f 1-4 rows | paste -sd'|')" = $'task\tmetric\tlang\tn|text\taccuracy\tmean\t2|text\taccuracy\tall\t60' ]
    awk -F'\t' '$3 == "all" && $5 < 80 { exit 1 }' rows # a third is chance
    [ "$(cut -f 2 out/text.tsv | paste -sd' ')" = "lang de en mean all" ]
    [ "$(wc -l <out/dev.tsv)" -eq 31 ]
    [ -e out/model/best/predictions-dev.tsv ]
    grep -q '<h3>text, accuracy</h3>' out/report.html
    find out -newer rows -name '*.tsv' | grep . && false
    finetune out 1 text set | diff rows -
    # killed while it trained: it goes on
    cp -r out again
    rm -r again/model.done again/answers.tsv again/text.tsv again/model/step-00000080
    LANGUAGES="en de" finetune again 1 text set | diff rows -
    diff -r out/model/best again/model/best
}

@test "any of several answers is right" {
    mkdir set
    for lang in en de; do
        jq -nc '{data: [{paragraphs: [range(9) | {context: "the red dog", qas: [{id: "\(.)", question: "fox",
            answers: [{text: "lazy"}, {text: "cat"}]}]}]}]}' >set/qa.$lang.json
    done
    finetune out 1 xquad set --steps 2 >rows
    [ "$(head -n 2 out/test.tsv | cut -f 2,3)" = $'reference\treference\nlazy\tcat' ]
    grep -q $'^xquad\tf1\tall\t' rows
    # as if it had said the second
    awk -F'\t' -v OFS='\t' 'NR > 1 { $NF = "cat" } 1' out/answers.tsv | eval-score -m em | grep -q $'all\t.*\t100.0000'
}

@test "one file alone is divided, by language; two ranks" {
    mkdir set
    pairs 1 200 >set/data-en.tsv
    pairs 2 200 >set/data-de.tsv
    finetune out 2 text set --steps 40 >rows
    for f in train:240 dev:80 test:80; do
        [ "$(tail -n +2 "out/${f%:*}.tsv" | wc -l)" -eq "${f#*:}" ]
    done
    [ "$(awk '{ print $NF }' out/test.tsv | sort | uniq -c | awk '$1 == 40' | wc -l)" -eq 2 ]
}

@test "misuse, no data" {
    exits 1 "$root/pipelines/finetune" out 1 text
    mkdir set
    exits 1 finetune out 1 text set
    exits 1 finetune out 1 text nowhere
}

@test "a real set: RTE of GLUE, as T5 has it" {
    need_shared data/eval/glue/rte
    need_shared data/spm/t5_32100.model
    mkdir set
    for part in train val dev; do
        zcat "$SHARED/data/eval/glue/rte/$part.tsv.gz" | head -n 20 >set/$part.tsv
    done
    jq '.vocab_size = 32128 | .d_model = 8' dense.json >d.json
    pack-pairs -q -T rte -m "$SHARED/data/spm/t5_32100.model" -i 64 -t 8 -o rte.ex set/train.tsv
    switch-pretrain --config d.json --train rte.ex --steps 1 --batch 1 -q --out wide
    BIN=${BIN:-$root/bin} "$root/pipelines/finetune" out 1 rte set wide \
        "$SHARED/data/spm/t5_32100.model" --inputs 64 --targets 8 --steps 2 --batch 4 -q >rows
    grep -qE $'^rte\taccuracy\tall\t19\t' rows
    grep -q '^rte sentence1: .*	\(not_\)\{0,1\}entailment						und$' out/test.tsv
    [ "$(wc -l <out/dev.tsv)" -eq 21 ] # val.tsv has no header
}
