#!/usr/bin/env bats
# Every header compiles alone.
load ../helper

@test "every header stands alone" {
    bad=0
    for h in "$root"/src/*/*.h; do
        "${CC:-cc}" -std=c11 -D_XOPEN_SOURCE=700 -Wall -Wextra -Werror -fsyntax-only \
            -I"$root/src" -x c "$h" || bad=1
    done
    [ "$bad" -eq 0 ]
}
