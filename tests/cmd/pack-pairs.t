#!/usr/bin/env bats
# pack-pairs: every public format to T5's and mT5's very texts, rows, ledger, damage, misuse
load ../helper

setup_file() { # a vocabulary that has a piece for every byte
    cd "$BATS_FILE_TMPDIR" || return 1
    awk 'BEGIN {
        srand(3)
        n = split("ba ke ti sto ne ri mo lu sa vi : 1 2 . ,", part)
        for (l = 0; l < 800; l++) {
            s = ""
            for (j = int(rand() * 20); j >= 0; j--)
                s = s (rand() < .4 ? " " : "") part[1 + int(rand() * n)]
            print s
        }
    }' >text
    spm_train --input=text --model_prefix=plain --vocab_size=400 --pad_id=0 --eos_id=1 --unk_id=2 \
        --bos_id=-1 --hard_vocab_limit=false --byte_fallback=true 2>/dev/null
}

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    export SWITCHYARD_SHARE=$root/share # a sanitizer build lies elsewhere
    ln -s "$BATS_FILE_TMPDIR/plain.model" .
}

# is TASK: the input is the file "in", what comes out is standard input
is() {
    cat >want
    pack-pairs --text -q "${@:2}" -T "$1" in >got || return 1
    diff -u want got
}

count() { # WHAT: of the statistics
    sed -n "s/^ *\"$1\": \"\{0,1\}\([0-9.]*\).*/\1/p" stats.json
}

header() { # FILE KEY
    head -c 4000 "$1" | grep -a -m 1 "^$2=" | cut -d= -f2-
}

pairs() { # N: made-up pairs
    awk -v n="$1" 'BEGIN {
        for (i = 0; i < n; i++) {
            for (j = 0; j < 3 + i * 7 % 40; j++) printf "bake %d ", i * j % 13
            printf "\tsa%s\n", i % 3 ? "" : " vi ti"
        }
    }'
}

@test "all that would be right, as a table" {
    printf '%s' '{"data": [{"paragraphs": [{"context": "one two", "qas": [
        {"question": "what", "answers": [{"text": "one"}, {"text": "one"}, {"text": "two"}]},
        {"question": "who", "answers": [{"text": "two"}]}]}]}]}' >in
    is squad -r 3 -l sw <<END
input	reference	reference	reference	lang
question: what context: one two	one	two		sw
question: who context: one two	two			sw
END
    printf '{"question": "q", "answer": ["a", "b", "c"]}\n{"question": "r", "answer": "d"}\n' >in
    is nq --references 2 <<END
input	reference	reference	lang
nq question: q	a	b	und
nq question: r	d		und
END
    exits 2 pack-pairs -m plain.model -r 2 in
    exits 2 pack-pairs --text -r 0 in
}

@test "TSV with and without a header" {
    printf 'How many?\tthree\r\n two\tspaces \n' >in
    printf 'How many?\tthree\n two\tspaces \n' | is text
    printf 'target\tinput\na\tb\n' >in
    printf 'b\ta\n' | is text
    printf 'one\n' >in
    exits 1 pack-pairs --text in
    [[ $output == *'in:1: 1 fields, not 2'*'not one of 1 records'* ]]
}

