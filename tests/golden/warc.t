#!/usr/bin/env bats
# What is read of crawl files, sound, odd and broken, and what is said of the rest; HTML against WET.
load ../helper

case ${BIN:-} in
*/build/*/bin) pages=${BIN%/bin}/tests/golden/pages ;;
*) pages=$root/build/release/tests/golden/pages ;;
esac

read_one() { # FILE: how many pages that are not lost, and what was counted; or the end of the message
    if c4clean -q --profile mc4 --lang en --stats s.json "$1" >/dev/null 2>err; then
        jq -r '[.in.records - ([.dropped | to_entries[] | select(.key | startswith("damage:")) | .value.records] | add // 0)] + [.counted | to_entries[] | select(.value > 0 and
            (.key | test("^(skipped|damage|http|html|truncated)"))) | "\(.key)=\(.value)"] |
            join(" ")' s.json
    else
        sed 's/.*: //' err
    fi
}

@test "every crawl file: its pages, and each loss with its reason" {
    need_shared data/crawl
    while IFS=$'\t' read -r file; do
        printf '%s\t%s\n' "$file" "$(read_one "$SHARED/data/crawl/$file")"
    done < <(cut -f 1 "$DATA/crawl/files.tsv") >got
    diff -u "$DATA/crawl/files.tsv" got
    [ "$(wc -l <got)" -eq "$(find "$SHARED"/data/crawl/*/ -type f | wc -l)" ]
}

@test "nine in ten lines of WET come out of its WARC" {
    need_shared data/crawl
    for name in cc-2014-eugeneware whirlwind; do
        "$pages" "$SHARED"/data/crawl/wet/$name.warc.wet* text >>wet
        "$pages" "$SHARED"/data/crawl/warc/$name.warc.gz text >>warc
    done
    same=$(grep -cFxf warc wet)
    echo "# $same of $(wc -l <wet) lines" >&3
    [ "$same" -ge 299 ] && [ "$(wc -l <wet)" -eq 321 ]
}
