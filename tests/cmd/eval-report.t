#!/usr/bin/env bats
# eval-report: a page from tables and runs, misuse, damage
load ../helper

tables() {
    printf 'model\tlang\ttargets\tloss\nbig\tfi\t10\t2.5\nbig\tall\t10\t2.5\n' >one.tsv
    printf 'lang\ttargets\tloss\nfi\t10\t3\nsw\t5\t4\nall\t15\t3.33\n' >small.tsv
    mkdir run
    printf 'step\tloss\tseconds\ttokens\n0\t6.1\t1\t100\n1\t5.2\t1\t100\n' >run/metrics.tsv
}

@test "a table on standard input becomes a page with a row a language" {
    tables
    exits 0 sh -c 'eval-report <one.tsv'
    [[ $output == '<!DOCTYPE html>'*'Finnish'*'2.500'* ]]
}

@test "two models: the last is the baseline, and there is a TSV" {
    tables
    exits 0 eval-report -o page.html --tsv page.tsv -r big=run -e big=one.tsv small.tsv
    grep -q 'big &minus; small' page.html
    grep -q '<polyline' page.html
    [ "$(sed -n 2p page.tsv | cut -f 1,9)" = $'fi\t-0.500000' ]
    [ "$(tail -n 1 page.tsv | cut -f 1)" = all ]
    printf 'step\tloss\ttokens\n1\t6\t1638400\n' >run/metrics.tsv
    eval-report -o page.html -r big=run
    grep -q '1.64 M tokens' page.html
}

