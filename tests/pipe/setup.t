#!/usr/bin/env bats
# setup: silent where nothing is missing; where it cannot install, it says what to install
load ../helper

fake() { # NAME TEXT: a command that comes first on PATH
    mkdir -p fake
    printf '#!/bin/sh\n%s\n' "$2" >"fake/$1"
    chmod +x "fake/$1"
    PATH=$PWD/fake:$PATH
}

named() { # what shell/packages names
    grep -v '^ *#' "$root/shell/packages" | grep .
}

@test "what is installed is not missing" {
    fake dpkg-query 'printf installed'
    fake apt-get 'echo "apt-get was called"; exit 1'
    run "$root/shell/setup" --list
    [ "$status" -eq 0 ] && [ -z "$output" ]
    run "$root/shell/setup"
    [ "$status" -eq 0 ] && [ -z "$output" ]
}

@test "nothing is missing here" {
    command -v dpkg-query >/dev/null || skip "this is not Debian"
    run "$root/shell/setup" --list
    [ "$status" -eq 0 ] && [ -z "$output" ]
}

@test "--list names what is missing and installs nothing" {
    # shellcheck disable=SC2016
    fake dpkg-query 'for p; do :; done; case $p in jq) exit 1 ;; bats) printf config-files ;; *) printf installed ;; esac'
    fake apt-get 'touch called'
    run "$root/shell/setup" --list
    [ "$status" -eq 0 ]
    [ "$(sort <<<"$output")" = "$(named | grep -xE 'jq|bats' | sort)" ]
    [ ! -e called ]
}

@test "no root and no sudo: what to install by hand" {
    # shellcheck disable=SC2016
    fake dpkg-query 'for p; do :; done; case $p in jq | bats) exit 1 ;; *) printf installed ;; esac'
    fake id 'echo 1000'
    fake sudo 'exit 1'
    fake apt-get 'touch called'
    run "$root/shell/setup"
    [ "$status" -eq 1 ]
    [[ $output == 'setup: not root and no sudo without a password'* ]]
    [[ ${lines[-1]} == *'apt-get install '*jq* && ${lines[-1]} == *bats* ]]
    [ ! -e called ]
}

@test "root: the missing ones are installed, with an update where that helps" {
    # shellcheck disable=SC2016
    fake dpkg-query 'for p; do :; done; case $p in jq) exit 1 ;; *) printf installed ;; esac'
    fake id 'echo 0'
    # shellcheck disable=SC2016
    fake apt-get 'echo "$*" >>calls; case $1 in update) touch fresh ;; *) [ -e fresh ] ;; esac'
    run "$root/shell/setup"
    [ "$status" -eq 0 ] && [ "$output" = 'setup: installing jq' ]
    [ "$(cut -d' ' -f1 calls | paste -sd' ')" = 'install update install' ]
    grep -q '^install .*--no-install-recommends jq$' calls
    fake apt-get 'exit 100'
    run "$root/shell/setup"
    [ "$status" -eq 1 ] && [[ $output == *'setup: apt-get update failed; '*'apt-get install jq' ]]
}

@test "where there is no dpkg, that is said" {
    mkdir bare
    for c in bash dirname; do ln -s "$(command -v $c)" bare; done
    run env PATH="$PWD/bare" bash "$root/shell/setup"
    [ "$status" -eq 1 ] && [[ $output == 'setup: no dpkg-query: this is not Debian'* ]]
}
