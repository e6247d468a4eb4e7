#!/usr/bin/env bats
# every tool, every file it reads, every kind of damage: exit 1 and one line that names the tool
# and the file, never a signal, never a hang; every file it writes: whole, or no file
load ../helper
bats_require_minimum_version 1.5.0
export SWITCHYARD_SHARE=$root/share

# What a tool reads: the file that is damaged, what of it the tool must notice (e: it is empty,
# r: random bytes, c: it is cut, f: a byte is flipped; that it is missing or a folder, always),
# the command. Where the damage may leave something that is valid (no document, a line less of
# text, another weight, a block that one step does not read), the tool may end well, too.
reads() {
    cat <<'END'
crawl.gz            rcf   c4clean -q --lang-from header --profile mc4 --strict -o out crawl.gz
crawl.gz            rcf   c4clean -q --lang-from header --profile mc4 --strict --split-by lang --out outs crawl.gz
docs.zst            rcf   c4clean -q --lang-from header --profile mc4 --strict -o out docs.zst
docs                r     c4clean -q --lang-from header --profile mc4 --strict -o out docs
docs                r     spm-encode -q -m v.model --strict -o out docs
docs.zst            rcf   spm-encode -q -m v.model --strict -o out docs.zst
docs.zst            -     dedup-docs -q -o out docs.zst
docs                -     dedup-docs -q -o out docs
docs                -     langid -q --model small.lid -o out docs
small.lid           ercf  langid -q --model small.lid -o out docs
labels              -     langid-train -q -g char2:256:4 -w 8 -n 200 -o out labels
docs                -     punkt-train -q -o out docs
docs                -     spm-train -q -s 800 --at-most -c 0.9 -o out docs
docs.zst            cf    spm-train -q -s 800 --at-most -c 0.9 -o out docs.zst
v.model             erc   spm-train -q -s 800 --at-most -c 0.9 --normalizer v.model -o out docs
pairs               r     eval-score -m em -o out pairs pairs
v.model             erc   switch-generate -q -m v.model -L 4 -o out step few
step/config.json    erc   switch-generate -q -m v.model -L 4 -o out step few
step/expert-00001.safetensors erc switch-generate -q -m v.model -L 4 -o out step few
v.model             erc   pack-pairs -q -m v.model -o out pairs
pairs               -     pack-pairs -q -m v.model -o out pairs
t.ids               ercf  shard merge -o out t.ids
t.ids               ercf  shard shuffle -o out t.ids
t.ex                ercf  shard split -p 2 -o out% t.ex
t.ids               ercf  shard export -f tfrecord -o out t.ids
t.tfrecord          rcf   shard import -f tfrecord -v 1100 -o out t.tfrecord
net/config.json     erc   switch-convert -o outs net
net/model.safetensors erc switch-convert -o outs net
dense/config.json   erc   switch-upcycle -E 2 -o outs dense
dense/model.safetensors erc switch-upcycle -E 2 -o outs dense
text                -     spm-encode -q -m v.model --lines -f ids -o out text
v.model             erc   spm-encode -q -m v.model -o out docs
v.model             erc   spm-decode -q -m v.model -o out t.ids
t.ids               rcf   spm-decode -q -m v.model -o out t.ids
text.ids            r     spm-decode -q -m v.model -f ids -o out text.ids
t.ids               ercf  pack-spans -q -o out t.ids
t.ids               ercf  pack-spans -q -o out other.ids t.ids
t.ids               ercf  shard cat -o out t.ids
t.ids               ercf  shard cat -t -o out t.ids
t.ids               erc   shard ls t.ids
t.ids               ercf  shard ls -l t.ids
t.ids               ercf  shard sum t.ids
t.ids               ercf  shard check t.ids
t.ids               er    shard head t.ids
t.ex                ercf  shard cat -o out t.ex
t.ex                ercf  shard cat -t -o out t.ex
t.ex                erc   shard ls t.ex
t.ex                ercf  shard ls -l t.ex
t.ex                ercf  shard check t.ex
t.ex                erc   mix-langs -o out t.ex
mix.tsv             er    mix-langs -n 100 -o out mix.tsv
loss.tsv            er    eval-report -o out loss.tsv
loss.tsv            er    eval-report -o out -e x=loss.tsv
run/metrics.tsv     er    eval-report -o out -r x=run -e x=loss.tsv
marks.tsv           er    eval-report -o out -s x=marks.tsv
experts.tsv         er    eval-report -o out --experts x=experts.tsv loss.tsv
tiny.json           erc   switch-plan -o out tiny.json
tiny.json           erc   switch-pretrain -c tiny.json -t t.ex -o outs -n 1 -b 8 -q
t.ex                erc   switch-pretrain -c tiny.json -t t.ex -o outs -n 1 -b 8 -q
mix.tsv             erc   switch-pretrain -c tiny.json -t mix.tsv -o outs -n 1 -b 8 -q
t.ex                ercf  switch-pretrain -c tiny.json -t mix.tsv -o outs -n 1 -b 8 -q
step/config.json    ercf  switch-finetune -w step -t t.ex -o outs -n 1 -b 8 -q --max-rollbacks 0
step/model-shared.safetensors ercf switch-finetune -w step -t t.ex -o outs -n 1 -b 8 -q --max-rollbacks 0
t.ex                erc   switch-finetune -w step -t t.ex -o outs -n 1 -b 8 -q --max-rollbacks 0
mix.tsv             erc   switch-finetune -w step -t mix.tsv -o outs -n 1 -b 8 -q --max-rollbacks 0
pairs               e     switch-finetune -w step -t pairs -m v.model -o outs -n 1 -b 8 -i 64 -q
v.model             erc   switch-finetune -w step -t pairs -m v.model -o outs -n 1 -b 8 -i 64 -q
t.ex                erc   switch-finetune -w step -t mix.tsv -e dev=t.ex -o outs -n 1 -b 8 -q --max-rollbacks 0
step/state.json     ercf  switch-pretrain -c tiny.json -t t.ex -o outs -n 3 -b 8 -q --resume step
step/optimizer-shared.safetensors ercf switch-pretrain -c tiny.json -t t.ex -o outs -n 3 -b 8 -q --resume step
t.ex                erc   switch-distill -T step -t t.ex -o outs -n 1 -b 8 -q
step/config.json    ercf  switch-distill -T step -t t.ex -o outs -n 1 -b 8 -q
step/expert-00001.safetensors ercf switch-distill -T step -t t.ex -o outs -n 1 -b 8 -q
said.logits         ercf  switch-distill --cache said.logits -c dense.json -t t.ex -o outs -n 1 -b 8 -q
t.ex                ercf  switch-eval -o out step t.ex
step/config.json    ercf  switch-eval -o out step t.ex
step/expert-00001.safetensors ercf switch-eval -o out step t.ex
rows.safetensors    erc   switch-probe -m net -i rows.safetensors -o out
net/config.json     erc   switch-probe -m net -i rows.safetensors -o out
net/model.safetensors erc switch-probe -m net -i rows.safetensors -o out
END
}