@test "GLUE" {
    printf 'gj04\t1\t\tThe cat sleeps.\ngj04\t0\t*\tCat the sleeps.\n' >in
    is cola <<'END'
cola sentence: The cat sleeps.	acceptable
cola sentence: Cat the sleeps.	unacceptable
END
    printf 'sentence\tlabel\na warm film \t1\nno fun\t0\n' >in
    is sst2 <<'END'
sst2 sentence: a warm film 	positive
sst2 sentence: no fun	negative
END
    printf 'Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t7\t8\tIt rains.\tRain falls.\n' >in
    is mrpc <<'END'
mrpc sentence1: It rains. sentence2: Rain falls.	equivalent
END
    printf 'id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n3\t1\t2\tWhy?\tWho?\t0\n' >in
    is qqp <<'END'
qqp question1: Why? question2: Who?	not_duplicate
END
    printf 'index\tgenre\tsentence1\tsentence2\tscore\n%s' \
        $'0\tn\tA\tB\t3.5\n' $'1\tn\tA\tB\t3.25\n' $'2\tn\tA\tB\t5.000\n' $'3\tn\tA\tB\t0.3\n' >in
    sed -i '1!{/index/d}' in
    is stsb <<'END'
stsb sentence1: A sentence2: B	3.6
stsb sentence1: A sentence2: B	3.2
stsb sentence1: A sentence2: B	5.0
stsb sentence1: A sentence2: B	0.4
END
    printf 'index\tsentence1\tsentence2\tlabel1\tgold_label\n0\tHe ran.\tHe moved.\tx\tentailment\n1\ta\tb\tx\t-\n' >in
    is mnli <<'END'
mnli hypothesis: He moved. premise: He ran.	entailment
END
    is mnli --unlabelled <<'END'
mnli hypothesis: He moved. premise: He ran.	entailment
mnli hypothesis: b premise: a	<unk>
END
    printf 'index\tquestion\tsentence\tlabel\n0\tWhere?\tHere.\tentailment\n' >in
    is qnli <<'END'
qnli question: Where? sentence: Here.	entailment
END
    printf 'index\tsentence1\tsentence2\tlabel\n0\tA.\tB.\tnot_entailment\n' >in
    is rte <<'END'
rte sentence1: A. sentence2: B.	not_entailment
END
}

@test "GLUE's WNLI becomes WSC, as T5's" {
    cat >in <<'END'
index	sentence1	sentence2	label
0	The fish ate the worm. It was tasty.	The worm was tasty.	1
1	The fish ate the worm. It was tasty.	The fish was tasty.	0
2	Ann told Eve that her coat was wet, so she took it off.	Eve took it off.	1
3	We met Tom's aunt, and his dog barked at him.	Tom's dog barked at him.	1
4	Nobody is here.	There is nobody.	1
END
    is wnli <<'END'
wsc: The fish ate the worm. *It* was tasty.	The worm
wsc: Ann told Eve that her coat was wet, so *she* took it off.	Eve
wsc: We met Tom's aunt, and *his* dog barked at him.	Tom
END
}

@test "SuperGLUE" {
    echo '{"question": "is it", "passage": "It is.", "idx": 0, "label": true}' >in
    echo 'boolq passage: It is. question: is it	True' | is boolq
    echo '{"premise": "P", "hypothesis": "H", "label": "neutral", "idx": 0}' >in
    echo 'cb hypothesis: H premise: P	neutral' | is cb
    echo '{"premise": "P", "choice1": "a", "choice2": "b", "question": "effect", "label": 1, "idx": 0}' >in
    echo 'copa choice1: a choice2: b premise: P question: effect	choice2' | is copa
    echo '{"premise": "P", "hypothesis": "H", "label": "entailment", "idx": 0}' >in
    echo 'rte hypothesis: H premise: P	entailment' | is superglue-rte
    echo '{"word": "run", "sentence1": "A run.", "sentence2": "They run.", "label": false, "start1": 2}' >in
    echo 'wic sentence1: A run. sentence2: They run. word: run	False' | is wic
}

@test "SuperGLUE's MultiRC and ReCoRD are lists within lists" {
    cat >in <<'END'
{"idx": 0, "passage": {"text": "<b>Sent 1: </b>It rained.<br>Then not.", "questions": [{"question": "Did it rain?", "answers": [{"text": "Yes", "idx": 0, "label": 1}, {"text": "No", "idx": 1, "label": 0}], "idx": 0}, {"question": "And <b>then</b>?", "answers": [{"text": "Sun", "label": 0}]}]}}
END
    is multirc <<'END'
multirc question: Did it rain? answer: Yes paragraph: Sent 1: It rained. Then not.	True
multirc question: Did it rain? answer: No paragraph: Sent 1: It rained. Then not.	False
multirc question: And then? answer: Sun paragraph: Sent 1: It rained. Then not.	False
END
    cat >in <<'END'
{"source": "ours", "passage": {"text": "Zoë met Al in Rome.\n@highlight\nAl paid\n@highlight\nZoë left", "entities": [{"start": 14, "end": 17}, {"start": 0, "end": 2}, {"start": 8, "end": 9}, {"start": 50, "end": 52}]}, "qas": [{"query": "@placeholder paid.", "answers": [{"start": 8, "end": 9, "text": "Al"}, {"start": 32, "end": 33, "text": "Al"}, {"start": 0, "end": 2, "text": "Zoë"}]}, {"query": "In @placeholder", "answers": []}]}
END
    is record <<'END'
record query: @placeholder paid. entities: Al, Rome, Zoë passage: Zoë met Al in Rome. Al paid. Zoë left	Al
record query: @placeholder paid. entities: Al, Rome, Zoë passage: Zoë met Al in Rome. Al paid. Zoë left	Zoë
END
    pack-pairs --text --unlabelled -T record in | tail -n 1 | grep -q $'^record query: In @placeholder .*\t<unk>$'
}