@test "gates: what holds is named, after the page is there" {
    tables
    exits 0 eval-report -o page.html -e big=one.tsv --fail-if 'fi.nlp<prev' \
        --fail-if 'fi.perplexity>20.1' --fail-if 'all.tokens_per_s<100' -r big=run small.tsv
    exits 1 eval-report -o page2.html -e big=one.tsv --fail-if 'fi.nlp>=prev' \
        --fail-if 'fi.loss>2.5' --fail-if 'fi.difference<-0.4' small.tsv
    [ "$output" = "eval-report: gate 'fi.nlp>=prev': big has -2.5, against -3
eval-report: gate 'fi.difference<-0.4': big has -0.5, against -0.4" ]
    grep -q Finnish page2.html
    refuses eval-report -o page.html -e big=one.tsv --fail-if 'sw.nlp<prev' small.tsv
    [[ $output == *"gate 'sw.nlp<prev': no nlp of sw is known for big" ]]
    refuses eval-report -o page.html --fail-if 'fi.nlp<prev' one.tsv
    for gate in 'fi' fi.nlp 'fi.nlp<' 'fi.nlp<many' '.nlp<1' 'fi.n<1' 'nlp<1' '<' 'fi.loss nlp<1'; do
        rm -f page.html
        exits 2 eval-report -o page.html --fail-if "$gate" one.tsv
        [[ $output == "eval-report: '$gate' is no gate"* && ! -e page.html ]]
    done
}

@test "speed-ups: the mean, the share of the fourfold, a row for each range" {
    tables
    mkdir fast slow
    printf 'step\tloss\n0\t6\n' | tee fast/metrics.tsv >slow/metrics.tsv
    # fi: as good at step 100 of 800, sw: at 400, nl: never
    printf '%s\t%s\t%s\n' step lang nlp 100 'fi' -3 100 sw -4 100 nl -5 400 'fi' -2 400 sw -3 \
        400 nl -4 >fast/eval.tsv
    printf '%s\t%s\t%s\n' step lang nlp 800 'fi' -3 800 sw -3 800 nl -3 >slow/eval.tsv
    exits 0 eval-report -o page.html -r fast=fast -r slow=slow --fail-if 'sw.speed_up>2.01'
    grep -q 'Mean over 3 languages 3.33x, those never as good counted as 0; 33 % of them' page.html
    grep -q '<td>8 to 10x</td><td>1</td>' page.html
    grep -q '<td>0 to 1x</td><td>1</td>' page.html
    refuses eval-report -o page.html -r fast=fast -r slow=slow --fail-if 'nl.speed_up<1'
}

@test "curves of what was dropped and of the speed, where they are known" {
    tables
    exits 0 eval-report -o page.html -r big=run
    [ "$(grep -c 'role="img"' page.html)" -eq 2 ]    # loss and tokens a second
    printf '%s\t%s\t%s\t%s\t%s\n' step loss seconds tokens dropped 0 6 1 10 0.5 1 6 1 10 0.25 \
        >run/metrics.tsv
    exits 0 eval-report -o page.html -r big=run --fail-if 'all.dropped>0.26'
    [ "$(grep -c 'role="img"' page.html)" -eq 3 ]
    grep -q '>50</text>' page.html    # in percent
    sed -i 's/0\.[25]*$/0/' run/metrics.tsv
    exits 0 eval-report -o page.html -r big=run
    [ "$(grep -c 'role="img"' page.html)" -eq 2 ]
}

@test "experts: a map of each block, a cell for each language and expert" {
    tables
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' lang stack block expert tokens share \
        'fi' encoder 1 0 9 0.9 'fi' encoder 1 1 1 0.1 sw encoder 1 1 5 1 'fi' decoder 3 0 1 1 >ex.tsv
    exits 0 eval-report -o page.html --experts ex.tsv one.tsv
    [ "$(grep -c '<h3>encoder 1</h3>\|<h3>decoder 3</h3>' page.html)" -eq 2 ]
    # even is 0.5: 0.9 and 1 are levels 4 and 5 of 7, 0.1 level 1; two cells of fi, one of sw
    [ "$(grep -o 'M[0-9]* [0-9]*h13' page.html | wc -l)" -eq 4 ]
    grep -q 'opacity="0.14" d="M84 0h13' page.html
    grep -q 'opacity="0.57" d="M70 0h13' page.html
    sed 's/\t0.9$/\t1.9/' ex.tsv >bad.tsv
    refuses eval-report --experts bad.tsv one.tsv
    [[ $output == *'bad.tsv: row 1: share 1.9 is none' ]]
    sed 's/encoder\t1\t0/encoder\t1\t-1/' ex.tsv >bad.tsv
    refuses eval-report --experts bad.tsv one.tsv
    head -n 1 ex.tsv >bad.tsv
    refuses eval-report --experts bad.tsv one.tsv
    refuses eval-report --experts one.tsv one.tsv
    refuses eval-report --experts absent one.tsv
}

@test "the share of a teacher's gain, by language" {
    printf 'lang\ttargets\tloss\nfi\t10\t4\nsw\t5\t3\nnl\t5\t2\nall\t20\t3.25\n' >base.tsv
    printf 'lang\ttargets\tloss\nfi\t10\t3\nsw\t5\t1\nnl\t5\t2\nall\t20\t2.25\n' >big.tsv
    printf 'lang\ttargets\tloss\nfi\t10\t3.75\nsw\t5\t3.5\nnl\t5\t1\nall\t20\t3\n' >small.tsv
    eval-report -o page.html --tsv page.tsv --teacher big big.tsv small.tsv base.tsv
    awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "small.kept") c = i; next }
        { print $1, $c }' page.tsv >got
    printf '%s\n' 'fi 0.2500' 'nl ' 'sw -0.2500' 'all 0.2500' | diff - got
    [ "$(grep -o '[a-z]*\.kept' page.tsv)" = small.kept ]
    grep -q '<td>Finnish</td><td>+1.000</td><td class="good">25 %</td>' page.html
    grep -q '<td>Swahili</td><td>+2.000</td><td class="bad">-25 %</td>' page.html
    grep -q '<td>Dutch</td><td>+0.000</td><td></td>' page.html
    exits 0 eval-report -o page.html --teacher big --fail-if 'all.kept<0.2' big.tsv small.tsv base.tsv
    refuses eval-report -o page.html --teacher big --fail-if 'fi.kept<0.3' big.tsv small.tsv base.tsv
    refuses eval-report -o page.html --teacher big --fail-if 'nl.kept<0.3' big.tsv small.tsv base.tsv
    refuses eval-report -o page.html --teacher nobody big.tsv small.tsv base.tsv
    refuses eval-report -o page.html --teacher base big.tsv small.tsv base.tsv
    # no third model: nothing to tell
    eval-report -o page.html --teacher big big.tsv base.tsv
    run grep -c 'Share of the gain' page.html
    [ "$output" = 0 ]
}

