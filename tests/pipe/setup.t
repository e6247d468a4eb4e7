#!/usr/bin/env bats
# shell/setup: silent where all is there; says what is missing where it may not install
load ../helper

@test "nothing is missing here" {
    run "$root/shell/setup" --list
    [ "$status" -eq 0 ] && [ -z "$output" ]
}

@test "without the right to install, it names the packages" {
    mkdir fake
    printf '#!/bin/sh\ncase $* in *bats|*jq) echo not-installed ;; *) echo installed ;; esac\n' \
        >fake/dpkg-query
    printf '#!/bin/sh\necho 1000\n' >fake/id
    printf '#!/bin/sh\nexit 1\n' >fake/sudo
    chmod +x fake/*
    PATH=$PWD/fake:$PATH run "$root/shell/setup"
    [ "$status" -eq 1 ]
    [[ $output == *'apt-get install bats jq' ]]
}
