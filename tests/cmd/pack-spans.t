#!/usr/bin/env bats
# pack-spans: rows and counts, pipes, several shards, damage, misuse
load ../helper

vocab=(vocab.size=32100 eos=1 sentinels=100 sentinel0=32099)

docs() { # N LENGTH [LANGS]: N documents of that many ids, their languages taking turns
    awk -v n="$1" -v len="$2" -v langs="${3:-1}" 'BEGIN {
        split("en fi sw", tag)
        for (d = 0; d < n; d++) {
            printf "%d %s", d, tag[d % langs + 1]
            for (i = 0; i < len; i++)
                printf " %d", 3 + (d * 7919 + i * 31 + i * i) % 30000
            print ""
        }
    }'
}

ids() { # KEY=VALUE...: documents to a token shard
    perl "$root/tests/cmd/make-shard.pl" "${vocab[@]}" "$@"
}

count() { # WHAT: of the statistics
    sed -n "s/^ *\"$1\": \"\{0,1\}\([0-9.]*\).*/\1/p" stats.json
}

header() { # FILE KEY
    head -c 4000 "$1" | grep -a -m 1 "^$2=" | cut -d= -f2-
}

@test "rows, segments and padding are counted; the header says how" {
    docs 256 100 | ids lang=fi >in.ids
    exits 0 pack-spans -q --stats stats.json -o out.ex in.ids
    [ "$output" = '' ]
    # 12,800 ids joined: 22 pieces of 568 and a tail of 304 (274 inputs, 62 targets); the two
    # tails do not fit into 114 targets
    [ "$(count ids)" = 25600 ]
    [ "$(count examples)" = 46 ]
    [ "$(count rows)" = 46 ]
    [ "$(count inputs)" = $((44 * 512 + 2 * 274)) ]
    [ "$(count targets)" = $((44 * 114 + 2 * 62)) ]
    [ "$(count padding_inputs)" = 0.020211 ]
    head -c 100 out.ex | grep -aq 'kind=examples$'
    [ "$(header out.ex inputs)" = 512 ]
    [ "$(header out.ex targets)" = 114 ]
    [ "$(header out.ex density)" = 0.15 ]
    [ "$(header out.ex span)" = 3 ]
    [ "$(header out.ex sentinel0)" = 32099 ]
    [ "$(header out.ex objective)" = span_corruption ]
    [ "$(header out.ex vocab.size)" = 32100 ]
    [ "$(header out.ex lang)" = 'fi' ]
}

@test "put back together, input and target are the documents" {
    docs 128 50 | ids lang=fi >in.ids
    pack-spans in.ids | shard head -n 100 | awk -F'\t' '{
        n = split($1, in_, " ")
        m = split($2, out, " ")
        for (i = j = 1; i < n; i++) {
            if (in_[i] <= 32000) { print in_[i]; continue }
            if (out[j++] != in_[i]) { print "wrong sentinel"; exit }
            while (j < m && out[j] <= 32000) print out[j++]
        }
        if (in_[n] != 1 || out[m] != 1 || j != m) print "wrong end"
    }' >got
    docs 128 50 | cut -d' ' -f3- | tr ' ' '\n' >want
    [ "$(wc -l <want)" = 6400 ]
    cmp got want
}

@test "tails share a row" {
    docs 256 50 | ids lang=fi >in.ids # 6,400 ids joined: 11 pieces and a tail of 152
    pack-spans --stats stats.json -o out.ex in.ids
    [ "$(count examples)" = 24 ]
    [ "$(count rows)" = 23 ]
}

