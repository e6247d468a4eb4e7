#!/usr/bin/env bats
# A failed test can be found by what it prints: a program's group is its own path.
load ../helper

@test "every unit test is named after its room and file" {
    bad=0
    cd "$root/tests/unit"
    for f in */test_*.c; do
        name=${f/test_/} name=${name%.c}
        grep -q "^TESTS(\"$name\"," "$f" || {
            echo "$f: $(grep -o '^TESTS("[^"]*"' "$f"): not $name"
            bad=1
        }
    done
    [ "$bad" -eq 0 ]
}

@test "every unit test stands in a room of src" {
    for d in "$root"/tests/unit/*/; do
        [ -d "$root/src/$(basename "$d")" ] || { echo "$d: no such room"; false; }
    done
}
