#!/usr/bin/env bats
# eval-score: metrics against values worked by hand, languages, resamples, misuse, damage
load ../helper

# score METRIC PREDICTION REFERENCE... [-- OPTION...]: of one example
score() {
    local metric=$1 said=$2
    shift 2
    printf '%s\n' "$said" >said
    local refs=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        printf '%s\n' "$1" >"ref${#refs[@]}"
        refs+=("ref${#refs[@]}")
        shift
    done
    eval-score -m "$metric" "${@:2}" "${refs[@]}" said | tail -n 1 | cut -f 4
}

# is WANT COMMAND...: prints that
is() {
    local want=$1
    shift
    local got
    got=$("$@")
    [ "$got" = "$want" ] || {
        echo "$got, not $want: $*"
        return 1
    }
}

columns() { # rows of "reference prediction" on standard input become the files want and said
    tee both | cut -d ' ' -f 1 >want
    cut -d ' ' -f 2 both >said
}

@test "answers: SQuAD's normaliser, the best over references" {
    is 100.0000 score em 'the Blue,  house!' 'blue House'
    is 0.0000 score em 'blue-house' 'blue house'
    is 100.0000 score em 'blue-house' 'x' 'Bluehouse'
    is 100.0000 score em 'x_y' 'xy'
    is 100.0000 score em 'The' ''
    is 0.0000 score f1 '' ''
    is 0.0000 score f1 'red' 'blue'
    # 2 of 3 words said, 2 of 4 wanted: 2 * 2 / 7; with multiplicity
    is 57.1429 score f1 'b b c' 'b d b e'
    is 66.6667 score f1 'b c' 'b' 'x y'
}

@test "answers: TriviaQA parts at punctuation, MLQA knows languages" {
    is 100.0000 score em $'blue-house\342\200\231s' 'blue house s' -- -n trivia
    is 0.0000 score em $'blue-house\342\200\231s' 'blue house s' -- -n squad
    is 100.0000 score em 'Das Haus' '«Haus»' -- -n mlqa -l de
    is 0.0000 score em 'Das Haus' '«Haus»' -- -n mlqa -l nl
    is 100.0000 score em 'الكتاب' 'كتاب' -- -n mlqa -l ar
    is 66.6667 score f1 '北京' '京' -- -n mlqa -l zh
    is 0.0000 score f1 '北京' '京' -- -n mlqa -l ja
    is 100.0000 score em 'a  B' ' a B' -- -n none
    is 0.0000 score em 'a b' 'a B' -- -n none
}

@test "BLEU: precisions, smoothing, brevity, several references" {
    # (4/5 * 3/4 * 2/3 * 1/2)^(1/4)
    is 66.8740 score bleu 'a b c d e' 'a b c d f'
    # (2/4 * 1/3 * 1/(2*2) * 1/(4*1))^(1/4)
    is 31.9472 score bleu 'a b c d' 'a b x y'
    # all right, 4 of 5 words: exp(1 - 5/4)
    is 77.8801 score bleu 'a b c d' 'a b c d e'
    is 100.0000 score bleu 'a b c d' 'a b c d e' 'a b c d'
    is 0.0000 score bleu 'a b c' 'a b c'
    is 0.0000 score bleu '' 'a b c d'
    is 0.0000 score bleu 'a b c d' ''
    is 0.0000 score bleu 'a b c d' 'w x y z'
}

@test "chrF: characters, words at an end, the best reference" {
    # 1-grams 1/2, 2-grams 0/1
    is 25.0000 score chrf 'aa' 'ab'
    is 100.0000 score chrf 'a b c' 'abc'
    # precision (2/3 + 1/2)/2, recall 1: no 3-gram is wanted, so none counts; 5pr/(4p + r)
    is 87.5000 score chrf 'abc' 'ab'
    is 0.0000 score chrf '' 'ab'
    is 0.0000 score chrf 'ab' ''
    is 100.0000 score chrf++ 'ab.' 'zz' 'ab.'
    is 100.0000 score chrf++ 'äö ü' 'äö ü'
}

