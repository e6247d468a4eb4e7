#!/usr/bin/env bats
# pipelines/demo on the small crawl that ships: killed twice on its way, started again, it ends
load ../helper

# The demo in a process group of its own; killed with all it started as soon as FILE is there.
kill_when() { # FILE
    setsid "$root/pipelines/demo" out >>log 2>&1 &
    local pid=$! i
    for ((i = 0; i < 1200; i++)); do
        compgen -G "$1" >/dev/null && break
        kill -0 $pid 2>/dev/null || break
        sleep 0.05
    done
    pkill -KILL -s $pid    # fails when it was over already: then nothing was tested
    wait $pid || true
    compgen -G "$1" >/dev/null
}

@test "killed in two places and run again, the demo ends in its report" {
    export DEMO_CRAWL=$DATA/tiny/tiny.warc.wet.gz DEMO_STEPS=4 DEMO_PIECES=3000
    kill_when out/clean.json
    [ ! -e out/report.html ]
    kill_when 'out/switch/metrics.tsv'
    [ ! -e out/report.html ]
    run "$root/pipelines/demo" out
    [ "$status" -eq 0 ]
    [[ $output == *out/report.html ]]
    # each step once, both models, a row a language that was held out
    [ "$(cut -f 1 out/switch/metrics.tsv | paste -sd' ')" = "step 0 1 2 3" ]
    [ "$(cut -f 1 out/dense/metrics.tsv | paste -sd' ')" = "step 0 1 2 3" ]
    for shard in out/dev/*.ex; do
        grep -q "^$(basename "$shard" .ex)	" out/report.tsv
    done
    grep -q '<polyline' out/report.html
    # run once more, nothing is made again
    before=$(stat -c %Y out/mix.tsv out/switch.done out/vocabulary.model)
    "$root/pipelines/demo" out
    [ "$before" = "$(stat -c %Y out/mix.tsv out/switch.done out/vocabulary.model)" ]
}