@test "SuperGLUE's WSC: correct referents only" {
    cat >in <<'END'
{"text": "Bob asked Tom if he can lend some money.", "target": {"span1_index": 2, "span1_text": "Tom", "span2_index": 4, "span2_text": "he"}, "idx": 0, "label": true}
{"text": "Bob asked Tom if he can lend some money.", "target": {"span1_index": 0, "span1_text": "Bob", "span2_index": 4, "span2_text": "he"}, "idx": 1, "label": false}
{"text": "Tom had used a map, so he kept it, too.", "target": {"span1_index": 0, "span1_text": "a map", "span2_index": 9, "span2_text": "it"}, "idx": 2, "label": true}
END
    is wsc <<'END'
wsc: Bob asked Tom if *he* can lend some money.	Tom
wsc: Tom had used a map, so he kept *it*, too.	a map
END
    pack-pairs --text --stats stats.json -T wsc in >/dev/null
    grep -q '"not_kept": {"records": 1' stats.json
}

@test "questions with context: SQuAD pads what is not ASCII, mT5 only what is no word" {
    cat >in <<'END'
{"version": "1.1", "data": [{"title": "T", "paragraphs": [{"context": "François (b. 1990)\nlives.", "qas": [
  {"id": "a", "question": "Who's   it?", "answers": [{"answer_start": 0, "text": "François"}, {"answer_start": 0, "text": "F."}]},
  {"id": "b", "question": "When", "answers": [{"answer_start": 13, "text": "1990)"}]}, {"id": "c", "question": "Why", "answers": []}]}]},
  {"title": "U", "paragraphs": [{"context": "x_1", "qas": [{"id": "d", "question": "?", "answers": [{"text": "x_1", "answer_start": 0}]}]}]}]}
END
    is squad <<'END'
question: Who ' s it ? context: Fran ç ois ( b . 1990 ) lives .	Fran ç ois
question: When context: Fran ç ois ( b . 1990 ) lives .	1990 )
question: ? context: x_1	x_1
END
    for task in xquad mlqa tydiqa; do
        is $task <<'END'
question: Who ' s it ? context: François ( b . 1990 ) lives .	François
question: When context: François ( b . 1990 ) lives .	1990 )
question: ? context: x_1	x_1
END
    done
}

@test "summaries, closed books, choices" {
    printf '%s\n' '{"document": "Long\ttext.\nMore.", "summary": "Short.", "id": "1"}' >in
    echo 'summarize: Long text. More.	Short.' | is xsum
    printf '%s\n' '{"article": "Long.", "highlights": "One .\nTwo ."}' >in
    echo 'summarize: Long.	One . Two .' | is cnndm
    echo '{"sentence": "The _ fell.", "option1": "cup", "option2": "sky", "answer": "1", "qID": "q"}' >in
    echo 'winogrande sentence: The _ fell. option1: cup option2: sky	option1' | is winogrande
    echo '{"id": "x", "question": {"stem": "What melts?", "choices": [{"text": "ice", "label": "A"}, {"text": "air", "label": "B"}]}, "answerKey": "A"}' >in
    echo 'arc_easy question: What melts? choices: (A) ice (B) air	A' | is arc-easy
    echo 'arc_challenge question: What melts? choices: (A) ice (B) air	A' | is arc-challenge
    echo '{"uid": "u", "context": "C", "hypothesis": "H", "label": "c", "reason": ""}' >in
    echo 'anli_r3 hypothesis: H premise: C	contradiction' | is anli-r3
    echo '{"question": "who was it", "answer": ["Ann", "Anna"]}' >in
    echo 'nq question: who was it	Ann' | is nq
    printf '%s\n' '[{"url": "u", "utterance": "who?", "targetValue": "(list (description \"Al \\\"A\\\" B\") (description C))"}, {"utterance": "where?", "targetValue": "(list (description Rome))"}]' >in
    printf 'wq question: who?\tAl "A" B\nwq question: where?\tRome\n' | is webq
    echo '{"Data": [{"Question": "Which?", "Answer": {"Value": "This", "Aliases": ["That"]}}], "Domain": "x"}' >in
    echo 'trivia question: Which?	This' | is triviaqa
}