# What a tool writes to: OUT stands for the file; (-) where that may be standard output
writes() {
    cat <<'END'
-  c4clean -q --lang-from header --profile mc4 -o OUT crawl.gz
   c4clean -q --lang-from header --profile mc4 --rejects OUT -o /dev/null crawl.gz
   c4clean -q --lang-from header --profile mc4 --stats OUT -o /dev/null crawl.gz
   c4clean -q --lang-from header --profile mc4 --split-by lang --out OUT crawl.gz
-  dedup-docs -q -o OUT docs
   dedup-docs -q -o /dev/null --stats OUT docs
-  langid -q --model small.lid -o OUT docs
   langid-train -q -g char2:256:4 -w 8 -n 200 -o OUT labels
-  punkt-train -q -o OUT docs
   spm-train -q -s 800 --at-most -c 0.9 -o OUT docs
-  pack-pairs -q -m v.model -o OUT pairs
-  eval-score -m em -o OUT pairs pairs
-  switch-generate -q -m v.model -L 4 -o OUT step few
-  shard merge -o OUT t.ids
-  shard shuffle -o OUT t.ids
-  shard export -f tfrecord -o OUT t.ids
-  shard import -f tfrecord -v 1100 -o OUT t.tfrecord
   switch-convert -o OUT net
   switch-upcycle -E 2 -o OUT dense
-  spm-encode -q -m v.model -o OUT docs
-  spm-encode -q -m v.model -f ids -o OUT docs
   spm-encode -q -m v.model --stats OUT -o /dev/null docs
-  spm-decode -q -m v.model -o OUT t.ids
-  pack-spans -q -o OUT t.ids
   pack-spans -q --stats OUT -o /dev/null t.ids
-  shard cat -o OUT t.ids
-  shard cat -t -o OUT t.ex
   shard check --repair -o OUT cut.ids
-  mix-langs -o OUT t.ex
-  mix-langs -n 100 -o OUT mix.tsv
-  eval-report -o OUT loss.tsv
   eval-report --tsv OUT -o /dev/null loss.tsv
   eval-report --figures OUT -o /dev/null loss.tsv
-  switch-plan -o OUT tiny.json
   switch-pretrain -c tiny.json -t t.ex -n 1 -b 8 -q -o OUT
-  switch-distill -T step -t t.ex -n 1 -b 8 -q -k 4 --write-cache OUT
   switch-finetune -w step -t t.ex -n 1 -b 8 -q -o OUT
-  switch-eval step t.ex -o OUT
   switch-eval step t.ex -o /dev/null -e OUT
-  switch-probe -m net -i rows.safetensors -o OUT
END
}