@test "labels: accuracy, F1, Matthews" {
    printf '1 1\n1 0\n0 0\n0 0\n' | columns
    # TP 1, TN 2, FN 1
    exits 0 eval-score -m accuracy,mcc,f1-mean,f1-binary --labels 0,1 want said
    [ "$(echo "$output" | cut -f 1,4 | tail -n +2 | tr '\t\n' '= ')" = \
        'accuracy=75.0000 mcc=57.7350 f1-mean=73.3333 f1-binary=66.6667 ' ]
}

@test "labels: more classes, predictions that are none, one class alone" {
    printf 'a a\na b\nb b\nb c\nc c\nc x\n' | columns
    # R_K with x as a class of its own: right 3 of 6, sum of p t 1*2 + 2*2 + 2*2 = 10, so
    # (3*6 - 10) / sqrt((36 - 1 - 4 - 4 - 1) (36 - 12)); F1 2/3, 1/2, 1/2
    exits 0 eval-score -m mcc,f1-mean want said
    [ "$(echo "$output" | cut -f 4 | tail -n +2 | tr '\n' ' ')" = '32.0256 55.5556 ' ]
    # an invalid prediction is the opposite of what it should be
    printf '1 x\n0 x\n1 1\n' | columns
    exits 0 eval-score -m f1-binary --labels 0,1 want said
    [ "$(echo "$output" | cut -f 4 | tail -n +2)" = 50.0000 ]
    printf '1 1\n1 1\n' | columns
    exits 0 eval-score -m mcc,f1-mean --labels 0,1 want said
    [ "$(echo "$output" | cut -f 4 | tail -n +2 | tr '\n' ' ')" = '0.0000 50.0000 ' ]
    refuses eval-score -m f1-binary want said
    refuses eval-score -m mcc --labels yes,no want said
    [[ $output == *"want: line 1: reference '1' is none of the labels" ]]
}

@test "numbers: Pearson, Spearman with ties, what is no number, a constant" {
    printf '1 1\n2 2\n3 2\n4 5\n' | columns
    # ranks 1 2.5 2.5 4; Pearson: 6 / sqrt(5 * 9), Spearman: 4.5 / sqrt(5 * 4.5)
    exits 0 eval-score -m pearson,spearman want said
    [ "$(echo "$output" | cut -f 4 | tail -n +2 | tr '\n' ' ')" = '89.4427 94.8683 ' ]
    printf '1 1\n2 2\n0 nan\n' | columns
    printf '1 1\n2 2\n0 -1\n' >both
    eval-score -m pearson want said >one
    cut -d ' ' -f 2 both >said
    eval-score -m pearson want said | cmp - one
    printf '1 3\n2 3\n' | columns
    exits 0 eval-score -m pearson -b 10 want said
    [[ $output == *$'pearson\tall\t2\tnan\tnan\tnan' ]]
    printf 'one 1\n' | columns
    refuses eval-score -m spearman want said
}

@test "spans: types, multiplicity, what is malformed" {
    # right 2 of 3 said and 4 wanted; "LOC" alone and "a: b: c" are no spans
    is 57.1429 score span-f1 'PER: A B $$ LOC:x $$ LOC $$ LOC: x' \
        'PER: A B $$ LOC: x $$ ORG: x $$ PER: A B $$ a: b: c'
    is 0.0000 score span-f1 '' 'PER: A'
    is 0.0000 score span-f1 '' ''
}

@test "Winograd schemas: words within words, determiners, apostrophes, labels" {
    is 100.0000 score wsc 'The Fuzzy bunny' 'bunny'
    is 100.0000 score wsc 'bunny' 'her fuzzy bunny'
    is 0.0000 score wsc 'grey bunny' 'fuzzy bunny'
    is 0.0000 score wsc "Bob's" 'Bob'
    is 0.0000 score wsc 'the' 'Bob'
    printf 'reference\tprediction\tlabel\nBob\tBob\t0\nBob\tAnn\tFalse\nBob\tBob\tTrue\n' >t.tsv
    exits 0 eval-score -t wsc t.tsv
    [[ $output == *$'wsc\tall\t3\t66.6667' ]]
    printf 'reference\tprediction\tlabel\nBob\tBob\tno\n' >t.tsv
    refuses eval-score -t wsc t.tsv
}