@test "the same bytes from a file, a pipe, standard input, and again" {
    docs 300 77 3 | ids langs=en,fi,sw block=10 >in.ids
    pack-spans <in.ids >a.ex
    pack-spans >b.ex <in.ids
    pack-spans < <(cat in.ids) >c.ex
    cmp a.ex b.ex
    cmp a.ex c.ex
    pack-spans in.ids >named.ex # its header differs: the options
    tail -c 4000 a.ex | head -c 3500 >a.end
    tail -c 4000 named.ex | head -c 3500 >named.end
    cmp a.end named.end
    [ "$(header a.ex langs)" = en,fi,sw ]
    docs 300 77 3 | ids langs=en,fi,sw block=300 >other.ids # other blocks, same documents
    pack-spans <other.ids >d.ex
    tail -c +4000 a.ex >a.end
    tail -c +4000 d.ex >d.end
    cmp a.end d.end
}

@test "best-fit fills rows to 99 %, loses nothing, and counts padding by language" {
    docs 9000 100 3 | awk 'BEGIN { srand(4) } { NF = 3 + int(98 * rand()); print }' | ids langs=en,fi,sw >in.ids
    pack-spans -p greedy --stats stats.json -o greedy.ex in.ids
    greedy=$(count padding_inputs)
    for fit in first-fit best-fit; do
        pack-spans -p $fit --stats stats.json -o $fit.ex in.ids
        echo "$fit $(count padding_inputs) greedy $greedy"
        awk -v a="$(count padding_inputs)" -v b="$greedy" 'BEGIN { exit !(a < b && a < 0.01) }'
        for f in greedy $fit; do
            shard head -n 9000 "$f.ex" | cut -f1,2 | tr '\t|' '\n' | tr ' ' '\n' | sort | uniq -c >"$f.count"
        done
        sed '/ $/d' greedy.count >want
        sed '/ $/d' "$fit.count" | diff want -
    done
    rows=0
    for lang in en 'fi' sw; do
        [ "$(count "rows\.$lang")" -gt 10 ]
        [ "$(count "ids_cut\.$lang")" = 0 ]
        awk -v p="$(count "padding_targets\.$lang")" 'BEGIN { exit !(p > 0 && p < 0.015) }'
        rows=$((rows + $(count "rows\.$lang")))
    done
    [ "$rows" = "$(count rows)" ]
    exits 2 pack-spans -p greedy --open 3 in.ids
}

@test "prefix: input and target are the documents, split anywhere" {
    docs 128 50 | perl "$root/tests/cmd/make-shard.pl" vocab.size=32000 eos=1 sentinels=0 >in.ids
    pack-spans --objective prefix --piece 60 --stats stats.json -o out.ex in.ids
    [ "$(count examples)" = 107 ] # 6,400 ids joined: 106 pieces of 60 and one of 40
    [ "$(header out.ex objective)" = prefix_lm ]
    [ "$(header out.ex targets)" = 512 ]
    [ "$(header out.ex density)" = '' ]
    shard head -n 1000 out.ex | awk -F'\t' '{
        n = split($1, in_, " [|] ")
        m = split($2, out, " [|] ")
        if (n != m) print "segments"
        for (i = 1; i <= n; i++) {
            a = in_[i]; b = out[i]
            if (!sub(/ 1$/, "", a) || !sub(/ 1$/, "", b)) print "no end"
            print a, b
        }
    }' | sort >got
    docs 128 50 | cut -d' ' -f3- | tr '\n' ' ' | xargs -n 60 | sort >want
    diff want got
    awk -v p="$(count padding_inputs)" 'BEGIN { exit !(p < 0.25) }'
    pack-spans --objective prefix -i 128 -t 64 --stats stats.json -o out.ex in.ids
    shard head -n 1000 out.ex | awk -F'\t' '{ gsub(/[|] /, ""); print split($1, a, " "), split($2, a, " ") }' |
        awk '$1 > 128 || $2 > 64 { bad = 1 } END { exit bad }'
}

