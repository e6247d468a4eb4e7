#!/usr/bin/env bats
# pipelines/pretrain: killed with all its ranks, again and again, it ends in the bytes of a run that
# was left alone
load ../helper
export SWITCHYARD_SHARE=$root/share

steps=240

inputs() { # OUT: what the pipeline reads
    mkdir -p "$1/dev"
    cp "$DATA"/train/*.ex "$1/dev"
    cp "$DATA"/train/*.ex "$1"
    (cd "$1" && mix-langs -o mix.tsv aa.ex bb.ex)
}

pretrain() { # OUT
    "$root/pipelines/pretrain" "$1" 2 "$DATA/train/tiny.json" --steps $steps --save-every 20 \
        --keep 0 --batch 8 --group-rows 2 --warmup 100 --eval-every 60 -q
}

# Kill it as soon as a file is there: its session, which is that of the ranks as well
kill_when() { # FILE* OUT
    export -f pretrain
    export root DATA steps
    # shellcheck disable=SC2016
    setsid bash -c 'pretrain "$1"' - "$2" >>log 2>&1 3>&- &
    local pid=$! i
    for ((i = 0; i < 3000; i++)); do
        compgen -G "$1" >/dev/null && break
        kill -0 $pid 2>/dev/null || break
        sleep 0.01
    done
    for ((i = 0; i < 20; i++)); do # one may just have been started
        pkill -KILL -s $pid || break
        sleep 0.05
    done
    wait $pid || true
    compgen -G "$1" >/dev/null
}

@test "killed at checkpoints and while one is written, then run again" {
    inputs whole
    inputs out
    pretrain whole
    for at in metrics.tsv step-00000020 'step-00000060*' step-00000100; do # *: its .part, maybe
        kill_when "out/tiny/$at" out
        [ ! -e out/tiny.done ]
    done
    pretrain out
    diff -r whole/tiny/step-00000$steps out/tiny/step-00000$steps
    cut -f1,4 whole/tiny/metrics.tsv >want # step and loss, each once
    cut -f1,4 out/tiny/metrics.tsv | diff want -
    [ "$(wc -l <want)" -eq $((steps + 1)) ]
    # done is done
    pretrain out 2>again
    [ ! -s again ]
    [ -z "$(find out -name '*.part')" ]
}
