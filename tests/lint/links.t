#!/usr/bin/env bats
# Tools of the text wing load neither MPI nor BLAS.
load ../helper

@test "only the net's tools load MPI or BLAS" {
    bad=0
    for src in "$root"/src/cmd/*.c; do
        tool=$(basename "$src" .c)
        case $tool in switch-plan) ;; switch-*) continue ;; esac
        if readelf -d "$(command -v "$tool")" | grep -E 'NEEDED.*(mpi|blas)'; then
            echo "... by $tool"
            bad=1
        fi
    done
    [ "$bad" -eq 0 ]
}
