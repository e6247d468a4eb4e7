#!/usr/bin/env bats
# Every tool has a page, a test and a row in the tour; page and --help name the same options.
load ../helper

@test "page and --help agree" {
    bad=0
    for src in "$root"/src/cmd/*.c; do
        tool=$(basename "$src" .c)
        "$tool" --help | grep -oE '^ +(-., )?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+' |
            grep -vxE -- '--(help|version|completion)' | sort -u >want
        grep -oE 'Fl \\-[a-z0-9-]+' "$root/man/man1/$tool.1" | sed 's/Fl \\-/--/' |
            grep -vxE -- '--(help|version|completion)' | sort -u >got
        diff -u --label "$tool --help" --label "$tool.1" want got || bad=1
    done
    [ "$bad" -eq 0 ]
}

@test "pages are clean" {
    mandoc -T lint -W warning "$root"/man/man*/*
}

@test "every tool has a page, a test and a row in switchyard(7)" {
    bad=0
    for src in "$root"/src/cmd/*.c; do
        tool=$(basename "$src" .c)
        [ -f "$root/man/man1/$tool.1" ] || { echo "$tool: no page"; bad=1; }
        ls "$root"/tests/cmd/"$tool".t >/dev/null || { echo "$tool: no test"; bad=1; }
        grep -q "Xr $tool 1" "$root/man/man7/switchyard.7" || { echo "$tool: not in the tour"; bad=1; }
    done
    [ "$bad" -eq 0 ]
}

@test "every page says EXIT STATUS, EXAMPLES and SEE ALSO" {
    bad=0
    for page in "$root"/man/man1/*.1; do
        for s in 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
            grep -q "^\.Sh $s" "$page" || { echo "$page: no $s"; bad=1; }
        done
    done
    [ "$bad" -eq 0 ]
}
