#!/usr/bin/env bats
# No room of src/ includes one that its line in src/layers does not name.
load ../helper

@test "rooms include only what src/layers allows" {
    bad=0
    while read -r room may; do
        case $room in '' | '#'*) continue ;; esac
        allowed=$(tr ' ' '\n' <<<"$room $may" | sed 's,^[a-z]*$,&/.*,' | paste -sd'|')
        if grep -nE '^#include "[a-z0-9]+/' "$root/src/$room"/*.[ch] |
            grep -vE "\"($allowed)\""; then
            echo "... but $room may include only: $may"
            bad=1
        fi
    done <"$root/src/layers"
    [ "$bad" -eq 0 ]
}

@test "every room has a line in src/layers, and no room is one file" {
    for d in "$root"/src/*/; do
        room=$(basename "$d")
        grep -q "^$room\( \|\$\)" "$root/src/layers" || { echo "$room: no line"; false; }
    done
}

@test "each foreign door has one keeper" {
    cd "$root"
    run grep -rlE '#include <(mpi|cblas|dnnl|immintrin)\.h>' src
    [ "$(echo "$output" | grep -vcE '^src/(comm/mpi(_[a-z]+)?\.[ch]|nn/gemm(16)?\.c|kernel/[a-z0-9_]+\.[ch])$')" -eq 0 ]
}

@test "no file is over 500 lines" {
    cd "$root"
    run awk 'FNR == 501 { print FILENAME; bad = 1 } END { exit bad }' src/*/*.[ch] \
        tests/*/*.[ch] tests/*/*/*.[ch]
    echo "$output"
    [ "$status" -eq 0 ]
}
