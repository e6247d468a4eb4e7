#!/usr/bin/env bats
# langid-train: a tiny model that is right, the same for any -j, misuse, bad lines, damage
load ../helper

tiny=(-g 'char2:512:4,char3:512:4,script_shares:103:4' -w 16 -n 3000 --max-chars 200 --measure 256)

# Three made-up languages: syllables of their own, 40 texts each.
texts() { # SEED
    awk -v x="$1" '
        function below(n) { x = (x * 16807) % 2147483647; return int(x / 65536) % n }
        function text(label, syllables, i, j, s, n) {
            n = split(syllables, of, " ")
            for (i = 0; i < 40; i++) {
                s = label "\t"
                for (j = 0; j < 60; j++)
                    s = s of[below(n) + 1] (below(5) < 2 ? " " : "")
                print s
            }
        }
        BEGIN {
            text("aa", "ba da ga lo mo no")
            text("bb", "ki pe ti sy ve zi")
            text("ru", "кра бло три дру сма вле")
        }'
}

train() { # MODEL OPTION... : tells nothing
    langid-train -q "${tiny[@]}" -o "$@"
}

@test "a model of three languages tells them apart" {
    texts 1 >a.tsv
    texts 2 >b.tsv
    train m.langid a.tsv
    langid-train -e m.langid b.tsv >score.tsv
    [ "$(head -n 1 score.tsv | cut -f 1-5 | tr '\t' ' ')" = 'label n right recall precision' ]
    [ "$(cut -f 1 score.tsv | paste -sd' ')" = 'label aa bb ru all' ]
    awk -F'\t' 'NR > 1 && $2 != ($1 == "all" ? 120 : 40) { exit 1 }' score.tsv
    awk -F'\t' '$1 == "all" && ($4 < 0.95 || $7 < 0.95) { exit 1 }' score.tsv
}

@test "wrong answers are counted where they belong" {
    texts 1 >a.tsv
    train m.langid a.tsv
    # 10 texts of aa under the label of bb: bb loses recall, aa precision
    texts 2 | awk '/^aa/ && n++ < 10 { sub("aa", "bb") } 1' >b.tsv
    langid-train -e m.langid b.tsv >score.tsv
    awk -F'\t' '$1 == "bb" && ($2 != 50 || $3 > 40 || $10 !~ /^aa:/) { exit 1 }' score.tsv
    awk -F'\t' '$1 == "aa" && ($2 != 30 || $5 > 0.8) { exit 1 }' score.tsv
}

@test "the same bytes for any -j and any order of files, others for another seed" {
    texts 1 >a.tsv
    sort -r a.tsv | gzip >b.tsv.gz
    train 1.langid -j 1 a.tsv
    train 2.langid -j 2 --origin x <a.tsv
    train 3.langid -j 3 --origin x b.tsv.gz
    train 4.langid -j 1 --origin x a.tsv
    train 5.langid -s 1 --origin x a.tsv
    cmp 2.langid 3.langid
    cmp 2.langid 4.langid
    run cmp 1.langid 2.langid    # what it was made with differs
    [ "$status" -eq 1 ]
    run cmp 2.langid 5.langid
    [ "$status" -eq 1 ]
}

@test "bad lines are left out, named and counted" {
    {
        printf 'lang\ttext\n'
        texts 1
        printf 'no tab here\n\tno label\naa\t \nbb\tnot \377 UTF-8\nno good label\ttext\n'
    } >a.tsv
    exits 0 langid-train "${tiny[@]}" -o m.langid a.tsv
    [[ $output == *'a.tsv:122: no tab'* ]]
    [[ $output == *'a.tsv:123: no label before the tab'* ]]
    [[ $output == *'a.tsv:124: no text behind the tab'* ]]
    [[ $output == *'a.tsv:125: the text is not UTF-8'* ]]
    [[ $output == *'a.tsv:126: no label before the tab'* ]]
    [[ $output == *'5 lines are no labelled text: left out'* ]]
    exits 1 langid-train --strict "${tiny[@]}" -o n.langid a.tsv
    [[ $output == *'a.tsv:122: no tab'* ]] && [ ! -e n.langid ]
}

