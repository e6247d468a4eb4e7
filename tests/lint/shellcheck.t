#!/usr/bin/env bats
# Shell is clean.
load ../helper

@test "shellcheck finds nothing" {
    cd "$root"
    grep -lE '^#!.*(bash|sh|bats)$|shellcheck shell=' .ci/* shell/* pipelines/* tests/*.bash \
        tests/*/*.t tests/bench/* tests/soak 2>/dev/null | xargs shellcheck -x
}
