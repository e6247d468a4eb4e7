#!/usr/bin/env bats
# what make install puts where, and that it runs from there
load ../helper

@test "an installed tree is whole and runs" {
    make -s -C "$root" install DESTDIR="$PWD/inst" PREFIX=/usr >/dev/null
    for src in "$root"/src/cmd/*.c; do
        tool=$(basename "$src" .c)
        "inst/usr/bin/$tool" --version
        [ -s "inst/usr/share/man/man1/$tool.1" ]
        bash -c "source inst/usr/share/bash-completion/completions/$tool"
        grep -q "#compdef $tool" "inst/usr/share/zsh/site-functions/_$tool"
    done
    # presets are found beside the tool that was started
    env -u SWITCHYARD_SHARE inst/usr/bin/switch-plan switch-base-128 | grep -q 7415217408
    # pipelines find their words
    run inst/usr/share/switchyard/pipelines/clean
    [ "$status" -eq 1 ]
    [[ $output == 'clean: usage: '* ]]
}