@test "labels go by their canonical name" {
    texts 1 | sed 's/^ru/rus/; s/^aa/he-IL/' >a.tsv
    train m.langid a.tsv
    langid-train -e m.langid a.tsv | cut -f 1 | paste -sd' ' >got
    [ "$(cat got)" = 'label bb iw ru all' ]
}

@test "texts to be kept apart are, and texts that come twice count once" {
    texts 1 >a.tsv
    # a piece of the 7th text, in capitals and with other spaces between its letters
    sed -n 7p a.tsv | cut -f 2 | tr -d ' ' | cut -c 20-70 | tr '[:lower:]' '[:upper:]' | sed 's/./& /g' >apart
    exits 0 langid-train "${tiny[@]}" -a apart -o m.langid a.tsv a.tsv
    [[ $output == *'left out: 2 apart, 119 twice'* ]]
}

@test "a text whose label is doubted is dropped" {
    texts 1 | awk '/^aa/ && n++ == 3 { sub("aa", "ru") } 1' >a.tsv
    exits 0 langid-train "${tiny[@]}" --doubt 0.1 -n 30000 -o m.langid a.tsv
    [[ $output == *' 1 doubted'* ]]
}

@test "a label that weighs more wins where nothing tells it from another" {
    texts 1 | awk -F'\t' '$1 == "aa" { print; print "cc\t" $2 }' >a.tsv
    for way in aa cc; do
        train m.langid --weigh $way:20 --doubt 0 a.tsv
        langid-train -e m.langid a.tsv >score.tsv
        [ "$(awk -F'\t' -v l=$way '$1 == l { print $4 }' score.tsv)" = 1.0000 ]
    done
}

@test "what is held out is measured" {
    texts 1 >a.tsv
    exits 0 langid-train "${tiny[@]}" --hold-out 0.3 -o m.langid a.tsv
    [[ $output =~ held\ out:\ ([0-9.]+)\ % ]]
    awk -v right="${BASH_REMATCH[1]}" 'BEGIN { exit !(right > 90) }'
    n=$(langid-train -e m.langid --hold-out 0.3 a.tsv | awk -F'\t' '$1 == "all" { print $2 }')
    [ "$n" -gt 15 ] && [ "$n" -lt 60 ]
}

@test "misuse is 2" {
    texts 1 >a.tsv
    exits 2 langid-train -g char2:512 -o m a.tsv
    exits 2 langid-train -g letters:512:4 -o m a.tsv
    exits 2 langid-train -g char2:0:4 -o m a.tsv
    exits 2 langid-train -g char2:512:4x -o m a.tsv
    exits 2 langid-train --min-chars 9 --max-chars 8 -o m a.tsv
    exits 2 langid-train --drop 1 -o m a.tsv
    exits 2 langid-train --weigh aa -o m a.tsv
    exits 2 langid-train --weigh aa:0 -o m a.tsv
    exits 1 langid-train --weigh zz:2 -o m a.tsv
    exits 2 script -qec "langid-train a.tsv" /dev/null
    [ ! -e m ]
}

@test "nothing to train on, nothing to read, a full disk" {
    : >empty
    refuses langid-train "${tiny[@]}" -o m empty
    refuses langid-train "${tiny[@]}" -o m missing
    texts 1 >a.tsv
    gzip <a.tsv | head -c 300 >cut.gz
    refuses langid-train "${tiny[@]}" -o m cut.gz
    refuses langid-train "${tiny[@]}" -o m -a missing a.tsv
    refuses langid-train -e missing a.tsv
    refuses langid-train -e a.tsv a.tsv
    refuses langid-train -q "${tiny[@]}" -g char2:512:4,char2:512:4 -o m a.tsv
    [ ! -e m ]
    train m a.tsv
    exits 1 sh -c 'langid-train -e m a.tsv >/dev/full'
    exits 1 sh -c 'langid-train -q -g char2:64:4 -w 4 -n 100 a.tsv >/dev/full'
    head -c 20000 /dev/urandom >noise
    refuses langid-train -q "${tiny[@]}" -o n noise
}
