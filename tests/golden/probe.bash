# probe.bash - run switch-probe on a case of tests/data/golden and hold it against the reference.
# shellcheck shell=bash disable=SC2154
case ${BIN-} in
*/build/*/bin) compare=${BIN%/bin}/tests/golden/compare ;;
*) compare=$root/build/release/tests/golden/compare ;;
esac
golden=$DATA/golden

probe() { # MODEL CASE [RUN...] -- OPTION...: got.safetensors, gradients too
    local model=$1 case=$2 before=()
    shift 2
    while [ "$1" != -- ]; do
        before+=("$1")
        shift
    done
    shift
    "${before[@]}" switch-probe -m "$golden/$model/model" -i "$golden/$case/inputs.safetensors" \
        -o got.safetensors --grads "$@"
}

agrees() { # CASE FILE...: got.safetensors has all of FILE, within the tolerances
    local case=$1 file
    shift
    for file; do
        "$compare" "$golden/$case/inputs.safetensors" "$golden/$case/$file.safetensors" \
            got.safetensors || return 1
    done
}