@test "groups: MultiRC needs all answers right, ReCoRD counts a query once" {
    printf '%s\t%s\t%s\n' group reference prediction q1 True True q1 False False \
        q2 True True q2 True False q3 True x >t.tsv
    exits 0 eval-score -t multirc t.tsv
    # positives: 2 right, 2 said, 4 wanted
    [[ $output == *$'f1-binary\tall\t5\t66.6667\n'*$'group-accuracy\tall\t3\t33.3333' ]]
    printf '%s\t%s\t%s\n' group reference prediction q1 Ann 'Bob B' q1 Bob 'Bob B' q2 Eve Eve >t.tsv
    exits 0 eval-score -t record t.tsv
    [[ $output == *$'group-em\tall\t2\t50.0000\n'*$'group-f1\tall\t2\t83.3333' ]]
    printf 'q2\tEve\tAnn\n' >>t.tsv
    refuses eval-score -t record t.tsv
    [[ $output == *"t.tsv: line 5: group 'q2': another prediction than before" ]]
    printf 'reference\tprediction\na\ta\n' >t.tsv
    refuses eval-score -t record t.tsv
}

@test "tables: languages, columns of references, separators, escapes, CR LF" {
    printf 'lang\tid\treference\tprediction\treference\r\n' >t.tsv
    printf '%s\t%s\t%s\t%s\t%s\r\n' sw 1 a b b  sw 2 a b ''  el 3 a a ''  el 4 '' '' ''  >>t.tsv
    exits 0 eval-score -m accuracy t.tsv
    [ "$(echo "$output" | cut -f 2- | tr '\t\n' ' /')" = \
        'lang n score/el 2 100.0000/sw 2 50.0000/mean 2 75.0000/all 4 75.0000/' ]
    sed -i '/^sw\t1/d' t.tsv
    exits 0 sh -c 'eval-score -m accuracy <t.tsv'
    [[ $output == *$'mean\t2\t50.0000\n'*$'all\t3\t66.6667' ]]
    is 100.0000 score accuracy 'b' 'a|b' -- --separator='|'
    is 100.0000 score accuracy 'b' $'a\tb'
    is 100.0000 score accuracy '\\n\n' $'\\\\n\\n' -- -E
    # two sentences: "x y" and "a b" are both found, whatever their order
    is 100.0000 score rougeLsum 'a b\nx y' 'x y . a b' -- -E
    is 50.0000 score rougeL 'a b\nx y' 'x y . a b' -- -E
    printf 'reference\tprediction\na\n' >t.tsv
    refuses eval-score -m em t.tsv
    [[ $output == *'t.tsv: line 2: 1 fields, where its header has 2' ]]
}

@test "ROUGE: other scripts need the other tokenizer, which a warning says" {
    printf 'घर बड़ा है\n' >want
    exits 0 eval-score -m rouge1 want want
    [[ $output == *'1 of 1 references are mostly letters that rouge-score does not see'* ]]
    [[ $output == *$'rouge1\tall\t1\t0.0000'* ]]
    is 100.0000 score rouge1 'घर बड़ा है' 'घर बड़ा है' -- --rouge-tokenizer=unicode
    # 北 京 of 3 said and 2 wanted
    is 80.0000 score rouge1 '北京市' '北京' -- --rouge-tokenizer=unicode
}

