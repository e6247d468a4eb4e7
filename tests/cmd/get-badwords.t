#!/usr/bin/env bats
# shell/get-badwords: lists out of a package of a stand-in registry, whole or not at all
load ../helper

registry() { # LIST...: a registry with these files in its package, whose SHA-256 is exported
    mkdir -p r/naughty-words/- p/package
    cp "$@" p/package
    tar -czf r/naughty-words/-/naughty-words-1.2.0.tgz -C p package
    BADWORDS_SHA256="$(sha256sum <r/naughty-words/-/naughty-words-1.2.0.tgz | cut -d' ' -f1)"
    NPM_REGISTRY=file://$PWD/r
    export NPM_REGISTRY BADWORDS_SHA256
}

@test "a file a language, a word a line, that c4clean reads" {
    echo '["plum", "ripe fig"]' >en.json
    echo '["pflaume", " ", "birne"]' >de.json
    echo '{"name": "naughty-words"}' >package.json
    registry en.json de.json package.json
    exits 0 get-badwords lists
    [ "$(echo lists/*)" = 'lists/de lists/en' ]
    [ "$(cat lists/en)" = $'plum\nripe fig' ]
    [ "$(cat lists/de)" = $'pflaume\nbirne' ]
}

@test "nothing is left of what went wrong" {
    echo '["pflaume"]' >de.json
    registry de.json
    exits 1 get-badwords lists
    [[ $output == *'holds no English list'* ]]
    BADWORDS_SHA256=0 exits 1 get-badwords lists
    [[ $output == *'another SHA-256'* ]]
    NPM_REGISTRY=file://$PWD/none exits 1 get-badwords lists
    [[ $output == *'cannot fetch'* ]]
    [ -z "$(compgen -G 'lists*')" ]
    mkdir lists
    exits 1 get-badwords lists
    [[ $output == *'is there already'* ]]
    exits 1 get-badwords
}
