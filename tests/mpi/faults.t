#!/usr/bin/env bats
# training that is killed, stopped, whose disk is full, whose files are torn, whose clock is set:
# it says so, and gone on with, it ends in the bytes of a run that was left alone
load ../helper
export OMPI_MCA_rmaps_base_oversubscribe=1

setup() { # two experts: few files
    need_ranks
    cd "$BATS_TEST_TMPDIR" || return 1
    jq '.num_experts = 2' "$DATA/train/tiny.json" >two.json
    cp "$DATA/train/aa.ex" .
    mix-langs -o mix.tsv aa.ex
}

train() { # OPTION...: a small run into ./run
    switch-pretrain --config two.json --train mix.tsv --out run --batch 4 \
        --group-rows 2 --steps 4 --warmup 100 --save-every 2 --keep 0 -q "$@"
}

ranks() { # OPTION...: the same on two ranks
    mpirun -n 2 switch-pretrain --config two.json --train mix.tsv --out run --batch 4 \
        --group-rows 2 --steps 4 --warmup 100 --save-every 2 --keep 0 -q "$@"
}

tear() { # HOW FILE
    local size
    size=$(stat -c %s "$2")
    case $1 in
    removed) rm "$2" ;;
    halved) truncate -s $((size / 2)) "$2" ;;
    emptied) : >"$2" ;;
    flipped)
        perl -e 'open $f, "+<", $ARGV[0] or die; seek $f, $ARGV[1], 0; read $f, $c, 1;
            seek $f, $ARGV[1], 0; print $f $c ^ "\x01"; close $f or die' "$2" $((size * 3 / 4))
        ;;
    esac
}

@test "a checkpoint torn at any file in any way: passed over with a word for the one before" {
    train
    mv run good
    local file how
    for file in good/step-00000004/*; do
        file=${file##*/}
        for how in removed halved emptied flipped; do
            rm -rf run
            cp -r good run
            tear $how "run/step-00000004/$file"
            exits 0 train
            # without state.json it is no checkpoint; else what is wrong is told
            [ "$file $how" = "state.json removed" ] || [[ $output == *"/$file: "*"passed over"* ]] ||
                [[ $file == *index.json && $output == *"passed over"* ]]
            diff -r good/step-00000004 run/step-00000004
        done
    done
    for how in removed halved emptied flipped; do # none is left
        rm -rf run
        cp -r good run
        tear $how run/step-00000002/expert-00001.safetensors
        tear $how run/step-00000004/optimizer-expert-00000.safetensors
        exits 1 train
        [[ $output == *step-00000004/optimizer-expert-00000.safetensors:*"passed over"* ]]
        [[ $output == *step-00000002/expert-00001.safetensors:*"passed over"* ]]
        [[ $output == *"run: none of its checkpoints can be loaded"* ]]
        exits 1 train --resume run/step-00000004
    done
}

@test "torn where one of two ranks reads it, by slices and in bf16: all pass it over" {
    ranks --mesh model=2 --precision bf16
    mv run good
    for file in expert-00001 optimizer-shared; do
        rm -rf run
        cp -r good run
        tear flipped run/step-00000004/$file.safetensors
        exits 0 ranks --mesh model=2 --precision bf16
        [[ $output == *"$file.safetensors: "*"passed over"* ]]
        diff -r good/step-00000004 run/step-00000004
    done
    rm -rf run
    ranks
    rm -rf good
    cp -r run good
    tear flipped run/step-00000004/optimizer-expert-00001.safetensors # rank 1's alone
    exits 0 ranks
    [[ $output == *"optimizer-expert-00001.safetensors: "*"passed over"* ]]
    diff -r good/step-00000004 run/step-00000004
}

@test "xxh128sum finds a checkpoint whole" {
    command -v xxh128sum || skip "no xxh128sum here"
    train
    (cd run/step-00000004 && xxh128sum -c files.xxh128)
    cut -d' ' -f3 run/step-00000004/files.xxh128 | sort >listed
    find run/step-00000004 -type f ! -name files.xxh128 -printf '%f\n' | sort | diff - listed
}

@test "tables torn in their last line" {
    train --eval "$DATA/train/bb.ex" --eval-every 2
    mv run whole
    cp -r whole run
    rm -r run/step-00000004
    truncate -s -9 run/metrics.tsv
    truncate -s -2 run/eval.tsv
    train --eval "$DATA/train/bb.ex" --eval-every 2
    diff whole/eval.tsv run/eval.tsv
    diff <(cut -f 1,3-11 whole/metrics.tsv) <(cut -f 1,3-11 run/metrics.tsv)
    diff -r whole/step-00000004 run/step-00000004
}

