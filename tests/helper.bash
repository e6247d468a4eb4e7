# helper.bash - what every bats test loads: the tools on PATH, an empty folder, $DATA, $SHARED.
# shellcheck shell=bash
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
PATH=${BIN:-$root/bin}:$root/shell:$PATH
DATA=$root/tests/data
SHARED=${SWITCHYARD_SHARED:-$root/../shared}    # data that is not ours to ship: may be absent
LC_ALL=C
export PATH DATA SHARED LC_ALL OMP_NUM_THREADS=1
# where a test may not have them from a sanitizer build: leaks of Open MPI are not ours
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    [[ $BATS_TEST_FILENAME != */tests/mpi/* ]] || need_ranks
}

need_ranks() { # skip, with a word, where tools are built without MPI
    ldd "$(command -v switch-pretrain)" | grep -q libmpi || skip "built without MPI"
}

need_shared() { # PATH: skip, with a word, where the shared data is absent
    [ -e "$SHARED/$1" ] || skip "no $1 here"
}

# exits STATUS COMMAND...: it exits so; $output holds both streams
exits() {
    local want=$1
    shift
    run "$@"
    [ "$status" -eq "$want" ] || {
        echo "exit $status, not $want: $*"
        echo "$output"
        return 1
    }
}

# damage_sweep COMMAND...: what every reader of a file must do with no file, none of ours, a cut
# disk: 1, and a message that begins with the tool's name
refuses() { # COMMAND...: exit 1 and one clear line
    exits 1 "$@"
    [[ $output == "$(basename "$1"): "* ]] || {
        echo "no message of $1: $output"
        return 1
    }
}
