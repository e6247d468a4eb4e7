# lib.sh - the words that pipelines share. Source it.
# shellcheck shell=bash

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
bin=$root/bin
[ -d "$bin" ] || bin=$root/../../bin # installed: share/switchyard beside bin
PATH=${BIN:-$bin}:$root/shell:$PATH
export PATH LC_ALL=C

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

say() { # TEXT...: tell where the pipeline is
    echo "${0##*/}: $*" >&2
}

need() { # TOOL...: they can be run
    local t
    for t; do
        command -v "$t" >/dev/null || die "cannot find '$t' (run make first?)"
    done
}

put() { # FILE COMMAND...: FILE appears whole, or not at all, and only once
    local file=$1
    shift
    [ -e "$file" ] && return
    mkdir -p "$(dirname -- "$file")"
    "$@" >"$file.part"
    mv -- "$file.part" "$file"
}

documents() { # OUT: what OUT/docs/multilingual has files of: LANG, LANG-validation
    local file
    for file in "$1"/docs/multilingual/c4-*.tfrecord-*.json.gz; do
        file=${file##*/c4-}
        echo "${file%.tfrecord-*}"
    done | sort -u
}

ranks() { # N COMMAND...: run on N ranks of this machine, a thread each
    local n=$1
    shift
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 OMPI_ALLOW_RUN_AS_ROOT=1 \
        OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none \
        mpirun --oversubscribe --bind-to none -np "$n" "$@"
}