@test "a second implementation, in Perl, gives the same on odd texts" {
    perl "$DATA/eval/score.pl" make 1 80 >want
    perl "$DATA/eval/score.pl" make 2 80 >other
    perl -e 'open $a, shift; open $b, shift; while (<$a>) { $o = <$b>; chomp($x = $_);
        print $. % 4 == 0 ? $_ : $. % 4 == 1 ? "$x $o" : $. % 4 == 2 ? $o
            : join(" ", grep { $i++ % 5 } split / /, $x) . "\n" }' want other >said
    for metric in 'bleu 13a' 'bleu intl' 'bleu none' chrf chrf++ rouge1 rouge2 rougeL rougeLsum \
        'em squad' 'em trivia' 'em mlqa' 'f1 squad' 'f1 trivia' 'f1 mlqa'; do
        how=()
        case $metric in
        bleu*) how=("--bleu-tokenizer=${metric#* }") ;;
        em* | f1*) how=(-n "${metric#* }") ;;
        esac
        eval-score -E -l en -m "${metric% *}" "${how[@]}" want said 2>/dev/null |
            tail -n 1 | cut -f 4 >got
        perl "$DATA/eval/score.pl" "$metric" want said | diff - got || {
            echo "$metric"
            return 1
        }
        [ "$(cut -d . -f 1 got)" -gt 20 ]    # there was something to find
    done
}

@test "intervals: seeded, as wide as theory says, a language's own" {
    perl -e 'print "lang\treference\tprediction\n";
        print $_ % 2 ? "fi" : "sw", "\t1\t", ($_ % 10 < 4) + 0, "\n" for 1 .. 800' >t.tsv
    eval-score -m accuracy -b 2000 t.tsv >one
    eval-score -m accuracy -b 2000 t.tsv | cmp - one
    eval-score -m accuracy -b 2000 -s 1 t.tsv >two
    run cmp -s one two
    [ "$status" -eq 1 ]
    sed -n '/^lang\|^fi/p' t.tsv | eval-score -m accuracy -b 2000 | grep $'\tfi\t' >alone
    grep $'\tfi\t' one | cmp - alone
    # half of 1.96 * 2 deviations of a share of 0.4 (fi: 0.4, sw: 0.4), n 400, 400, both, 800
    awk -F '\t' 'NR > 1 {
        n = $2 == "mean" || $2 == "all" ? 800 : 400
        w = 2 * 1.96 * 100 * sqrt(0.4 * 0.6 / n)
        if ($5 > $4 || $6 < $4 || ($6 - $5) / w < 0.9 || ($6 - $5) / w > 1.1) bad = 1
    } END { exit bad || NR != 5 }' one
    eval-score -m accuracy -b 2000 --confidence 50 t.tsv | awk -F '\t' 'END { exit $6 - $5 > 3 }'
}

@test "every task and metric that is listed can be named" {
    eval-score --list >list.tsv
    [ "$(grep -c ^metric list.tsv)" -ge 20 ]
    printf 'reference\tprediction\tgroup\n1\t1\tg\n' >t.tsv
    grep ^metric list.tsv | cut -f 2 | while read -r m; do
        eval-score -m "$m" --labels 0,1 t.tsv >/dev/null
    done
    grep ^task list.tsv | while IFS=$'\t' read -r _ task _ labels; do
        printf 'reference\tprediction\tgroup\n%s\ta\tg\n' "${labels%%,*}" >t.tsv
        [ -n "$labels" ] || printf 'reference\tprediction\tgroup\n1\ta\tg\n' >t.tsv
        eval-score -t "$task" t.tsv >/dev/null
    done
}

@test "misuse is 2, damage is named" {
    printf 'a\nb\n' >two
    printf 'a\n' >one
    refuses eval-score -m em two one
    [[ $output == *'two: line 2: one has no such line' ]]
    refuses eval-score -m em one two
    [[ $output == *'one: line 2: two has more lines' ]]
    printf 'a\n\377\n' >bad
    refuses eval-score -m em two bad
    [[ $output == *'bad: line 2: not UTF-8' ]]
    refuses eval-score -m em absent two
    refuses eval-score -m em two
    [[ $output == *"two: line 1: no column called 'prediction'" ]]
    : >none
    refuses eval-score -m em none none
    refuses eval-score -m em none
    head -c 4096 /dev/urandom >noise
    refuses eval-score -m em,rouge1 noise
    refuses eval-score -m em noise noise
    exits 1 sh -c 'eval-score -m em one one >/dev/full'
    exits 1 eval-score -m em -o no/such/folder one one
    exits 2 eval-score one one
    exits 2 eval-score -m nothing one one
    exits 2 eval-score -t nothing one one
    exits 2 eval-score -m em -n fr one one
}