@test "XNLI and PAWS-X: XTREME's copies and the sets' own" {
    printf 'Er geht.\tEr steht.\tcontradiction\nA\tB\tentailment\nC\tD\tneutral\n' >in
    is xnli <<'END'
xnli: premise: Er geht. hypothesis: Er steht.	2
xnli: premise: A hypothesis: B	0
xnli: premise: C hypothesis: D	1
END
    printf 'language\tgold_label\tsentence1_binary_parse\tsentence1\tsentence2\nsw\tentailment\t\tA\tB\nde\tneutral\t\tC\tD\n' >in
    is xnli <<'END'
xnli: premise: A hypothesis: B	0
xnli: premise: C hypothesis: D	1
END
    pack-pairs -m plain.model -q --stats stats.json -T xnli -o out.ex in
    grep -q '"de": {"in": 1, "out": 1' stats.json
    grep -q '"sw": {"in": 1, "out": 1' stats.json
    [ "$(count rows)" = 2 ] # of a language each
    printf 'id\tsentence1\tsentence2\tlabel\n1\tA\tB\t1\n' >in
    echo 'paws sentence1: A sentence2: B	paraphrase' | is pawsx
    printf 'A\tB\t0\n' >in
    echo 'paws sentence1: A sentence2: B	different_meaning' | is pawsx
}

@test "BIO columns" {
    printf 'In\tO\nNew\tB-LOC\nYork\tI-LOC\nmet\tO\nAl\tB-PER\nBo\tB-PER\n\nno\tO\nnames\tO\n\n\nUN\tI-ORG\nRome\tI-LOC' >in
    is wikiann <<'END'
tag: In New York met Al Bo	LOC: New York $$ PER: Al $$ PER: Bo
tag: no names	
tag: UN Rome	ORG: UN $$ LOC: Rome
END
    printf 'sw:Mji\tO\nsw:wa\tO\nsw::\tO\nsw:Tanga B-LOC\n\n' >in
    echo 'tag: Mji wa : Tanga	LOC: Tanga' | is wikiann-raw
    printf 'a\tO\nb\tX\n\nc\tO\n' >in
    echo 'tag: c	' | is wikiann
}

@test "rows hold what the texts say" {
    printf 'ba ke\tsto\nne ri mo\tlu\n' >in
    pack-pairs -m plain.model -l sw -i 64 -t 32 --stats stats.json -o out.ex in
    spm-encode -m plain.model -n -f ids <(tr '\t' '\n' <in) >in.ids
    {
        sed 's/$/ 1/' in.ids | sed -n '1p;3p' | paste -sd' '
        sed 's/$/ 1/' in.ids | sed -n '2p;4p' | paste -sd' '
    } | paste -sd'\t' >want
    shard head -n 1 out.ex | cut -f1,2 | sed 's/ |//g' >got
    diff -u want got
    [ "$(header out.ex lang)" = sw ]
    [ "$(header out.ex objective)" = text_to_text ]
    [ "$(header out.ex task)" = text ]
    [ "$(header out.ex inputs)" = 64 ]
    [ "$(header out.ex targets)" = 32 ]
    [ "$(header out.ex vocab.size)" = $(($(header out.ex pieces) + 100)) ]
    [ "$(count rows)" = 1 ]
    [ "$(count inputs)" = "$(cut -f1 want | wc -w)" ]
    pack-pairs -n -m plain.model -i 64 -t 32 --stats stats.json -o out.ex in
    [ "$(count rows)" = 2 ]
}