setup_file() { # one good file of each kind
    cd "$BATS_FILE_TMPDIR" || return 1
    zcat "$DATA/tiny/tiny.warc.wet.gz" | awk '/^WARC\/1.0/ && ++n > 200 { exit } { print }' | gzip >crawl.gz
    c4clean -q --lang-from header --profile mc4 "$DATA/tiny/tiny.warc.wet.gz" | head -n 40 >docs
    zstd -q docs
    jq -r .text docs >text
    spm_train --input=text --model_prefix=v --vocab_size=1000 --pad_id=0 --eos_id=1 --unk_id=2 \
        --bos_id=-1 --hard_vocab_limit=false --max_sentence_length=16384 2>/dev/null
    spm-encode -q -m v.model --lang aa -o t.ids docs
    spm-encode -q -m v.model --lang bb -o other.ids docs
    spm-encode -q -m v.model -n -f ids -o text.ids text
    head -c 3000 t.ids >cut.ids
    pack-spans -q --inputs 32 -o t.ex t.ids
    mix-langs -o mix.tsv t.ex
    jq --argjson n "$(head -c 2000 t.ids | tr '\0' '\n' | grep -a '^vocab.size=' | cut -d= -f2)" \
        '.vocab_size = $n' "$DATA/train/tiny.json" >tiny.json
    switch-pretrain -c tiny.json -t t.ex -o run -n 2 -b 8 -q
    mv run/step-* step
    switch-distill -T step -t t.ex -n 1 -b 8 -q -k 4 --write-cache said.logits
    jq '.model_type = "t5"' tiny.json >dense.json
    switch-eval step t.ex -o loss.tsv -e experts.tsv
    cp -r "$DATA/golden/switch_tiny/model" net
    cp "$DATA/golden/paper_switch/inputs.safetensors" rows.safetensors
    rm v.vocab
    jq -r '[.lang, .text] | @tsv' docs | head -n 20 >labels
    langid-train -q -g char2:256:4 -w 8 -n 200 -o small.lid labels
    jq -r '[.text[0:20], .text[20:40]] | @tsv' docs >pairs
    eval-score -m em -o marks.tsv pairs pairs
    shard export -f tfrecord -o t.tfrecord t.ids
    cp -r "$DATA/golden/t5v10_tiny/model" dense
    head -n 3 text >few
}

