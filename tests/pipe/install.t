#!/usr/bin/env bats
# make install: all that was promised is in place, and works from there
load ../helper
bats_require_minimum_version 1.5.0

setup_file() {
    case ${BIN:-bin} in */build/*) skip "a sanitizer build is not installed" ;; esac
    make -s -C "$root" install DESTDIR="$BATS_FILE_TMPDIR/inst" PREFIX=/usr >"$BATS_FILE_TMPDIR/log" 2>&1
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    inst=$BATS_FILE_TMPDIR/inst/usr
    unset BIN SWITCHYARD_SHARE
    PATH=$inst/bin:/usr/local/bin:/usr/bin:/bin
}

@test "tools, pages, pipelines, shared data and completions are there" {
    for f in "$root"/src/cmd/*.c; do
        tool=$(basename "$f" .c)
        [ -x "$inst/bin/$tool" ]
        [ -s "$inst/share/man/man1/$tool.1" ]
        [ -s "$inst/share/bash-completion/completions/$tool" ]
        grep -q "^#compdef $tool" "$inst/share/zsh/site-functions/_$tool"
        "$inst/bin/$tool" --version
    done
    for s in 1 5 7; do diff -r "$root/man/man$s" "$inst/share/man/man$s"; done
    for d in pipelines shell share; do diff -r "$root/$d" "$inst/share/switchyard/$d"; done
    for f in "$inst"/share/switchyard/pipelines/*; do [ -x "$f" ]; done
    # nothing is written outside of DESTDIR/PREFIX
    [ "$(find "$BATS_FILE_TMPDIR/inst" -maxdepth 2 | wc -l)" -eq 4 ]
    [ "$(cd "$inst" && echo *)" = 'bin share' ]
}

@test "an installed tool finds the presets" {
    [ "$(command -v switch-plan)" = "$inst/bin/switch-plan" ]
    [ "$(switch-plan switch-base-8 | awk -F'\t' '$1 == "parameters" { print $2 }')" = 619339008 ]
}

@test "an installed pipeline finds its words and the installed tools" {
    run "$inst/share/switchyard/pipelines/clean" out
    [ "$status" -eq 1 ] && [[ $output == 'clean: usage: '* ]]
    "$inst/share/switchyard/pipelines/clean" out 12 "$DATA/tiny/tiny.warc.wet.gz"
    [ -s out/clean.json ] && [ -s out/docs/multilingual/c4-fr.tfrecord-00000-of-00001.json.gz ]
    mkdir empty # without the tools on PATH it names what is missing
    for c in bash dirname; do ln -s "$(command -v $c)" empty; done
    cp -R "$inst/share/switchyard" moved
    run env PATH="$PWD/empty" bash moved/pipelines/clean other 12 "$DATA/tiny/tiny.warc.wet.gz"
    [ "$status" -eq 1 ] && [[ $output == "clean: cannot find 'c4clean'"* ]]
}

@test "the tools of an installation are used though they are not on PATH" {
    PATH=/usr/local/bin:/usr/bin:/bin
    run ! command -v c4clean
    "$inst/share/switchyard/pipelines/clean" out 12 "$DATA/tiny/tiny.warc.wet.gz"
    [ -s out/clean.json ]
}

@test "completion of bash loads and knows every option" {
    for f in "$inst"/share/bash-completion/completions/*; do
        run bash -euc 'source "$1"; complete -p "$2"' - "$f" "$(basename "$f")"
        [ "$status" -eq 0 ] && [ "${#lines[@]}" -eq 1 ]
        for o in $("$(basename "$f")" --help | grep -oE -- '^ .{5}--[a-z0-9-]+' | grep -o -- '--.*'); do
            case $o in --completion) ;; *) [[ $output == *"$o"[\ \']* ]] ;; esac
        done
    done
}

@test "completion of zsh is a script of zsh" {
    command -v zsh >/dev/null || skip "no zsh here"
    for f in "$inst"/share/zsh/site-functions/*; do zsh -n "$f"; done
}