@test "ul2: a mixture, its modes and shares" {
    docs 3000 400 | ids lang=fi >in.ids
    pack-spans --objective ul2 --stats stats.json -o out.ex in.ids
    [ "$(header out.ex objective)" = ul2 ]
    [ "$(header out.ex denoiser)" = 'span:0.15:3:1,span:0.15:8:1,prefix:1,span:0.5:3:1,span:0.5:8:1,span:0.15:64:1,span:0.5:64:1' ]
    for i in 1 2 3 4 5 6 7; do
        awk -v n="$(count "examples\.$i")" -v all="$(count examples)" \
            'BEGIN { exit !(n > all / 7 * .75 && n < all / 7 * 1.25) }'
    done
    pack-spans --denoiser prefix:3:31001,span:0.5:8:1:31002 --stats stats.json -o out.ex in.ids
    shard head -n 5000 out.ex | cut -f1 | sed 's/ | /\n/g' | cut -d' ' -f1 | sort | uniq -c >modes
    [ "$(awk '$2 == 31001 { print $1 }' modes)" = "$(count 'examples\.1')" ]
    [ "$(awk '$2 == 31002 { print $1 }' modes)" = "$(count 'examples\.2')" ]
    [ "$(wc -l <modes)" = 2 ]
    pack-spans --denoiser prefix:3:31001,span:0.5:8:1:31002 <in.ids >a.ex
    pack-spans --denoiser prefix:3:31001,span:0.5:8:1:31002 < <(cat in.ids) >b.ex
    cmp a.ex b.ex
    pack-spans --denoiser prefix:3:31001,span:0.5:8:1:31002 -e 1 <in.ids >b.ex
    exits 1 cmp -s <(tail -c 4000 a.ex) <(tail -c 4000 b.ex)
    exits 2 pack-spans --denoiser prefix in.ids
    exits 2 pack-spans --denoiser prefix:1:32100 in.ids
    exits 2 pack-spans --objective span --denoiser prefix:1 in.ids
    exits 2 pack-spans --objective ul2 --density 0.3 in.ids
}

@test "rows of each objective are 99 % full on both sides, whatever the documents" {
    docs 12000 150 | awk 'BEGIN { srand(4) } { NF = 3 + int(148 * rand() ^ 4); print }' | ids lang=sw >short.ids
    docs 400 1500 | awk 'BEGIN { srand(4) } { NF = 3 + int(1498 * rand()); print }' | ids lang='fi' >long.ids
    for what in span prefix ul2 'ul2 --denoiser span:0.15:3:2:9,prefix:1:8,span:0.5:3:2:7'; do
        for f in short long; do
            # shellcheck disable=SC2086
            exits 0 pack-spans -i 128 --objective $what --stats stats.json -o out.ex $f.ids
            awk -v a="$(count padding_inputs)" -v b="$(count padding_targets)" \
                'BEGIN { exit !(a <= 0.01 && b <= 0.01) }' || {
                echo "$what of $f: $output"
                return 1
            }
        done
    done
    [[ $output == 'pack-spans: '*' examples in '*' rows, whose 128 inputs are '*' % full, '*' targets '*' %' ]]
    exits 0 pack-spans -q --objective ul2 -i 128 -t 128 --stats stats.json -o out.ex long.ids
    [ "$output" = '' ]
    awk -v a="$(count padding_inputs)" 'BEGIN { exit !(a <= 0.01) }'
    exits 2 pack-spans --pack tile long.ids
    exits 2 pack-spans --objective prefix -i 8 long.ids
    [[ $output == *'--pack best-fit'* ]]
}

@test "shorter pieces share rows" {
    docs 128 71 | ids lang=fi >in.ids
    pack-spans --piece 90 --stats stats.json -o out.ex in.ids
    [ "$(count examples)" = 101 ] # 9,088 ids joined: 100 pieces of 90 and a tail
    [ "$(count rows)" -le 21 ]
}

@test "seed and epoch change the noise, and nothing else" {
    docs 128 71 | ids lang=fi >in.ids
    pack-spans --stats stats.json <in.ids >a.ex
    rows=$(count rows)
    for opts in '-s 1' '-e 1' '--seed=2 --epoch=3'; do
        # shellcheck disable=SC2086
        pack-spans $opts --stats stats.json <in.ids >b.ex
        tail -c 4000 a.ex >a.end
        tail -c 4000 b.ex >b.end
        exits 1 cmp -s a.end b.end # also behind the header
        [ "$(count rows)" = "$rows" ]
    done
}