setup() {
    cp -r "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR/work" && cd "$BATS_TEST_TMPDIR/work" || return 1
}

complain() { # TEXT: a case that fails; all are run before the test does
    echo "$*"
    echo "$*" >>"$BATS_TEST_TMPDIR/complaints"
}

files() { # tables that a run of training has begun may stay
    find . ! -type d ! -path './outs/metrics.tsv' ! -path './outs/eval.tsv' ! -path './outs/scores.tsv' | sort
}

no_complaint() {
    [ ! -e "$BATS_TEST_TMPDIR/complaints" ]
}

# speaks WANT WHAT NAME COMMAND...: exit status WANT (or 0, where WANT is 01) in time, one line on
# standard error from this tool that names NAME or the folder it is in, and no file that was not
# there (but for the metrics of a training that came to damage). Damage that need not be noticed may
# be blamed on another file. $to: standard output
speaks() {
    local want=$1 what=$2 name=$3
    shift 3
    files >../before
    # shellcheck disable=SC2016
    run --separate-stderr sh -c 'exec <"$0" >"$1"; shift; exec timeout -k 2 10 "$@"' /dev/null \
        "${to:-/dev/null}" "$@"
    files >../after
    if [ "$status" -eq 0 ] && [ "$want" = 01 ]; then
        rm -rf out outs
        return
    fi
    [ "$status" -eq "${want#0}" ] || complain "$what: exit $status: $*: $stderr"
    [[ $stderr == "$1: "* && ($want == 01 || $stderr == *"${name%%/*}"*) ]] || complain "$what: said '$stderr': $*"
    [ "${#stderr_lines[@]}" -eq 1 ] || complain "$what: ${#stderr_lines[@]} lines: $*: $stderr"
    cmp -s ../before ../after || {
        complain "$what: left behind $(comm -13 ../before ../after | paste -sd' '): $*"
    }
    rm -rf out outs
}

noise() { # SEED: 3000 bytes
    perl -e 'srand shift; print pack "C*", map { int rand 256 } 1 .. 3000' "$1"
}

flip() { # FILE NUMERATOR: a bit of the byte at so many eighths
    perl -e 'my ($f, $at) = @ARGV; open my $h, "+<:raw", $f or die; my $n = int((-s $f) * $at / 8);
        seek $h, $n, 0; read $h, my $c, 1; seek $h, $n, 0; print $h chr(ord($c) ^ 4);' "$1" "$2"
}

# damage FILE NOTICED HOW-MANY COMMAND...
damage() {
    local file=$1 noticed=$2 times=$3 size turn whole
    shift 3
    whole=$BATS_FILE_TMPDIR/$file
    size=$(wc -c <"$whole")
    must() { # LETTER: what is to be the exit status
        case $noticed in *"$1"*) echo 1 ;; *) echo 01 ;; esac
    }
    rm "$file"
    speaks 1 missing "$file" "$@"
    mkdir "$file"
    speaks 1 'a folder' "$file" "$@"
    rmdir "$file"
    : >"$file"
    speaks "$(must e)" empty "$file" "$@"
    for ((turn = 1; turn <= times; turn++)); do # run has an i of its own
        noise "$turn" >"$file"
        speaks "$(must r)" "random bytes $turn" "$file" "$@"
        head -c $((size * turn / (times + 1))) "$whole" >"$file"
        speaks "$(must c)" "cut $turn" "$file" "$@"
        cp "$whole" "$file"
        flip "$file" $((8 * turn / (times + 1)))
        speaks "$(must f)" "flipped $turn" "$file" "$@"
    done
    head -c $((size - 1)) "$whole" >"$file"
    [ "$times" -eq 1 ] || speaks "$(must c)" 'cut at the end' "$file" "$@"
    cp "$whole" "$file"
}

