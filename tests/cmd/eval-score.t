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
