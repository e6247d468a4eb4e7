#!/usr/bin/env bats
# c4clean: rules by name, by group and by number, and those beyond C4
load ../helper

@test "a rule's number, a preset, marks of all scripts" {
    printf '{"text":"%s","timestamp":"2020-01-01T00:00:00Z","url":"a.example/%s","lang":"en"}\n' \
        'One two three.\nOne two three four.\nThree of us here.' 1 \
        "They said 'we are here to stay'\\nOne two. Three four. Five six.\\nThe end of it is near. We all know." 2 >in
    c4clean -q -p c4 --lang-from header --rule too_short=3 -o out in
    [ "$(jq -r .url out)" = $'a.example/1\na.example/2' ]
    [ "$(jq -r .text out | grep -c stay)" -eq 0 ]
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

page() { # N URL: a document of what is on standard input, N times
    jq -Rsc --arg url "$2" --argjson n "$1" \
        '{text: (. * $n), timestamp: "2020-01-01T00:00:00Z", url: $url, lang: "en"}'
}

@test "Gopher's and FineWeb's rules by group, by name, and off" {
    cat >prose <<'END'
The river that runs by our town has its source in the hills to the east.
In spring it rises with the melting snow, and the meadows have to be fenced off.
Farmers bring their cattle up again once the grass is dry enough.
My grandfather used to say that a wet April makes a rich summer.
He was seldom wrong, although nobody has ever kept a record of it.
END
    { page 1 a.example <prose; echo 'buy it now' | page 40 b.example; seq -s ' ' 99 | page 1 c.example
        { sed 's/^/Note: /' prose; for i in pots pans cups; do echo "- $i"; done; } | page 1 d.example; } >in
    keeps() { c4clean -q -p mc4 --lang-from header --without paragraphs --rejects r "$@" in | jq -r .url | tr '\n' ' '; }
    [ "$(keeps)" = 'a.example b.example c.example d.example ' ]
    [ "$(keeps --with gopher)" = 'a.example d.example ' ]
    [ "$(jq -r .reason r)" = $'gopher-repetition-filter:filtered:dup_line_frac\ngopher-quality-filter:filtered:gopher_below_avg_threshold' ]
    [ "$(keeps --with gopher_quality)" = 'a.example d.example ' ]
    [ "$(keeps --with gopher --without gopher_quality)" = 'a.example c.example d.example ' ]
    [ "$(keeps --with gopher_short_doc --rule gopher_short_doc=71)" = 'b.example c.example d.example ' ]
    [ "$(keeps --with fineweb)" = 'a.example d.example ' ]
    [ "$(keeps --with fineweb --rule line_punct_ratio=0.7)" = 'a.example ' ]
    [ "$(keeps --with list_ratio --rule list_ratio=0)" = 'c.example ' ]
}
