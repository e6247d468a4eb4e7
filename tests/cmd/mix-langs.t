#!/usr/bin/env bats
# mix-langs: shares and weights, relative names, simulation, damage, misuse
load ../helper

examples() { # FILE LANG ROWS [KEY=VALUE...]: whole rows, a document each
    local file=$1 lang=$2 rows=$3
    shift 3
    awk -v n="$rows" 'BEGIN {
        for (d = 0; d < n; d++) {
            printf "%d 0", d
            for (i = 0; i < 34; i++)
                printf " %d", 3 + (d * 7919 + i) % 30000
            print ""
        }
    }' | perl "$root/tests/cmd/make-shard.pl" "lang=$lang" "${@:-vocab.size=32100}" | pack-spans -i 32 -o "$file"
}

column() { # FILE NAME: its values, a line each
    grep -v '^#' "$1" | awk -F'\t' -v name="$2" '
        NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
        { print $at }'
}

@test "weights follow rows ^ alpha and sum to the period" {
    examples en.ex en 1000
    examples fi.ex 'fi' 60
    examples sw.ex sw 7
    exits 0 mix-langs -o mix.tsv sw.ex en.ex fi.ex
    [ "$(head -n 1 mix.tsv)" = '# switchyard-plan 1' ]
    [ "$(column mix.tsv lang | paste -sd' ')" = 'en fi sw' ]
    [ "$(column mix.tsv rows | paste -sd' ')" = '1000 60 7' ]
    # x^0.3: 7.943282, 3.415430, 1.792790; times 65536 by sum: 39582.62, 17019.62, 8933.75
    [ "$(column mix.tsv weight | paste -sd' ')" = '39582 17020 8934' ]
    [ "$(column mix.tsv probability | paste -sd' ')" = '0.603983 0.259699 0.136318' ]
    mix-langs -t 1 -p 1067 -o mix.tsv sw.ex en.ex fi.ex
    [ "$(column mix.tsv weight | paste -sd' ')" = '1000 60 7' ]
    [ "$(column mix.tsv oversampling | paste -sd' ')" = '1 1 1' ]
    mix-langs -a 0 -p 9 -o mix.tsv sw.ex en.ex fi.ex
    [ "$(column mix.tsv weight | paste -sd' ')" = '3 3 3' ]
    mix-langs -a 1 -c 60 -p 127 -o mix.tsv sw.ex en.ex fi.ex
    [ "$(column mix.tsv weight | paste -sd' ')" = '60 60 7' ]
    mix-langs -b tokens -a 1 -p 1067 -o mix.tsv sw.ex en.ex fi.ex
    [ "$(column mix.tsv weight | paste -sd' ')" = '1000 60 7' ]
    [ "$(column mix.tsv tokens | paste -sd' ')" = '40000 2400 280' ]
}

@test "the same plan from any order of operands; on standard output too" {
    examples en.ex en 20
    examples fi.ex 'fi' 6
    mix-langs en.ex fi.ex >a.tsv
    mix-langs -o b.tsv fi.ex en.ex
    cmp a.tsv b.tsv
}

@test "names are relative to the plan's folder, absolute ones stay" {
    mkdir -p train plans/new
    examples train/en.ex en 20
    examples plans/fi.ex 'fi' 6
    mix-langs -o plans/new/mix.tsv train/en.ex plans/fi.ex
    [ "$(column plans/new/mix.tsv file | paste -sd' ')" = '../../train/en.ex ../fi.ex' ]
    mix-langs -o plans/mix.tsv "$PWD/train/en.ex" plans/fi.ex
    [ "$(column plans/mix.tsv file | paste -sd' ')" = "$PWD/train/en.ex fi.ex" ]
}

@test "a simulation is exact: whole periods are the weights" {
    examples en.ex en 30
    examples fi.ex 'fi' 6
    mix-langs -p 100 -a 0.5 -o mix.tsv en.ex fi.ex
    mix-langs -n 700 mix.tsv >sim.tsv
    for i in 1 2; do
        weight=$(column mix.tsv weight | sed -n "${i}p")
        [ "$(column sim.tsv drawn | sed -n "${i}p")" = $((7 * weight)) ]
    done
    [ "$(mix-langs -n 1 <mix.tsv | awk 'NR > 1 { n += $3; u += $7 } END { print n, u }')" = '1 35' ]
    for n in 37 50 163; do
        [ "$(mix-langs -n $n mix.tsv | awk 'NR > 1 { n += $3 } END { print n }')" = $n ]
    done
}