# In a mount namespace of its own, nobody else sees the small disk.
small_disk() { # SCRIPT
    local as
    for as in -m -rm; do
        unshare $as mount -t tmpfs -o size=64k none /mnt 2>/dev/null || continue
        unshare $as bash -euc "$1"
        return
    done
    skip "no disk of a few kB can be mounted here"
}

@test "the disk fills up as a checkpoint is written: exit 1, the older one stays; room, and it goes on" {
    export -f train ranks
    for how in train ranks; do
        $how
        mv run whole
        kb=$(du -sk --apparent-size whole/step-00000004 | cut -f 1)
        mkdir -p disk
        export how kb
        # shellcheck disable=SC2016
        small_disk '
            mount -t tmpfs -o size=$((kb * 2))k none disk
            mkdir disk/run
            ln -sfn disk/run run
            fails() {
                status=0
                $how >said 2>&1 || status=$?
                cat said
                [ $status -eq 1 ]
            }
            fails
            grep -q "^switch-pretrain: run/step-00000004.part/.*No space left on device" said
            [ "$(grep -c "No space" said)" -eq 1 ]
            [ "$(echo disk/run/*)" = "disk/run/metrics.tsv disk/run/step-00000002" ]
            diff -r whole/step-00000002 run/step-00000002
            # not a byte for metrics.tsv
            cp run/metrics.tsv metrics
            dd if=/dev/zero of=disk/fill bs=1k status=none 2>/dev/null || true
            fails
            grep -q "run/metrics.tsv.*No space left on device" said
            cmp run/metrics.tsv metrics
            rm disk/fill
            mount -o remount,size=$((kb * 4))k disk
            $how
            diff -r whole/step-00000004 run/step-00000004
            diff <(cut -f 1,4 whole/metrics.tsv) <(cut -f 1,4 run/metrics.tsv)
        '
        rm -rf whole run
    done
}

begin() { # COMMAND...: in the background, as $job; returns when the first checkpoint is there
    "$@" 2>err &
    job=$!
    until [ -e run/step-00000002 ]; do
        kill -0 $job
        sleep 0.002
    done
}

long=(--steps 40)

# The job itself, not the shell that runs a function
background() { # OPTION...
    begin mpirun -n 2 switch-pretrain --config two.json --train mix.tsv --out run \
        --batch 4 --group-rows 2 --warmup 100 --save-every 2 --keep 0 -q "${long[@]}" "$@"
}

rank() { # N: its process
    local pid
    for pid in $(pgrep -P $job); do
        ! tr '\0' '\n' <"/proc/$pid/environ" | grep -qx "OMPI_COMM_WORLD_RANK=$1" || echo "$pid"
    done
}

@test "SIGTERM of any rank or of mpirun: a checkpoint, and what stderr says goes on to the same bytes" {
    ranks "${long[@]}"
    mv run whole
    for who in 0 1 mpirun; do
        rm -rf run
        background
        kill -TERM "$([ $who = mpirun ] && echo $job || rank $who)"
        status=0
        wait $job || status=$?
        cat err
        [ $who = mpirun ] || [ $status -eq 0 ] # mpirun itself counts it as a failure
        if [ ! -e run/step-00000040 ]; then
            last=$(printf '%s\n' run/step-* | tail -n 1)
            [[ $last != *.part ]]
            again=$(sed -n 's/^switch-pretrain: stopped; to go on: //p' err)
            [[ $again == "mpirun -n 2 switch-pretrain "* ]]
            $again
        fi
        diff -r whole/step-00000040 run/step-00000040
        diff <(cut -f 1,4 whole/metrics.tsv) <(cut -f 1,4 run/metrics.tsv)
    done
}

@test "SIGKILL of each rank as a checkpoint is written, by experts, slices and in bf16" {
    for how in "" "--mesh model=2" "--precision bf16 --dropout 0.1"; do
        rm -rf whole run
        # shellcheck disable=SC2086
        ranks "${long[@]}" $how
        mv run whole
        for who in 0 1; do
            rm -rf run
            # shellcheck disable=SC2086
            background $how
            victim=$(rank $who)
            for ((i = 0; i < 500; i++)); do
                compgen -G 'run/*.part' >/dev/null && break
                sleep 0.001
            done
            kill -KILL "$victim" || true
            wait $job || true
            # shellcheck disable=SC2086
            ranks "${long[@]}" $how
            diff -r whole/step-00000040 run/step-00000040
            diff <(cut -f 1,4 whole/metrics.tsv) <(cut -f 1,4 run/metrics.tsv)
            [ -z "$(find run -name '*.part')" ]
        done
    done
}

