#!/usr/bin/env bats
# The tools build without MPI, oneDNN and OpenMP, and run so as one process alone.
load ../helper

@test "all compiles and links with MPI=no DNNL=no OMP=no, without a warning" {
    cd "$root"
    env -u MAKEFLAGS make -s -j2 VARIANT=bare OPT=-O0 MPI=no DNNL=no OMP=no all >"$BATS_TEST_TMPDIR/log" 2>&1 || {
        grep -A5 -E 'error|warning' "$BATS_TEST_TMPDIR/log"
        return 1
    }
    run ldd build/bare/bin/switch-pretrain
    [[ $output != *libmpi* && $output != *libdnnl* ]]
}

@test "a tool without MPI trains alone, and not as one of several ranks" {
    cd "$BATS_TEST_TMPDIR"
    bare=$root/build/bare/bin/switch-pretrain
    how=(--config "$DATA/train/tiny.json" --train "$DATA/train/aa.ex" --steps 1 --batch 2 -q)
    "$bare" "${how[@]}" --out run
    [ -e run/step-00000001 ]
    OMPI_COMM_WORLD_SIZE=1 "$bare" "${how[@]}" --out alone
    for size in OMPI_COMM_WORLD_SIZE PMI_SIZE; do
        exits 1 env $size=2 "$bare" "${how[@]}" --out two
        [[ $output == *'built without MPI, but started as one of 2 ranks'* ]]
        [ ! -e two ]
    done
}
