#!/usr/bin/env bats
# eval-report: a page from tables and runs, misuse, damage
load ../helper

tables() {
    printf 'model\tlang\ttargets\tloss\nbig\tfi\t10\t2.5\nbig\tall\t10\t2.5\n' >one.tsv
    printf 'lang\ttargets\tloss\nfi\t10\t3\nsw\t5\t4\nall\t15\t3.33\n' >small.tsv
    mkdir run
    printf 'step\tloss\tseconds\ttokens\n0\t6.1\t1\t100\n1\t5.2\t1\t100\n' >run/metrics.tsv
}

@test "a table on standard input becomes a page with a row a language" {
    tables
    exits 0 sh -c 'eval-report <one.tsv'
    [[ $output == '<!DOCTYPE html>'*'Finnish'*'2.500'* ]]
}

@test "two models: the last is the baseline, and there is a TSV" {
    tables
    exits 0 eval-report -o page.html --tsv page.tsv -r big=run -e big=one.tsv small.tsv
    grep -q 'big &minus; small' page.html
    grep -q '<polyline' page.html
    [ "$(sed -n 2p page.tsv | cut -f 1,9)" = $'fi\t-0.500000' ]
    [ "$(tail -n 1 page.tsv | cut -f 1)" = all ]
}

@test "markup in names is text" {
    tables
    eval-report -t '<b>' -e '<script>=one.tsv' -o page.html
    run grep -c '<script>\|<b></h1>' page.html
    [ "$output" = 0 ]
}

@test "damage is named" {
    tables
    printf 'lang\ttargets\tloss\nfi\tmany\t3\n' >bad.tsv
    refuses eval-report bad.tsv
    [[ $output == *'bad.tsv: row 1: targets'* ]]
    head -n 1 small.tsv >cut.tsv
    refuses eval-report cut.tsv
    [[ $output == *'cut.tsv: a header, but no row' ]]
    refuses eval-report absent.tsv
    refuses eval-report -r x=absent
    refuses eval-report -b nobody one.tsv
    head -c 4096 /dev/urandom >noise
    refuses eval-report noise
    exits 1 sh -c 'eval-report one.tsv >/dev/full'
    exits 1 eval-report -o no/such/folder/page.html one.tsv
    exits 2 eval-report -r run
    exits 2 eval-report --color=red
}
