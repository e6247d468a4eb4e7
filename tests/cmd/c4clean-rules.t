#!/usr/bin/env bats
# c4clean: rules by name, by group and by number, and those beyond C4
load ../helper

@test "a rule's number, a preset, marks of all scripts" {
    printf '{"text":"%s","timestamp":"2020-01-01T00:00:00Z","url":"a.example/%s","lang":"en"}\n' \
        'One two three.\nOne two three four.\nThree of us here.' 1 \
        "They said 'we are here to stay'\\nOne two. Three four. Five six.\\nThe end of it is near. We all know." 2 >in
    c4clean -q -p c4 --lang-from header --rule too_short=3 -o out in
    [ "$(jq -r .url out)" = $'a.example/1\na.example/2' ]
    ! jq -r .text out | grep -q stay
    c4clean -q -p c4 --lang-from header --rule too_short=4 --rule too_few_sentences=2 -o out in
    [ "$(jq -r '.text | length' out | head -1)" -eq 37 ]
    c4clean -q -p c4 --lang-from header --preset datatrove -o out in
    [ "$(jq -r .url out)" = a.example/2 ]
    jq -r .text out | grep -q stay
    c4clean -q -p c4 --lang-from header --preset datatrove --rule too_few_sentences=7 -o out in
    [ ! -s out ]
    printf '{"text":"这里的山很高。\\n这里没有\\n「走吧。」","timestamp":"2020-01-01T00:00:00Z","url":"b.example","lang":"zh"}\n' >zh
    c4clean -q -p mc4 --lang-from header --without paragraphs --with no_endmark --terminal-marks all -o out zh
    [ "$(jq -r .text out)" = $'这里的山很高。\n「走吧。」' ]
}

@test "rules that are none, numbers that are none" {
    for bad in '--with none' '--without none' '--rule none=3' '--rule too_short' '--rule citations=1' \
        '--rule too_short=' '--rule too_short=x' '--rule too_short=-1' '--rule too_short=nan'; do
        # shellcheck disable=SC2086
        exits 2 c4clean -p c4 $bad /dev/null
    done
}