@test "floors, and no more than so many epochs" {
    examples en.ex en 1000
    examples fi.ex 'fi' 60
    examples sw.ex sw 7
    mix-langs -a 1 -f 0.05 -o mix.tsv en.ex fi.ex sw.ex
    [ "$(column mix.tsv probability | paste -sd' ')" = '0.896226 0.0537736 0.05' ]
    mix-langs -a 0 -e 2 -r 500 -o mix.tsv en.ex fi.ex sw.ex
    [ "$(column mix.tsv probability | paste -sd' ')" = '0.732 0.24 0.028' ]
    grep -qx '# max-epochs 2' mix.tsv
    mix-langs -n 500 mix.tsv | awk -F'\t' 'NR > 1 && $6 > 2.2 { exit 1 }'
    exits 1 mix-langs -a 0 -e 2 -r 5000 en.ex fi.ex sw.ex
    [[ $output == *'5000 rows are more than 2 epochs of all languages'* ]]
    exits 0 mix-langs -p 20 -e 1 -r 1000 -o mix.tsv en.ex sw.ex
    [[ $output == *'sw: 7.14 epochs: a longer --period'* ]]
    exits 1 mix-langs -f 0.4 en.ex fi.ex sw.ex
    exits 2 mix-langs -e 2 en.ex
    exits 2 mix-langs -r 2 en.ex
}

@test "stages: plans one after another, and a simulation across them" {
    examples en.ex en 100
    examples fi.ex 'fi' 60
    examples sw.ex sw 7
    mix-langs -p 100 -o a.tsv en.ex fi.ex
    mix-langs -p 100 -a 1 -o b.tsv fi.ex sw.ex
    exits 0 mix-langs --stages 300 -o mix.tsv a.tsv b.tsv
    grep -qx '# stage.2 300' mix.tsv
    exits 0 mix-langs --stages 201 -o up.tsv a.tsv b.tsv
    [[ $output == *'201 rows becomes one of 300'* ]]
    cmp mix.tsv up.tsv
    [ "$(column mix.tsv weight.2 | paste -sd' ')" = '0 90 10' ]
    want=$(paste <(column a.tsv weight) <(printf '90\n10\n') |
        awk 'NR == 1 { en = 3 * $1 } NR == 2 { fi = 3 * $1 } END { print en, fi + 180, 20 }')
    [ "$(mix-langs -n 500 mix.tsv | column /dev/stdin drawn | paste -sd' ')" = "$want" ]
    exits 2 mix-langs --stages 300,5 a.tsv b.tsv
    exits 2 mix-langs --stages 3x a.tsv b.tsv
    exits 2 mix-langs --stages 300 a.tsv
    mix-langs -p 50 -o c.tsv sw.ex
    refuses mix-langs --stages 300 a.tsv c.tsv
}

@test "what does not go together is refused" {
    examples en.ex en 20
    examples en2.ex en 5
    examples big.ex 'fi' 5 vocab.size=250100
    refuses mix-langs en.ex en2.ex
    [[ $output == *en2.ex*en.ex* ]]
    refuses mix-langs en.ex big.ex
    [[ $output == *big.ex*vocabulary* ]]
    echo '0 0 5 6 7' | perl "$root/tests/cmd/make-shard.pl" vocab.size=32100 lang=sw | pack-spans -o long.ex
    refuses mix-langs en.ex long.ex
    [[ $output == *long.ex*'512 inputs'* ]]
    echo '0 fi 5 6 7' | perl "$root/tests/cmd/make-shard.pl" vocab.size=32100 langs=sw,fi | pack-spans -i 32 -o two.ex
    refuses mix-langs en.ex two.ex
    [[ $output == *two.ex*'one shard a language'* ]]
    examples none.ex yo 0
    refuses mix-langs none.ex
    exits 0 mix-langs -o mix.tsv en.ex none.ex
    [[ $output == *none.ex*yo* ]]
    [ "$(column mix.tsv weight | paste -sd' ')" = '65536 0' ]
}

@test "damage and misuse" {
    examples en.ex en 20
    head -c 500 en.ex >cut.ex
    refuses mix-langs cut.ex
    head -c 5000 /dev/urandom >noise
    refuses mix-langs noise
    refuses mix-langs -n 5 noise
    refuses mix-langs absent.ex
    refuses mix-langs -n 5 absent.tsv
    mix-langs -o mix.tsv en.ex
    sed 's/^# period.*/# period 7/' mix.tsv >bad.tsv
    refuses mix-langs -n 5 bad.tsv
    [[ $output == *'sum to 65536'* ]]
    exits 1 sh -c 'mix-langs en.ex >/dev/full'
    exits 1 sh -c 'mix-langs -n 5 mix.tsv >/dev/full'
    exits 1 mix-langs -o no/such/folder/mix.tsv en.ex
    exits 2 mix-langs
    exits 2 mix-langs -a 0.3 -t 2 en.ex
    exits 2 mix-langs -n 5 mix.tsv mix.tsv
    exits 2 mix-langs -b words en.ex
}