@test "a clock that is set a day ahead and back all the time: the same bytes, sane seconds, a hang is seen" {
    "${CC:-cc}" -std=c11 -shared -fPIC -o clock.so "$root/tests/mpi/clock.c"
    printf '#!/bin/sh\nLD_PRELOAD=%s exec switch-pretrain "$@"\n' "$PWD/clock.so" >clocked
    chmod +x clocked
    # it does what it is for
    now=$(date +%s)
    for _ in 1 2 3; do LD_PRELOAD=$PWD/clock.so perl -e 'print time, "\n", time, "\n", time, "\n"'; done |
        awk -v now="$now" '$1 < now - 80000 { a = 1 } $1 > now + 80000 { b = 1 } END { exit !(a && b) }'
    ranks "${long[@]}" --timeout 5
    mv run whole
    SECONDS=0
    mpirun -n 2 ./clocked --config two.json --train mix.tsv --out run --batch 4 --group-rows 2 \
        --warmup 100 --save-every 2 --keep 0 "${long[@]}" --timeout 5 2>err
    cat err
    [ "$(grep -c waiting err)" -eq 0 ]
    diff -r whole/step-00000040 run/step-00000040
    diff <(cut -f 1,4 whole/metrics.tsv) <(cut -f 1,4 run/metrics.tsv)
    awk -v all=$((SECONDS + 1)) 'NR > 1 { sum += $2; if ($2 <= 0) exit 1 } END { exit sum > all }' \
        run/metrics.tsv

    rm -rf run
    begin mpirun -n 2 ./clocked --config two.json --train mix.tsv --out run --batch 4 --group-rows 2 \
        --warmup 100 --save-every 2 --keep 0 -q --steps 4000 --timeout 1.5
    stuck=$(rank 1)
    kill -STOP "$stuck"
    for ((i = 0; i < 300; i++)); do # 30 s
        kill -0 $job 2>/dev/null || break
        sleep 0.1
    done
    if ((i == 300)); then
        kill -KILL $job "$stuck"
        echo "no alarm"
        return 1
    fi
    status=0
    wait $job || status=$?
    kill -KILL "$stuck" 2>/dev/null || true
    cat err
    [ $status -eq 1 ]
    grep -q 'rank 0: .*waiting' err
}

killed_at() { # RANK FILE COMMAND...: rank RANK is killed when FILE is there
    local who=$1 file=$2 victim
    shift 2
    "$@" >err 2>&1 &
    job=$!
    until [ -e "$file" ]; do
        kill -0 $job
        sleep 0.002
    done
    victim=$(rank "$who")
    kill -KILL "${victim:-$job}"
    wait $job || true
    cat err
}

# all that is no time
run_of() { # DIR
    cut -f 1,3-11,22- "$1/metrics.tsv"
    find "$1" -name eval.tsv -o -name scores.tsv | sort | xargs cat
    readlink "$1/best" || true
}

@test "a student of a teacher, killed at checkpoints: the same bytes" {
    train
    mv run teacher
    local how=(mpirun -n 2 switch-distill --teacher teacher --train mix.tsv --out run --batch 4
        --group-rows 2 --steps 40 --warmup 100 --save-every 4 --eval "$DATA/train/bb.ex"
        --eval-every 10 -q)
    "${how[@]}"
    mv run whole
    killed_at 0 run/step-00000004 "${how[@]}"
    killed_at 1 run/step-00000012 "${how[@]}"
    "${how[@]}"
    diff -r whole/step-00000040 run/step-00000040
    diff <(run_of whole) <(run_of run)
}

@test "fine-tuning that keeps its best and stops early, killed at checkpoints: the same bytes, the same best" {
    train --steps 2
    mv run base
    # it gets better until the 30th step, and worse: by a count of the times that it is judged
    printf 'the red dog\tred\nthe blue cat\tblue\n' >dev.tsv
    seq 1 200 | sed 's/^/the quick red blue dog jumps over a lazy cat while green foxes run /' >text
    spm-train -q -n -s 64 -o v.model text
    cat >judge <<'END2'
#!/bin/sh
cat >/dev/null
n=$(ls -d run/step-0*[0-9] | sed 's/.*step-0*//' | sort -n | tail -n 1)
[ "$n" -le 30 ] && echo "$n" || echo $((60 - n))
END2
    chmod +x judge
    local how=(mpirun -n 2 switch-finetune -w base -t dev.tsv -m v.model --extra-ids 28 -i 16
        --targets 8 -o run --batch 4 --lr 0.01 -e dev.tsv --metric-command ./judge --eval-every 10
        --save-every 5 --patience 2 --keep 0 --steps 400 -q)
    "${how[@]}"
    [ "$(readlink run/best)" = step-00000030 ]
    [ "$(printf '%s\n' run/step-* | tail -n 1)" = run/step-00000050 ]
    mv run whole
    killed_at 1 run/step-00000010 "${how[@]}"
    killed_at 0 run/step-00000030 "${how[@]}"
    "${how[@]}"
    diff -r whole/step-00000030 run/step-00000030
    diff -r whole/step-00000050 run/step-00000050
    diff <(run_of whole) <(run_of run)
}