@test "several shards: languages of all of them, also through pipes" {
    docs 20 400 | ids lang=fi >fi.ids
    docs 10 300 | ids lang=sw >sw.ids
    pack-spans --stats stats.json -o a.ex fi.ids sw.ids
    [ "$(header a.ex langs)" = fi,sw ]
    [ "$(header a.ex lang)" = '' ]
    [ "$(count ids)" = 11000 ]
    grep -q '"fi": {"in": 20, "out": 20' stats.json
    grep -q '"sw": {"in": 10, "out": 10' stats.json
    pack-spans --stats stats.json -o b.ex <(cat fi.ids) <(cat sw.ids)
    [ "$(count ids)" = 11000 ]
    [ "$(header b.ex langs)" = fi,sw ]
    cat fi.ids fi.ids >two.ids # two shards one after the other are a shard
    pack-spans --stats stats.json -o c.ex two.ids
    [ "$(count ids)" = 16000 ]
}

@test "a later segment may bring languages: the output begins another segment too" {
    docs 20 400 | ids lang=fi >fi.ids
    docs 10 300 | ids lang=sw >sw.ids
    docs 600 300 3 | ids langs=sw,en,fi >three.ids
    pack-spans -o want.ex fi.ids sw.ids three.ids
    cat fi.ids sw.ids fi.ids three.ids sw.ids | pack-spans --stats stats.json >got.ex
    [ "$(count ids)" = $((2 * 8000 + 2 * 3000 + 180000)) ]
    grep -q '"fi": {"in": 240, "out": 240' stats.json
    grep -q '"sw": {"in": 220, "out": 220' stats.json
    grep -q '"en": {"in": 200, "out": 200' stats.json
    # a header names what was known when its segment began, and the inputs that brought it
    shard ls got.ex | cut -f10 | paste -sd' ' | grep -qx 'langs fi fi,sw fi,sw,en'
    shard check got.ex | cut -f2,3,5 | tail -n 1 | grep -qx $'whole\t3\t'"$(count rows)"
    [ "$(grep -ac '^parent=' got.ex)" -eq 6 ]
    # the very rows of operands, each in its language
    cat fi.ids sw.ids three.ids | pack-spans -o same.ex
    [ "$(shard sum same.ex | tail -n 1 | cut -f2-)" = "$(shard sum want.ex | tail -n 1 | cut -f2-)" ]
    # segments without a new language begin nothing
    cat three.ids fi.ids sw.ids | pack-spans | shard ls | tail -n +2 | wc -l | grep -qx 1
}

@test "segments of more languages than a header holds are refused" {
    for part in a b; do
        docs 3 5 | sed 's/ en / '$part'1 /' |
            ids langs="$(seq 1 200 | sed "s/^/$part/" | paste -sd,)" >$part.ids
    done
    exits 1 sh -c 'cat a.ids b.ids | pack-spans -o out.ex'
    [[ $output == 'pack-spans: '*'at most 256 languages'* ]]
    [ ! -e out.ex ] && [ ! -e out.ex.part ]
}

@test "empty documents are dropped, long ones give one chunk, zeros go" {
    {
        printf '0 0\n1 0 0 5 0 6\n2 0\n3 0'
        seq -s ' ' 100001 | sed 's/^/ /; s/[0-9]\{5,6\}/777/g'
    } | ids lang=fi >in.ids
    pack-spans --stats stats.json -o out.ex in.ids
    grep -q '"in": {"records": 4' stats.json
    grep -q '"empty": {"records": 2' stats.json
    [ "$(count chunked)" = 1 ]
    [ "$(count ids_zero)" = 2 ]
    cut=$(count ids_cut)
    [ "$cut" = $((100001 - 65536)) ] || [ "$cut" = 65536 ]
    ids lang=fi </dev/null | pack-spans --stats stats.json >none.ex
    [ "$(count rows)" = 0 ]
    [ -s none.ex ]
}