@test "experts of several models; all figures as a table" {
    tables
    printf '%s\t%s\t%s\t%s\t%s\n' lang stack block expert share 'fi' encoder 1 0 0.25 'fi' encoder 1 1 0.75 >a.tsv
    sed 's/0.25/0.5/; s/0.75/0.5/' a.tsv >b.tsv
    printf '%s\t%s\t%s\n' step lang nlp 400 'fi' -3 400 all -3.5 800 'fi' -2 800 all -2.5 >run/eval.tsv
    cp -r run other
    exits 0 eval-report -o page.html -r big=run -r low=other -e big=one.tsv --experts big=a.tsv \
        --experts low=b.tsv --figures f.tsv
    grep -q '<h2>Experts of big by language' page.html && grep -q '<h2>Experts of low by' page.html
    [ "$(head -n 1 f.tsv)" = $'figure\tmodel\tlang\tseries\tx\ty' ]
    at() { awk -F'\t' -v OFS=' ' -v f="$1" -v m="$2" '$1 == f && $2 == m { print $3, $4, $5, $6 }' f.tsv | paste -sd';'; }
    [ "$(at experts big)" = "fi encoder 1 0 0.25;fi encoder 1 1 0.75" ]
    [ "$(at experts low)" = "fi encoder 1 0 0.5;fi encoder 1 1 0.5" ]
    [ "$(at held_out_loss big)" = "all  400 3.5;all  800 2.5;fi  400 3;fi  800 2" ]
    [[ "$(at loss big)" == " plain 0 6.1; plain 1 5.2; smooth 0 6.1; smooth 1 "* ]]
    [ "$(at tokens_per_s low)" = " plain 0 100; plain 1 100; smooth 0 100; smooth 1 100" ]
    [ "$(at final_loss big)" = "all   2.5;fi   2.5" ] && [ "$(at steps big)" = "   1" ]
    [ "$(at speed_up big)" = "fi   1;all   1" ] && [ -z "$(at speed_up low)" ]
    [[ "$(at speed_ups big)" == *" languages from x on 1 1;"*" mean  1;"* ]]
    exits 0 eval-report -o page.html --experts a.tsv one.tsv
    grep -q '<h2>Experts by language' page.html
    grep -q '<svg class="chart"' page.html && false    # whose letters grow on a phone: maps keep theirs
    refuses eval-report -o page.html --experts big=absent one.tsv
    exits 1 eval-report -o page.html --figures /dev/full one.tsv
}