@test "what is too long is cut and counted by language" {
    pairs 200 >in
    pack-pairs -m plain.model -l sw -i 40 -t 3 --stats stats.json -o out.ex in
    for side in inputs targets; do
        cut -f"$([ $side = inputs ] && echo 1 || echo 2)" in >one_side
        spm-encode -m plain.model -n -f ids one_side >one_side.ids
        most=$([ $side = inputs ] && echo 40 || echo 3)
        want=$(awk -v most="$most" 'NF + 1 > most' one_side.ids | wc -l)
        [ "$want" -gt 10 ]
        [ "$(count ${side}_cut)" = "$want" ]
        [ "$(count "${side}_cut\.sw")" = "$want" ]
    done
    shard head -n 1000 out.ex | awk -F'\t' '{
        n = split($1, in_, " ")
        if (n > 40 || in_[n] != 1) print "too long, or no end"
    }' | wc -l | grep -qx 0
}

@test "more open rows, less padding; nothing lost" {
    pairs 2000 >in
    last=1
    for n in 1 4 64; do
        pack-pairs -q -m plain.model -i 200 -t 100 --open $n --stats stats.json -o out.ex in
        now=$(count padding_inputs)
        awk -v a="$now" -v b="$last" 'BEGIN { exit !(a < b) }'
        last=$now
        shard head -n 5000 out.ex | cut -f1 | tr ' ' '\n' | grep -v '|' | sort | uniq -c >ids.$n
        cmp ids.1 ids.$n
    done
    awk -v a="$last" 'BEGIN { exit !(a < 0.03) }'
}

@test "the same bytes from text, from a pipe, compressed, and again" {
    pairs 300 >in
    pack-pairs -q -m plain.model <in >a.ex
    pack-pairs -q -m plain.model < <(cat in) >b.ex
    gzip -c in | pack-pairs -q -m plain.model >c.ex
    pack-pairs -q --text in | pack-pairs -q -m plain.model >d.ex
    for f in b c d; do cmp a.ex $f.ex; done
    pack-pairs -q -m plain.model in in --stats stats.json -o two.ex
    grep -q '"out": {"records": 600' stats.json
}

@test "the ledger comes out even; reasons have names" {
    cat >in <<'END'
{"premise": "P", "hypothesis": "H", "label": "neutral"}
{"premise": "P", "label": "neutral"}
{"premise": "P", "hypothesis": "H", "label": "maybe"}
{"premise": "P", "hypothesis": "H"}
{"premise": "P", "hypothesis": null, "label": "neutral"}
{"premise":
[1, 2]
END
    exits 0 pack-pairs --text --stats stats.json -T cb in
    [[ $output == *'in:2: '*'6 of 7 records gave no pair'* ]]
    grep -q '"in": {"records": 7' stats.json
    grep -q '"out": {"records": 1' stats.json
    tr -d '\n ' <stats.json >flat
    for want in '"no_field":{"records":2' '"unknown_label":{"records":1' '"unlabelled":{"records":1' \
        '"no_json":{"records":2'; do
        grep -qF "$want" flat
    done
    exits 1 pack-pairs --text --strict -T cb in
    [[ $output == *'in:2: '* ]]
}

@test "the page names every task" {
    pack-pairs --list | cut -f1 >tasks
    [ "$(wc -l <tasks)" -gt 30 ]
    while read -r task; do
        case $task in text) continue ;; anli-r[23]) task=-${task#anli-} ;; esac
        grep -qE "^\.It Li (.* )?$task( |\$)" "$root/man/man1/pack-pairs.1" || { echo "$task"; false; }
    done <tasks
}

