#!/usr/bin/env bats
# switch-generate: what it writes, that neither batch nor threads matter, misuse, damage
load ../helper

vocabulary() { # spm.model: 60 pieces; the reference models have 96 ids
    seq 1 200 | sed 's/^/the quick brown fox jumps over the lazy dog while a cat sat out there /' >text
    spm-train -q -n -s 60 -o spm.model text
    printf '%s\n' 'a fox' '' 'the lazy dog jumps over a cat that sat out there' 'brown' \
        'while the quick cat sat' 'dog dog' >lines
}

gen() { # OPTION... : with the reference model $ref, t5v11_tiny if unset
    switch-generate -m spm.model --extra-ids 30 -L 10 "$@" "$DATA/golden/${ref:-t5v11_tiny}/model"
}

@test "a line for a line, as many ids as were asked for" {
    vocabulary
    gen <lines >out
    [ "$(wc -l <out)" -eq 6 ]
    gen -n 1 <lines >table
    [ "$(head -n 1 table)" = $'line\trank\tscore\tlog_p\tlength\ttext' ]
    cut -f 6 table | tail -n +2 | cmp - out
    awk -F'\t' 'NR > 1 { d = $4 / ((5 + $5) / 6) ^ 0.6 - $3
                         if ($1 != NR - 1 || $5 > 10 || $4 >= 0 || d * d > 1e-12) exit 1 }' table
    # the same through a file, and after another
    switch-generate -m spm.model --extra-ids 30 -L 10 -o file "$DATA/golden/t5v11_tiny/model" lines lines
    cat out out | cmp - file
}

@test "neither batch nor threads change a byte" {
    vocabulary
    for ref in t5v10_tiny t5v11_tiny switch_tiny switch_overflow; do
        for how in "-n 1" "-B 3 -n 3" "-t 1.5 -n 2" "-k 5 -p 0.9 -s 7"; do
            # shellcheck disable=SC2086
            for run in "-b 1 -j 1" "-b 4 -j 1" "-b 16 -j 2" "-b 3 -j 3"; do
                gen $how $run <lines >"out$run"
            done
            for run in "-b 4 -j 1" "-b 16 -j 2" "-b 3 -j 3"; do
                cmp "out-b 1 -j 1" "out$run"
            done
        done
    done
}

@test "the seed, the text's number and its rank decide what is drawn" {
    vocabulary
    gen -t 1 -s 1 <lines >a
    gen -t 1 -s 2 <lines >b
    [ "$(cat a)" != "$(cat b)" ]
    gen -t 1 -s 1 -n 3 <lines | awk -F'\t' '$2 == 1 { print $6 }' | cmp - a
    printf 'a fox\na fox\n' | gen -t 1 >c
    [ "$(sort -u c | wc -l)" -eq 2 ]
    gen -k 1 <lines >k
    gen <lines | cmp - k    # the likeliest alone
    gen -p 0.000001 <lines | cmp - k
}

@test "a beam finds what is likelier than the likeliest steps" {
    vocabulary
    gen -a 0 -n 1 <lines | cut -f 4 >greedy
    gen -a 0 -n 1 -B 8 <lines | cut -f 4 >beam
    paste greedy beam | awk 'NR > 1 { if ($2 < $1 - 1e-4) worse++; if ($2 > $1 + 1e-4) better++ }
                             END { exit worse > 0 || better == 0 }'
    gen -B 5 -n 5 <lines | awk -F'\t' 'NR > 1 { if ($2 > 1 && $3 > last) exit 1; last = $3; n++ }
                                       END { exit n != 30 }'
}

@test "a prefix begins every answer" {
    vocabulary
    gen -x 'the dog' <lines >out
    [ "$(grep -c '^the dog' out)" -eq 6 ]
    gen -x 'the dog' -B 3 <lines | grep -c '^the dog' | grep -qx 6
}

@test "sentinels are filled in their place, all else stays" {
    vocabulary
    printf 'Ünseen <extra_id_0> there\nnothing to fill\n<extra_id_29><extra_id_30>\n' >holes
    gen -f -B 8 <holes >out
    [ "$(wc -l <out)" -eq 3 ]
    [[ $(sed -n 1p out) == 'Ünseen '*' there' ]]
    [ "$(sed -n 2p out)" = 'nothing to fill' ]
    [[ $(sed -n 3p out) == *'<extra_id_30>' ]]    # the model has 30, from 0
    # forced to say where it belongs, it is taken from there
    gen -f -L 1 -x '<extra_id_0> quick fox<extra_id_1> dog' \
        <<<'The <extra_id_0>, a <extra_id_1>. <extra_id_0>!' >out
    [[ $(cat out) == 'The quick fox, a dog'*'. quick fox!' ]]
}

