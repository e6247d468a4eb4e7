#!/usr/bin/env bats
# pipelines/distill: a teacher, a student and the same network alone; the share of the gain kept
load ../helper
export SWITCHYARD_SHARE=$root/share

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    mkdir -p out/dev
    cp "$DATA"/train/*.ex out/dev
    cp "$DATA"/train/*.ex out
    (cd out && mix-langs -o mix.tsv aa.ex bb.ex)
}

distill() { # TEACHER
    "$root/pipelines/distill" out 2 "$1" --steps 60 --batch 8 --group-rows 2 --warmup 100 -q
}

nlp() { # MODEL LANG
    awk -F'\t' -v l="$2" 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i; next }
        $1 == l { print $c["nlp"] }' "out/distill-$1.tsv"
}

@test "a teacher is trained, then a student and a baseline; shares are of their evaluations" {
    distill "$DATA/train/tiny.json" >table
    for name in tiny student baseline; do
        [ -e "out/$name/step-00000060/state.json" ]
    done
    cmp out/student/step-00000060/config.json out/baseline/step-00000060/config.json
    [ "$(jq -r .teacher out/baseline/step-00000060/state.json)" = null ]
    grep -q 'Share of the gain kept' out/distill.html
    [ "$(head -n 1 table)" = $'lang\tteacher.loss\tstudent.loss\tbaseline.loss\tstudent.kept' ]
    for l in aa bb all; do
        t=$(nlp teacher $l) s=$(nlp student $l) b=$(nlp baseline $l)
        awk -F'\t' -v l=$l -v t="$t" -v s="$s" -v b="$b" '$1 == l {
            if (t <= b) exit $5 != ""
            d = (s - b) / (t - b) - $5; exit d * d > 1e-6 }' table
    done
    [ "$(wc -l <table)" -eq 4 ]
    # run once more, nothing is made again
    before=$(stat -c %Y out/*.done out/distill-*.tsv)
    distill "$DATA/train/tiny.json" | cmp - table
    [ "$before" = "$(stat -c %Y out/*.done out/distill-*.tsv)" ]
}

@test "a teacher that is there, options of its own" {
    switch-pretrain --config "$DATA/train/tiny.json" --train out/aa.ex --out given --steps 2 --batch 8 -q
    DISTILL_OPTIONS="-f 0.5 --tau 2" distill given >table
    [ ! -e out/tiny ]
    [[ $(jq -r .teacher out/student/step-00000060/state.json) == *" share 0.5 tau 2" ]]
    exits 1 "$root/pipelines/distill" out 1
    exits 1 "$root/pipelines/distill" empty 1 given --steps 1
}