@test "scores of answers: a table a set and metric, the curve of fine-tuning" {
    tables
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' metric lang n score low high em 'fi' 10 50.25 40 60 em sw 10 nan nan nan \
        em mean 1 50.25 40 60 em all 20 50 45 55 f1 'fi' 10 61 50 70 >xquad.tsv
    printf '%s\t%s\t%s\t%s\n' metric lang n score em 'fi' 10 30 em all 10 30 >low.tsv && mkdir low && mv low.tsv low/xquad.tsv
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' step set metric lang n score 20 dev em all 9 7 20 mean em all 1 7 40 mean em all 1 9 >run/scores.tsv
    exits 0 eval-report -o page.html -r big=run -s big=xquad.tsv -s small=low/xquad.tsv --figures f.tsv
    [ "$(grep -c '<h3>xquad, em</h3>' page.html)" -eq 1 ] && grep -q '<h3>xquad, f1</h3>' page.html
    grep -q '<td>Finnish</td><td>50.2 <small>40.0 to 60.0</small></td><td>30.0</td>' page.html
    grep -q '<td>Swahili</td><td></td><td></td>' page.html
    grep -q '<tr class="all"><td>mean</td><td>50.2' page.html
    grep -q 'Score in fine-tuning' page.html
    grep -qx $'score\tbig\tfi\txquad em\t10\t50.25' f.tsv
    grep -qx $'score_in_training\tbig\tall\t\t40\t9' f.tsv
    [ "$(grep -c '^score	' f.tsv)" -eq 6 ]
    exits 0 eval-report -o page.html -s big=xquad.tsv    # scores alone
    grep -q 'Loss by language</h2>' page.html && false
    exits 0 eval-report -o page.html -s big=xquad.tsv -s small=low/xquad.tsv --fail-if 'fi.xquad/em<prev'
    exits 1 eval-report -o page.html -s big=xquad.tsv -s small=low/xquad.tsv \
        --fail-if 'all.xquad/em>=49' --fail-if 'mean.xquad/em<50.2'
    [ "$output" = "eval-report: gate 'all.xquad/em>=49': big has 50, against 49" ]
    refuses eval-report -o page.html -s big=xquad.tsv --fail-if 'fi.xquad/bleu<1'
    exits 2 eval-report -o page.html -s big=xquad.tsv --fail-if 'fi./em<1'
    refuses eval-report -o page.html -s big=one.tsv
    refuses eval-report -o page.html -s big=absent
    exits 2 eval-report -o page.html -s xquad.tsv
}

@test "a run that diverged has a page, which says so" {
    tables
    printf '%s\t%s\n' step loss 0 6 1 nan 2 inf 3 5 >run/metrics.tsv
    exits 0 eval-report -o page.html -r big=run --figures f.tsv
    grep -q 'diverged: no finite loss in 2 steps' page.html
    grep -Eq 'points="[^"]*(nan|inf)' page.html && false
    awk -F'\t' '$1 == "loss" && $4 == "plain" { print $5, $6 }' f.tsv | paste -sd';' | grep -qx '0 6;3 5'
    sed -i 's/nan/many/' run/metrics.tsv
    refuses eval-report -o page.html -r big=run
}

@test "a dozen runs: their names wrap, their lines differ" {
    tables
    runs=()
    for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
        runs+=(-r "run-$i=run")
    done
    exits 0 eval-report -o page.html "${runs[@]}"
    sed -n '/class="names"/,/<\/p>/p' page.html | grep -o '<line[^>]*></svg> run-[0-9]*<' | sort -u >names
    [ "$(grep -c . names)" -eq 12 ]
    grep -o 'stroke=.*/>' names | sort -u | grep -c . | grep -qx 12
    for stroke in 'stroke="var(--c0)" stroke-width="2.2"' \
        'stroke="var(--c0)" stroke-width="2.2" stroke-dasharray="9 4"'; do
        grep -q "<polyline fill=\"none\" $stroke points" page.html
    done
}

@test "markup in names is text" {
    tables
    eval-report -t '<b>' -e '<script>=one.tsv' -o page.html
    run grep -c '<script>\|<b></h1>' page.html
    [ "$output" = 0 ]
}

@test "damage is named" {
    tables
    printf 'lang\ttargets\tloss\nfi\tmany\t3\n' >bad.tsv
    refuses eval-report bad.tsv
    [[ $output == *'bad.tsv: row 1: targets'* ]]
    head -n 1 small.tsv >cut.tsv
    refuses eval-report cut.tsv
    [[ $output == *'cut.tsv: a header, but no row' ]]
    refuses eval-report absent.tsv
    refuses eval-report -r x=absent
    refuses eval-report -b nobody one.tsv
    head -c 4096 /dev/urandom >noise
    refuses eval-report noise
    exits 1 sh -c 'eval-report one.tsv >/dev/full'
    exits 1 eval-report -o no/such/folder/page.html one.tsv
    exits 2 eval-report -r run
    exits 2 eval-report --color=red
}