@test "documents keep their other members" {
    vocabulary
    jq -Rc '{text: ., url: "u\(input_line_number)", lang: "en", more: [1, 2]}' lines >docs
    gen --json <docs >out
    jq -r .text out | tr '\n\t' '  ' >got
    gen <lines | tr '\n\t' '  ' | cmp - got
    jq -c 'del(.text)' docs >want
    jq -c 'del(.text)' out | cmp - want
    gen --json -B 2 -n 2 <docs | jq -s -e 'length == 12 and .[1].rank == 2 and
        .[0].score >= .[1].score and .[3].more == [1, 2]'
    echo '{"text": 3}' >bad
    exits 1 gen --json <bad
    [[ $output == *'standard input:1: '* ]]
}

@test "a checkpoint of ours answers too" {
    vocabulary
    export SWITCHYARD_SHARE=$root/share
    switch-pretrain --config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" --out run \
        --batch 8 --group-rows 2 --steps 2 --warmup 100 -q
    n=$(($(jq .vocab_size run/step-00000002/config.json) - 60))
    switch-generate -m spm.model --extra-ids $((n < 100 ? n : 100)) -L 5 run lines >out
    [ "$(wc -l <out)" -eq 6 ]
    # all of it is read only when that is asked for
    ours=(switch-generate -m spm.model --extra-ids 30 -L 5 run lines)
    "${ours[@]}" --check | cmp - <("${ours[@]}")
    printf '\0\0\300\177' | dd of=run/step-00000002/expert-00007.safetensors bs=1 conv=notrunc \
        seek=$(($(stat -c %s run/step-00000002/expert-00007.safetensors) - 4)) 2>/dev/null
    "${ours[@]}"
    exits 1 "${ours[@]}" --check
    [[ $output == *"expert-00007.safetensors: not as it was written"* ]]
    exits 1 gen --check <lines
    [[ $output == *"no files.xxh128 to check by"* ]]
}

@test "halves answer as the same numbers in float32" {
    vocabulary
    for type in bf16 f16; do
        switch-convert -d "$type" -o "$type" "$DATA/golden/switch_overflow/model"
        switch-convert -d f32 -o "$type.wide" "$type"
        for how in "-n 1" "-B 3 -n 3 -b 1" "-t 1.5 -n 2 -j 2"; do
            # shellcheck disable=SC2086
            switch-generate -m spm.model --extra-ids 30 -L 10 $how "$type" lines >"out.$type"
            # shellcheck disable=SC2086
            switch-generate -m spm.model --extra-ids 30 -L 10 $how "$type.wide" lines >wide
            cmp "out.$type" wide
        done
    done
    exits 1 cmp -s out.bf16 out.f16    # they are other numbers
}

@test "long texts are cut with a word" {
    vocabulary
    awk 'BEGIN { for (i = 0; i < 300; i++) printf "dog "; print "" }' >long
    gen -i 20 <long >out 2>err
    grep -q '1 texts were cut to 20 ids' err
    gen <long >/dev/null 2>err
    [ ! -s err ]
}

@test "misuse is 2" {
    vocabulary
    m=$DATA/golden/t5v11_tiny/model
    exits 2 switch-generate "$m" lines
    exits 2 switch-generate -m spm.model
    exits 2 switch-generate -m spm.model -B 0 "$m" lines
    exits 2 switch-generate -m spm.model -B 2 -t 1 "$m" lines
    exits 2 switch-generate -m spm.model -n 2 "$m" lines
    exits 2 switch-generate -m spm.model -s 2 "$m" lines
    exits 2 switch-generate -m spm.model -p 1.5 "$m" lines
}

@test "damage is named, a full disk noticed" {
    vocabulary
    m=$DATA/golden/switch_tiny/model
    g=(switch-generate -m spm.model --extra-ids 30 -L 3)
    refuses switch-generate -m absent "$m" lines
    refuses switch-generate -m lines "$m" lines
    refuses "${g[@]}" absent lines
    refuses "${g[@]}" "$m" absent
    refuses switch-generate -m spm.model "$m" lines    # 60 + 100 ids are not in 96
    [[ $output == *--extra-ids* ]]
    refuses switch-generate -m spm.model --extra-ids 0 -f "$m" lines
    exits 1 sh -c "${g[*]} $m lines >/dev/full"
    exits 1 "${g[@]}" -o no/such/folder/x "$m" lines
    cp -r "$m" cut
    chmod -R u+w cut
    truncate -s 3000 cut/model.safetensors
    refuses "${g[@]}" cut lines
    cp "$m/model.safetensors" cut/
    jq '.d_ff = 63' "$m/config.json" >cut/config.json
    refuses "${g[@]}" cut lines
    [[ $output == *'cut/model.safetensors: '* ]]
    rm -f out
    head -c 3000 /dev/urandom >noise    # bytes are text, if no nice one
    "${g[@]}" "$m" noise >out
    [ -s out ]
}