each_read() { # HOW-MANY PATTERN: damage for the tools that match
    local file noticed command n=0
    while read -r -u 3 file noticed command; do
        # shellcheck disable=SC2254
        case ${command%% *} in $2) ;; *) continue ;; esac
        n=$((n + 1))
        # shellcheck disable=SC2086
        damage "$file" "$noticed" "$1" $command
    done 3< <(reads)
    [ "$n" -gt 0 ] && no_complaint
}

@test "no tool is left out" {
    for f in "$root"/src/cmd/*.c; do basename "$f" .c; done | sort >tools
    reads | awk '{ print $3 }' | sort -u | diff tools -
    writes | sed 's/^-* *//; s/ .*//' | sort -u | diff tools -
}

@test "the good files are good" {
    while read -r _ _ command; do
        # shellcheck disable=SC2086
        timeout -k 2 10 $command >/dev/null
        rm -rf out outs
    done < <(reads | grep -v ' switch-')
}

@test "damaged files: tools of text" {
    each_read 3 '[!s]*'
    each_read 3 'spm-*'
}

@test "damaged files: shard" {
    each_read 3 shard
}

@test "damaged files: tools of the net" {
    each_read 1 'switch-*'
}

@test "a full disk, a folder that is not there, a folder that is a file" {
    while IFS= read -r line; do
        read -ra args <<<"${line#-}"
        command="${args[*]}"
        # shellcheck disable=SC2086
        {
            case $line in
            -*)
                set -- ${command/OUT/-}
                to=/dev/full speaks 1 /dev/full 'standard output' "$@"
                ;;
            esac
            set -- ${command/OUT/none\/out}
            case $1 in switch-pretrain | switch-finetune) ;; *) speaks 1 'no folder' none/out "$@" ;; esac
            set -- ${command/OUT/docs\/out}
            speaks 1 'below a file' docs/out "$@"
            case $command in
            *'--out OUT'* | switch-pretrain* | switch-finetune* | *--repair*) ;;
            *)
                set -- ${command/OUT/net}
                speaks 1 'a folder' net "$@"
                set -- ${command/OUT/\/dev\/full}
                speaks 1 '-o /dev/full' /dev/full "$@"
                ;;
            esac
        }
    done < <(writes)
    no_complaint
}

@test "a disk that fills up" {
    # MPI needs files of its own to begin: its tools are left to /dev/full and the tests of training
    while IFS= read -r line; do
        read -ra args <<<"${line#-}"
        command="${args[*]}"
        # shellcheck disable=SC2086
        set -- ${command/OUT/out}
        find . | sort >../before
        run bash -c 'trap "" XFSZ; ulimit -f 0; exec timeout -k 2 10 "$@" 2>&1 >/dev/null' - "$@"
        [ "$status" -eq 1 ] || complain "full: exit $status: $*: $output"
        [[ $output == "$1: "*@(out|temporary file)* ]] || complain "full: said '$output': $*"
        [ ! -f out ] || complain "full: left out: $*"
        [ -z "$(find . -name '*.part')" ] || complain "full: left a .part: $*"
        rm -rf out
    done < <(writes | grep -Ev 'switch-(pretrain|distill|finetune|eval|probe)')
    no_complaint
}

@test "help, version and unknown options of every tool" {
    for f in "$root"/src/cmd/*.c; do
        tool=$(basename "$f" .c)
        for o in --help --version; do
            run --separate-stderr "$tool" $o
            [ "$status" -eq 0 ] && [ -n "$output" ] && [ -z "$stderr" ] || complain "$tool $o"
            to_full() { "$tool" "$o" >/dev/full; }
            run to_full
            [ "$status" -eq 1 ] && [[ $output == "$tool: "* ]] || complain "$tool $o >/dev/full: $output"
        done
        for o in --no-such-option -Q --version=1; do
            run --separate-stderr "$tool" $o
            [ "$status" -eq 2 ] && [ -z "$output" ] && [[ $stderr == "$tool: "* ]] ||
                complain "$tool $o: $status: $stderr"
        done
    done
    no_complaint
}