@test "tasks are data" {
    pack-pairs --list | cut -f1 | paste -sd' ' | grep -q '^text cola .* sib200$'
    printf 'name\tformat\tcolumns\teach\tinput\ttarget\tlabels\tkeep\tlang\tinputs\ttargets\tnote\n' >tasks
    printf 'mine\tjsonl\t-\trows\tq: {{{q/k}} {n}\t{a|join}\t-\tok=true\tl\t33\t7\tmy own\n' >>tasks
    echo '{"n": 3, "rows": [{"q": "x", "a": ["1", "2"], "ok": true, "l": "fi"}, {"k": "y", "a": [5], "ok": true}, {"q": "z", "a": ["1"], "ok": false}]}' >in
    printf 'q: {x} 3\t1, 2\nq: {y} 3\t5\n' | is mine --task-file tasks
    pack-pairs -q -m plain.model --task-file tasks -T mine --stats stats.json -o out.ex in
    [ "$(header out.ex inputs)" = 33 ]
    [ "$(header out.ex targets)" = 7 ]
    [ "$(pack-pairs --list --task-file tasks)" = $'mine\tmy own' ]
    refuses pack-pairs --text --task-file tasks -T other in
    for bad in 's/{n}/{n/' 's/|join/|glue/' 's/jsonl/csv/' 's/ok=true/ok/' 's/33/1/' 's/\t7//' 's/rows/a b c d e f/'; do
        sed "2$bad" tasks >wrong
        refuses pack-pairs --text --task-file wrong -T mine in
        [[ $output == *'wrong: line 2: '* ]]
    done
    refuses pack-pairs --text --task-file /dev/null in
}

@test "damage, noise and full disks" {
    head -c 100000 /dev/urandom | tr -d '\t' >noise
    for task in text cola cb squad wikiann; do
        refuses pack-pairs --text -q -T $task -o out noise
        refuses pack-pairs -q -m plain.model -T $task -o out noise
        refuses pack-pairs -q --text -T $task -o out absent
    done
    pairs 100 >in
    gzip -c in | head -c 200 >cut.gz
    refuses pack-pairs --text -o out cut.gz
    echo '{"data": [' >in
    refuses pack-pairs --text -T squad -o out in
    [[ $output == *'in:'* ]]
    [ ! -e out ] && [ ! -e out.part ]
    pairs 100 >in
    exits 1 sh -c 'pack-pairs --text in >/dev/full'
    exits 1 sh -c 'pack-pairs -m plain.model in >/dev/full'
    exits 1 pack-pairs --text -o no/such/folder/x in
    refuses pack-pairs -m noise in
    exits 0 pack-pairs --text /dev/null
    exits 0 pack-pairs -m plain.model -o out.ex /dev/null
    shard check out.ex
}

@test "misuse" {
    exits 2 pack-pairs in
    exits 2 pack-pairs --text --inputs 1 in
    exits 2 pack-pairs --text --open 0 in
    exits 2 pack-pairs --color
    run bash -c 'yes "a	b" | head -n 100000 | pack-pairs -q --text | head -n 1 >/dev/null; echo ${PIPESTATUS[2]}'
    [ "$output" = 141 ]
}

@test "real sets give as many pairs as they have examples" {
    need_shared data/eval
    cd "$SHARED/data/eval"
    n() { # TASK FILE WANT
        got=$(pack-pairs --text -q -T "$1" "$2" | wc -l)
        [ "$got" -eq "$3" ] || { echo "$2: $got pairs, not $3"; return 1; }
    }
    for f in xquad/*.gz; do n xquad "$f" 1190; done
    for f in xnli/*.gz; do n xnli "$f" 2490; done
    for f in pawsx/*.gz; do n pawsx "$f" 2000; done
    for f in xcopa/test.*; do n copa "$f" 500; done
    for f in xcopa/val.*; do n copa "$f" 100; done
    for f in mgsm/*.gz; do n mgsm "$f" 250; done
    for f in wikiann/train-*.gz; do n wikiann "$f" "$(zcat "$f" | perl -n00e 'END { print $. }')"; done
    n sib200 sib200/dev-de.tsv.gz 99
    n cola glue/cola/val.tsv.gz 1301
    n rte glue/rte/dev.tsv.gz 277
    n sst2 glue/sst2/dev.tsv.gz 6735
    n tydiqa tydiqa/tydiqa.goldp.sw.dev.json.gz 499
}
