#!/usr/bin/env bats
# pipelines/clean shared out into tasks: by itself and under Slurm, it keeps what
# one run keeps
load ../helper
load ../slurm
export CLEAN_OPTIONS='--profile mc4 --lang-from header'

teardown() {
    slurm_stop
}

crawl() { # six files of the crawl that ships, with pages that come twice
    zcat "$DATA/tiny/tiny.warc.wet.gz" | tr -d '\r' | awk -v RS='WARC/1.0\n' 'NR > 2 {
        file = "part" (NR % 6) ".warc.wet"
        printf "WARC/1.0\n%s", $0 >file
        if (NR % 5 == 0) printf "WARC/1.0\n%s", $0 >("part" ((NR + 1) % 6) ".warc.wet")
    }'
}

kept() { # FOLDER: its documents, in no order
    find "$1" -name '*.json.gz' -exec zcat {} + | sort
}

@test "tasks keep what one run keeps, a pass that is lost is made again" {
    crawl
    exits 0 "$root/pipelines/clean" one 12 part?.warc.wet
    kept one/docs >want
    [ "$(wc -l <want)" -gt 50 ]
    CLEAN_TASKS=3 CLEAN_JOBS=2 exits 0 "$root/pipelines/clean" many 12 part?.warc.wet
    kept many/docs | diff - want
    [ "$(jq .out.records many/clean.json)" -eq "$(wc -l <want)" ]
    [ "$(jq .in.records many/clean.json)" -eq "$(jq .in.records one/clean.json)" ]
    # a pass that is lost is made again, and those that are there are not
    rm -r many/clean.json many/docs/2-of-3 many/tasks/stats.2-of-3 many/winners/lines-lost.00001-of-00003
    before=$(stat -c %Y.%i many/winners/urls.00001-of-00003)
    CLEAN_TASKS=3 exits 0 "$root/pipelines/clean" many 12 part?.warc.wet
    kept many/docs | diff - want
    [ "$before" = "$(stat -c %Y.%i many/winners/urls.00001-of-00003)" ]
    # cut short, a pass's file is refused
    rm -r many/clean.json many/docs/2-of-3 many/tasks/stats.2-of-3
    truncate -s -1 many/winners/lines-lost.00002-of-00003
    CLEAN_TASKS=3 exits 123 "$root/pipelines/clean" many 12 part?.warc.wet
    [[ $output == *'lines-lost.00002-of-00003'* ]]
    [ ! -e many/clean.json ]
}

@test "under Slurm: five arrays, each after the one before" {
    slurm_start || skip "no Slurm could be started"
    crawl
    exits 0 "$root/pipelines/clean" one 12 part?.warc.wet
    kept one/docs >want
    run "$root/pipelines/clean-slurm" out 3 12 --profile mc4 --lang-from header -- part?.warc.wet
    [ "$status" -eq 0 ] && [ "${#lines[@]}" -eq 5 ]
    for _ in $(seq 300); do
        [ -n "$(squeue -h)" ] || break
        sleep 0.2
    done
    [ -z "$(squeue -h)" ]
    cat out/log/* >log
    kept out/docs | diff - want
}