@test "lengths: those of mT5, given targets, too many spans, no sentinels" {
    docs 40 1000 | ids >in.ids
    pack-spans -i 1024 -o out.ex in.ids
    [ "$(header out.ex targets)" = 229 ]
    pack-spans -t 60 -o out.ex in.ids
    [ "$(header out.ex targets)" = 60 ]
    exits 2 pack-spans -i 2048 -o out.ex in.ids
    [[ $output == *'114 spans, but there are 100 sentinels'* ]]
    pack-spans -i 2048 -m 5 -o out.ex in.ids
    exits 2 pack-spans -x 20 -o out.ex in.ids
    exits 2 pack-spans -x 101 -o out.ex in.ids
    docs 4 10 | perl "$root/tests/cmd/make-shard.pl" vocab.size=32000 eos=1 sentinels=0 >bare.ids
    refuses pack-spans -o out.ex bare.ids
    [[ $output == *'no sentinels'* ]]
    docs 4 10 | perl "$root/tests/cmd/make-shard.pl" vocab.size=250100 >plain.ids
    pack-spans -o out.ex plain.ids
    [ "$(header out.ex sentinel0)" = 250099 ]
}

@test "what is cut or damaged is named, and nothing is left of the output" {
    docs 200 100 | ids lang=fi block=20 >in.ids
    size=$(stat -c %s in.ids)
    for n in 0 1 31 32 100 2000 $((size / 2)) $((size - 200)) $((size - 136)) $((size - 1)); do
        head -c "$n" in.ids >cut.ids
        refuses pack-spans -o out.ex cut.ids
        head -c "$n" in.ids | refuses pack-spans -o out.ex
    done
    cp in.ids bad.ids
    printf '\377' | dd of=bad.ids bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
    refuses pack-spans -o out.ex bad.ids
    [[ $output == *bad.ids* ]]
    head -c 100000 /dev/urandom >noise
    refuses pack-spans -o out.ex noise
    refuses pack-spans -o out.ex absent.ids
    pack-spans -o ex.ex in.ids
    refuses pack-spans -o out.ex ex.ex # a shard, but of examples
    docs 5 5 | perl "$root/tests/cmd/make-shard.pl" vocab.size=100 >small.ids
    refuses pack-spans -o out.ex in.ids small.ids
    [[ $output == *small.ids* ]]
    [ ! -e out.ex ] && [ ! -e out.ex.part ]
}

@test "damage can be passed over" {
    docs 200 100 | ids lang=fi block=20 >bad.ids
    size=$(stat -c %s bad.ids)
    printf '\377' | dd of=bad.ids bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
    exits 0 pack-spans --skip-damage --stats stats.json -o out.ex bad.ids
    [[ $output == *bad.ids* ]]
    [ "$(count damage)" = 1 ]
    [ "$(count ids)" = 18000 ] # a block of 20 documents is gone
}

@test "a full disk and misuse" {
    docs 200 100 | ids lang=fi >in.ids
    exits 1 sh -c 'pack-spans in.ids >/dev/full'
    [[ $output == 'pack-spans: '* ]]
    exits 1 pack-spans -o no/such/folder/x in.ids
    exits 1 pack-spans --stats /dev/full -o out.ex in.ids
    exits 2 pack-spans --density 2 in.ids
    exits 2 pack-spans --inputs many in.ids
    exits 2 pack-spans --color
}

@test "a reader that leaves early is no error message" {
    docs 3000 100 | ids lang=fi >in.ids
    run bash -c 'pack-spans in.ids | head -c 10 >/dev/null; echo ${PIPESTATUS[0]}'
    [ "$output" = 141 ] || [ "$output" = 0 ]
}
