#!/usr/bin/env bats
# The fuzz targets on what they start from: no crash, no promise broken.
load ../helper

case ${BIN:-} in
*/build/*/bin) fuzz=${BIN%/bin}/tests/fuzz ;;
*) fuzz=$root/build/release/tests/fuzz ;;
esac

@test "every reader takes every file that a fuzzer starts from" {
    "$root/tests/fuzz/seeds.pl" .
    [ "$(find . -type f | wc -l)" -eq 74 ]
    for target in */; do
        "$fuzz/fuzz_${target%/}" "$target"* || {
            echo "$target"
            false
        }
    done
}
