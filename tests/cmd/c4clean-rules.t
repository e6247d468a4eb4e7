#!/usr/bin/env bats
# c4clean: rules by name, by group and by number, and those beyond C4
load ../helper
export SWITCHYARD_SHARE=$root/share

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

prose() { # WORD: a page that mC4 keeps, its lines by this word
    for i in 1 2 3; do
        printf '%s %d: %s\n' "$1" "$i" "$(seq -s " $1 " 100)"
    done
}

@test "pages of some sites alone, of some URLs alone, without some" {
    for i in http://www.example.com/one http://example.com/six http://sport.example.co.uk/ \
        http://news.example.co.uk/plum http://other.example.net/pear/peach; do
        prose "$i" | page 1 "$i"
    done >in
    keeps() { c4clean -q -p mc4 --lang-from header --stats s.json --rejects r "$@" in | jq -r .url | tr '\n' ' '; }
    counted() { jq -r '.counted | keys[] as $k | select($k | test("^(realnews|webtext|dupl)")) | "\($k)=\(.[$k])"' s.json | tr '\n' ' '; }
    reasons() { jq -r .reason r | sort | uniq -c | tr -s ' \n' ' '; }
    [ "$(keeps --domains "$DATA/lists/domains.json")" = 'http://www.example.com/one http://example.com/six http://news.example.co.uk/plum ' ]
    [ "$(counted)" = 'duplicate-url-filter:passed=3 realnews-domain-filter:passed=3 ' ]
    [ "$(reasons)" = ' 1 realnews-domain-filter:filtered:bad_domain 1 realnews-domain-filter:filtered:bad_subdomain ' ]
    [ "$(keeps --domains "$DATA/lists/domains.json" --without bad_subdomain | wc -w)" -eq 4 ]
    [ "$(keeps --urls "$DATA/lists/urls")" = 'http://www.example.com/one ' ]
    [ "$(counted)" = 'duplicate-url-filter:passed=5 webtextlike-filter:missing-page=2 webtextlike-filter:passed=1 ' ]
    [ "$(reasons)" = ' 4 webtextlike-filter:filtered ' ]
    [ "$(keeps --blocklist "$DATA/lists/block")" = 'http://sport.example.co.uk/ ' ]
    [ "$(reasons)" = ' 2 url-filter:filtered:domain 1 url-filter:filtered:hard_blacklisted 1 url-filter:filtered:soft_blacklisted ' ]
    [ "$(keeps --blocklist "$DATA/lists/block" --rule blocked_soft_words=3 --without blocked_domain | wc -w)" -eq 4 ]
    exits 2 c4clean -p mc4 --with blocked_url in
    [[ $output == *'rules of the group blocklist need --blocklist'* ]]
    refuses c4clean -q -p mc4 -l en --domains nowhere in
    refuses c4clean -q -p mc4 -l en --urls nowhere in
    refuses c4clean -q -p mc4 -l en --blocklist nowhere in
}

@test "the passes of a shared run agree on lists" {
    for i in http://example.com/a http://example.net/b; do prose "$i" | page 1 "$i"; done >in
    run_pass() { c4clean -q -p mc4 --lang-from header --winners w --task 1/1 --pass "$@"; }
    run_pass urls --domains "$DATA/lists/domains.json" in
    run_pass merge-urls --domains "$DATA/lists/domains.json"
    run_pass lines --domains "$DATA/lists/domains.json" in
    run_pass merge-lines --domains "$DATA/lists/domains.json"
    [ "$(run_pass filter --domains "$DATA/lists/domains.json" in | jq -r .url)" = http://example.com/a ]
    run run_pass filter in
    [ "$status" -eq 1 ]
}

@test "addresses are masked in what is written, the same from any pass and thread" {
    { prose one | sed '2s/$/ Write to me@home.example.net, at 8.8.8.8./'; } | page 1 http://a.example/ >in
    prose two | page 1 http://b.example/ >>in
    mask() { c4clean -q -p mc4 --lang-from header --stats s.json "$@" in; }
    mask --with pii >out
    [ "$(jq -r .text out | grep -c 'Write to email@example.com, at 192.0.2.1\.$')" -eq 1 ]
    [ "$(jq -r .text out | wc -l)" -eq 6 ]
    jq -e '.counted["pii:page-edited:email"] == 1 and .counted["pii:page-edited:ipv4"] == 1' s.json
    [ "$(mask --with mask_ipv4 | grep -c 'me@home.example.net, at 192.0.2.1')" -eq 1 ]
    [ "$(mask | grep -c 'me@home.example.net, at 8.8.8.8')" -eq 1 ]
    mask --with pii -j 3 | cmp - out
    for pass in urls merge-urls lines merge-lines filter; do
        files=in
        case $pass in merge-*) files= ;; esac
        # shellcheck disable=SC2086
        c4clean -q -p mc4 --lang-from header --with pii --winners w --task 1/1 --pass $pass $files >again
    done
    cmp again out
}

@test "--explain: the evidence of a rule with a number is a comparison that holds, on real pages" {
    need_shared data/crawl/wet
    c4clean -q -p c4 -l en --with gopher --with fineweb --explain "$SHARED"/data/crawl/wet/{core,hplt-cc}*.gz |
        awk -F'\t' '$4 == "drop-page" && $3 !~ /:/ && $5 ~ /^[0-9.e+-]+ [<>]/ {
            split($5, a, " "); n[$3]++
            if (a[2] == "<" ? a[1] + 0 >= a[3] + 0 : a[1] + 0 <= a[3] + 0) print "no: " $0
            if ($5 ~ /: [0-9]+ of [0-9]+ /) {
                split($5, b, ": "); split(b[2], c, " ")
                d = c[1] / c[3] - a[1]
                if (d > 0.006 || d < -0.006) print "no: " $0
            } }
            END { for (r in n) rules++; print (rules > 12) }' >said
    [ "$(cat said)" = 1 ]
}
