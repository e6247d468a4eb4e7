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

@test "every reader takes what fuzzers found" {
    for corpus in "$root"/tests/data/fuzz/*.tar.gz; do
        tar -xzf "$corpus"
        target=$(basename "$corpus" .tar.gz)
        [ "$(find "$target" -type f | wc -l)" -ge 50 ]
        here=$PWD
        (cd "$root" && "$fuzz/fuzz_$target" "$here/$target"/*) || { # tasks lie below the root
            echo "$target"
            false
        }
    done
}
