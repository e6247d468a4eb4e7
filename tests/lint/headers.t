#!/usr/bin/env bats
# Every header compiles alone.
load ../helper

@test "every header stands alone" {
    bad=0
    read -ra mpi < <(pkg-config --cflags-only-I ompi-c) # of comm/mpi.h
    for h in "$root"/src/*/*.h; do
        "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 -Wall -Wextra -Werror -fsyntax-only \
            -I"$root/src" "${mpi[@]}" -x c "$h" || bad=1
    done
    [ "$bad" -eq 0 ]
}
