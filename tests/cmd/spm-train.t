#!/usr/bin/env bats
# spm-train: models that SentencePiece loads, as good as its own, the same for any threads
load ../helper

wet_docs() { # the text of the crawl that ships with the tests
    zcat "$DATA"/tiny/tiny.warc.wet.gz 2>/dev/null | head -c 700000 | tr -d '\r' |
        awk '/^WARC\/1/ { head = 1 } !head { print } head && $0 == "" { head = 0 }'
}

@test "a model that SentencePiece loads, and encodes with as we do" {
    wet_docs >text
    exits 0 spm-train -q -n --t5 -b -s 3000 -c 0.99 -o m.model text
    spm-encode -m m.model -n -f ids --arithmetic 0.1.97 text 2>/dev/null | head -n 2000 >ours
    command -v spm_encode >/dev/null || skip "no spm_encode here"
    spm_encode --model=m.model --output_format=id <text 2>/dev/null | head -n 2000 | cmp - ours
    [ "$(spm_export_vocab --model=m.model | wc -l)" -eq 3000 ]
    [ "$(spm_export_vocab --model=m.model | sed -n '1,3p' | cut -f1 | paste -sd' ')" = '<pad> </s> <unk>' ]
    [ "$(spm_export_vocab --model=m.model | tail -n 1 | cut -f1)" = '<extra_id_0>' ]
    # what the text says is no sentinel
    [ "$(echo '<extra_id_0>' | spm_encode --model=m.model --output_format=id | tr ' ' '\n' | grep -cx 2999)" -eq 0 ]
}

@test "as few tokens as spm_train's model makes of text that neither has seen" {
    command -v spm_train >/dev/null || skip "no spm_train here"
    wet_docs >text
    awk 'NR % 5' text >train
    awk 'NR % 5 == 0' text >dev
    spm-train -q -n -b -s 2000 -c 0.98 -o ours.model train
    spm_train --input=train --model_prefix=theirs --vocab_size=2000 --character_coverage=0.98 \
        --byte_fallback --max_sentence_length=65536 --num_threads=1 >/dev/null 2>&1
    ours=$(spm_encode --model=ours.model --output_format=id <dev | wc -w)
    theirs=$(spm_encode --model=theirs.model --output_format=id <dev | wc -w)
    echo "$ours $theirs"
    [ $((ours * 1000)) -lt $((theirs * 1005)) ]
}

@test "the same bytes for any number of threads and any order of equal work" {
    wet_docs >text
    spm-train -q -n -s 1000 -c 0.95 -o a.model text
    spm-train -q -n -s 1000 -c 0.95 -j 3 -o b.model text
    cmp a.model b.model
    spm-train -q -n -s 1000 -c 0.95 -t bpe -o c.model text
    spm-train -q -n -s 1000 -c 0.95 -t bpe -j 2 -o d.model <text
    spm_export_vocab --model=c.model >c 2>/dev/null || skip "no spm_export_vocab here"
    spm_export_vocab --model=d.model | cmp - c
}

@test "BPE: merges in their order, and SentencePiece loads it" {
    printf '%s\n' abab abab abc bcbc >text
    exits 0 spm-train -q -n -t bpe -c 1 -s 10 -o m.model text
    command -v spm_export_vocab >/dev/null || skip "no spm_export_vocab here"
    spm_export_vocab --model=m.model | tail -n +4 | head -n 3 | cut -f1 | paste -sd' ' >got
    grep -qx '▁ab ab bc\|ab bc ▁ab\|ab ▁ab bc' got || { cat got; false; }
}

@test "documents by language: alpha, and lines that are none" {
    yes '{"text":"aaa bbb aaa bbb aaa","lang":"en"}' | head -n 50 >docs
    echo '{"text":"ccc ddd","lang":"fi"}' >>docs
    echo 'no document' >>docs
    exits 0 spm-train -c 1 -s 14 --at-most --stats s.json -o m.model docs
    [[ $output == *'1 lines that are no documents'* ]]
    [ "$(jq -c '[.in.records, .out.records, .dropped.no_document.records]' s.json)" = '[52,51,1]' ]
    [ "$(jq -c '.lang.fi.in' s.json)" = 1 ]
    exits 0 spm-train -q -c 1 -a 0.3 -s 14 --at-most -o n.model docs
    cmp -s m.model n.model && false
    exits 0 spm-train -q --normalizer m.model -c 1 -s 14 --at-most -o o.model docs
}

@test "what cannot be is said" {
    printf '%s\n' abab abab >text
    refuses spm-train -q -n -s 1000 -o m.model text
    [[ $output == *'the text gives '*'--at-most'* ]]
    [ ! -e m.model ]
    refuses spm-train -q -n -s 5 -o m.model text
    [[ $output == *'letters'*'--coverage'* ]]
    refuses spm-train -q -n -s 1000 -o m.model /dev/null
    refuses spm-train -q -n -s 1000 -o m.model absent
    refuses spm-train -q -n -s 1000 --at-most -o m.model --normalizer absent text
    refuses spm-train -q -n -s 9 --at-most -o no/such/m.model text
    exits 1 spm-train -q -n -s 9 --at-most -o /dev/full text
    exits 2 spm-train -n text
    exits 2 spm-train -n -s 100 -b -o m.model text
    exits 2 spm-train -n -s 100 -l klingon -o m.model text
    refuses spm-train -q -n -s 100 --eos 0 -c 1 --at-most -o m.model text
}
