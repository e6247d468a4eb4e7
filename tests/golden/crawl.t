#!/usr/bin/env bats
# The pages that the reference's reader finds in every crawl file, sound or damaged.
load ../helper

case ${BIN:-} in
*/build/*/bin) pages=${BIN%/bin}/tests/golden/pages ;;
*) pages=$root/build/release/tests/golden/pages ;;
esac

golden() { # FOLDER NAME: its pages, as `pages` prints them
    zcat "$SHARED/data/golden-clean/$1/$2.en.pages.jsonl.gz" |
        jq -r '[.url, .ts, .chars, .md5_text] | join("\t")'
}

@test "--reference-parsing finds the reference's pages, to the byte" {
    need_shared data/golden-clean
    n=0
    for file in "$SHARED"/data/crawl/wet/* "$SHARED"/data/crawl/broken/*; do
        case $file in */wet/*) folder=each ;; *) folder=broken ;; esac
        name=$(basename "$file")
        "$pages" "$file" >got
        golden "$folder" "${name%%.*}" >want
        diff -u want got >differ || { head "$file" differ; false; }
        n=$((n + $(wc -l <got)))
    done
    [ "$n" -eq 2313 ]
}

@test "where files are sound the default reader finds the same, and lines the reference loses" {
    need_shared data/golden-clean
    for name in cc-2014-eugeneware ccnet_sample ccst_filter_test_1 core-5langs-a hplt-cc100 \
        hplt-dolma-en-ru hplt-zh-a oscar-lines-a tfds_cc_1 whirlwind; do
        "$pages" "$SHARED"/data/crawl/wet/$name.* default >>got
        golden each $name >>want
    done
    [ "$(wc -l <got)" -eq "$(wc -l <want)" ]
    # one page of 2,132 has a line that begins with "Content-", which the reference takes for a header
    [ "$(diff want got | grep -c '^>')" -eq 1 ]
    diff want got | grep -q '^> https://sammacbeth.eu/.*	5874	'
}

@test "of broken files the default reader finds all that the reference finds, and 22 pages more" {
    need_shared data/golden-clean
    more=0
    for file in "$SHARED"/data/crawl/broken/*; do
        name=$(basename "$file")
        "$pages" "$file" default 2>/dev/null >got
        golden broken "${name%%.*}" >want
        grep -vxFf got want >lost || true
        [ ! -s want ] || [ ! -s lost ] || { head "$file" lost; false; }
        more=$((more + $(wc -l <got) - $(wc -l <want)))
    done
    [ "$more" -eq 22 ]
}
