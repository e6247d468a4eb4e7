#!/usr/bin/env bats
# switch-upcycle: misuse (what it makes is tested with switch-convert)
load ../helper

@test "misuse, and a model that is not there" {
    exits 2 switch-upcycle
    exits 2 switch-upcycle -E 0 -o x y
    refuses switch-upcycle -E 2 -o x absent
    [ ! -e x ]
}
