#!/usr/bin/env bats
# switch-plan: sizes and operations of published models, arithmetic of a mesh, misuse
load ../helper
export SWITCHYARD_SHARE=$root/share

value() { # NAME ARG...: the value in the row NAME
    local name=$1
    shift
    switch-plan "$@" | awk -F'\t' -v n="$name" '$1 == n { print $2; found = 1 } END { exit !found }'
}

same() { # GOT WANT
    [ "$1" = "$2" ] || {
        echo "$1, not $2"
        return 1
    }
}

near() { # GOT WANT: to the digits that WANT has
    same "$(awk -v x="$1" -v d="$3" 'BEGIN { printf "%." d "f", x }')" "$2"
}


@test "exact sizes of T5, mT5 and Switch-Base" {
    while read -r preset n; do
        same "$preset $(value parameters "$preset")" "$preset $n"
    done <<END
t5-small 60506624
t5-base 222903552
t5.1.1-small 76961152
mt5-small 300176768
t5-3b 2851598336
t5-11b 11307321344
mt5-large 1229581312
mt5-xl 3742619648
mt5-xxl 12921057280
switch-base-2 279545088
switch-base-4 392809728
switch-base-8 619339008
switch-base-16 1072397568
switch-base-32 1978514688
switch-base-64 3790748928
switch-base-128 7415217408
switch-base-256 14664154368
END
}

@test "variants: what is more than in the plain network" {
    local ffn=$((2 * 768 * 3072)) mix=$((768 * 3072 + 2 * 3072 * 768)) qkv=$((3 * 768 * 768))
    local n f
    n=$(value parameters switch-base-8)
    f=$(value flops.sequence switch-base-8)
    same "$(value flops.sequence --router top2 switch-base-8)" $((f + 2 * 6 * (512 + 114) * ffn))
    same "$(value parameters --router top2 switch-base-8)" "$n"
    same "$(value flops.sequence --router top2 --second none switch-base-8)" "$f"
    same "$(value parameters --attention-encoder all switch-base-8)" \
        $((n + 12 * (8 * 768 + 8 * mix - qkv)))
    same "$(value flops.sequence --attention-encoder all switch-base-8)" \
        $((f + 2 * 512 * 12 * (mix - qkv)))
    same "$(value sparse_attention --attention-encoder all switch-base-8)" 12
    same "$(value parameters --attention-decoder 3,5 --attention-width 0 switch-base-8)" \
        $((n + 2 * (8 * 768 + 8 * 2 * 768 * 768 - qkv)))
    same "$(value parameters --sparse-encoder none --sparse-decoder every/4 switch-base-8)" \
        $((n - (6 + 3) * (7 * ffn + 8 * 768)))
    # two rows travel for a token where there is room for them
    n=$(value rank.exchange -n 4 switch-base-8)
    same "$(value rank.exchange -n 4 --router top2 --capacity-factor 3 switch-base-8)" $((2 * n))
    exits 2 switch-plan --sparse-encoder 12 switch-base-8
}

@test "sizes and operations as printed in the recount" {
    while read -r preset params unit digits flops funit fdigits; do
        near "$(value parameters "$preset" | awk -v u="$unit" '{ printf "%.9f", $1 / u }')" \
            "$params" "$digits"
        near "$(value flops.sequence "$preset" | awk -v u="$funit" '{ printf "%.9f", $1 / u }')" \
            "$flops" "$fdigits"
    done <<END
t5-base 222.9 1e6 1 124.6 1e9 1
t5-large 737.7 1e6 1 424.9 1e9 1
t5.1.1-xxl 11.14 1e9 2 6.26 1e12 2
switch-base-128 7.415 1e9 3 124.6 1e9 1
switch-large-128 26.31 1e9 2 424.9 1e9 1
switch-xxl-128 394.7 1e9 1 6.26 1e12 2
switch-c-2048 1.571 1e12 3 869 1e9 0
paper-t5-base 222.9 1e6 1 124.6 1e9 1
paper-t5-large 750.3 1e6 1 432.8 1e9 1
paper-switch-base 7.415 1e9 3 124.6 1e9 1
paper-switch-xxl 201.4 1e9 1 6.26 1e12 2
paper-switch-c 1.571 1e12 3 894 1e9 0
END
    near "$(value parameters mt5-base | awk '{ print $1 / 1e6 }')" 582.4 1
    near "$(value parameters t5.1.1-base | awk '{ print $1 / 1e6 }')" 247.6 1
}

@test "every preset is named in the page and can be planned" {
    for f in "$root"/share/presets/*.json; do
        name=$(basename "$f" .json)
        [ "$(value parameters "$name")" -gt 0 ]
        grep -qE "^\.Sy .*\b$name( |$)" "$root/man/man1/switch-plan.1" ||
            [[ $name =~ ^switch-base-[0-9]+$ ]] || { echo "$name: not in the page"; false; }
    done
}

@test "a mesh: experts, weights, slots, traffic" {
    same "$(value rank.experts -n 16 switch-base-128)" 8
    # shared and 8 of 128 experts, 4 bytes each
    shared=$(value parameters.shared switch-base-128)
    expert=$(value parameters.expert switch-base-128)
    same "$expert" $((2 * 768 * 3072))
    same "$(value rank.weights -n 16 switch-base-128)" $((4 * (shared + 12 * 8 * expert)))
    same "$(value rank.sum -n 16 switch-base-128)" $((4 * shared))
    same "$(value rank.sum t5-base)" 0
    same "$(value rank.exchange t5-base)" 0
    # a factored expert has rows + columns of each matrix; what is shared is 1 of n ranks' to update
    shared=$(($(value rank.slots switch-base-128) - 128 * 4 * 12 * 2 * (768 + 3072)))
    for n in 2 16; do
        got=$(($(value rank.slots -n $n switch-base-128) - 4 * 12 * 2 * (768 + 3072) * 128 / n))
        [ $got -ge $((shared / n)) ] && [ $got -le $((shared / n + 4 * (32128 + 768))) ]
    done
    # 2 rows of 512 + 114 tokens, 6 sparse blocks a stack, 4 exchanges of 768 floats, 1/2 away
    same "$(value rank.exchange -n 2 -b 4 switch-base-8)" $((2 * 626 * 6 * 4 * 768 * 4 / 2))
    # a backward pass that makes blocks again sends once more, and keeps less
    same "$(value rank.exchange -n 2 -b 4 --remat block switch-base-8)" \
        $((2 * 626 * 6 * 6 * 768 * 4 / 2))
    [ "$(value rank.activations --remat block switch-base-8)" -lt \
        "$(($(value rank.activations switch-base-8) / 2))" ]
    same "$(value capacity.encoder switch-base-8)" 80
    same "$(value capacity.decoder switch-base-128)" 4
}

@test "a mesh of slices" {
    mesh=data=4,model=2
    same "$(value mesh.data -n 8 --mesh model=2 switch-base-8)" 4
    same "$(value mesh.model --mesh $mesh switch-base-8)" 2
    same "$(value mesh.expert --mesh $mesh switch-base-8)" 4
    same "$(value rank.experts --mesh $mesh switch-base-8)" 2
    # all but norms and routers is halved
    shared=$(value parameters.shared switch-base-8)
    norms=$(((12 * 2 + 12 * 3 + 2) * 768)) routers=$((12 * 8 * 768))
    held=$(((shared - norms - routers) / 2 + norms + routers + 12 * 2 * 768 * 3072))
    same "$(value rank.weights --mesh $mesh switch-base-8)" $((4 * held))
    # half of each row that travels
    whole=$(value rank.exchange -n 4 -b 4 switch-base-8)
    same "$(value rank.exchange --mesh $mesh -b 4 switch-base-8)" $((whole / 2))
    # every rank has all experts: their gradients are added up, too, and nothing travels
    same "$(value rank.exchange --mesh data=4,expert=1 switch-base-8)" 0
    same "$(value rank.sum --mesh data=4,expert=1 switch-base-8)" $((4 * $(value parameters switch-base-8)))
    same "$(value rank.sum --mesh $mesh t5-base)" "$(value rank.weights --mesh $mesh t5-base)"
    same "$(value rank.slices --mesh data=8 t5-base)" 0
    # t5-base, a row of 512 + 114 tokens: forward an embedding, 12 x 2 or 12 x 3 layers, backward
    # the layers and one more; logits: 5 numbers a target. Of each sum a rank sends the half twice.
    same "$(value rank.slices --mesh model=2 -b 1 t5-base)" \
        $((4 * (512 * 768 * (2 * 24 + 2) + 114 * 768 * (2 * 36 + 2) + 114 * 5)))
    # experts in the self-attention of 12 encoder blocks, a row a token: it is shared out (768), what
    # they make of it (2 x 768) summed, shared out; backward its gradient summed as numbers of all
    # slices, shared out, the row's summed, shared out, and not the attention's (2 x 768)
    dense=$(value rank.slices --mesh model=2 -b 1 --sparse-encoder none --sparse-decoder none \
        --capacity-factor 1 switch-base-8)
    same "$(value rank.slices --mesh model=2 -b 1 --sparse-encoder none --sparse-decoder none \
        --capacity-factor 1 --attention-encoder all switch-base-8)" \
        $((dense + 4 * 12 * 512 * (768 + 5 * 2 * 768) / 2))
    exits 2 switch-plan --mesh model=5 t5-base
    exits 2 switch-plan -n 4 --mesh data=3 t5-base
    exits 2 switch-plan --mesh rows=3 t5-base
}

@test "products of bf16: weights in both forms, half the traffic, fewer bytes kept" {
    n=$(value rank.weights t5-base)
    same "$(value rank.weights --precision bf16 t5-base)" $((n + n / 2))
    same "$(value rank.gradients --precision bf16 t5-base)" "$n"
    n=$(value rank.exchange -n 4 switch-base-8)
    same "$(value rank.exchange -n 4 --precision bf16 switch-base-8)" $((n / 2))
    [ "$(value rank.activations --precision bf16 t5-base)" -lt "$(value rank.activations t5-base)" ]
    exits 2 switch-plan --precision fp16 t5-base
}

literal() { # N: the page's literal block N
    awk -v n="$1" '/^\.Bd -literal/ { on = ++k == n; next } /^\.Ed/ { on = 0 } on' \
        "$root/man/man1/switch-plan.1" | sed 's/\\e/\\/g'
}

@test "the page's table is what its command prints" {
    literal 1 >cmd.sh
    literal 2 >want.txt
    [ "$(wc -l <want.txt)" -ge 18 ]
    grep -q '^switch-c-2048 ' want.txt
    bash cmd.sh | diff want.txt -
}

@test "times: a part's work at its rate, the rest by bytes and numbers" {
    printf '%s\t1\t0.1\t%s\n' gemm 2e9 attention 3e6 loss 4e6 optimizer 5e6 other 6e6 >rates
    flops=$(value flops.step t5-small)
    near "$(value seconds.gemm --rates rates t5-small)" "$(awk "BEGIN { printf \"%.1f\", $flops / 2e9 }")" 1
    near "$(value seconds.gemm --rates rates -n 4 --processors 0.5 t5-small)" \
        "$(awk "BEGIN { printf \"%.1f\", $flops / 4 / 0.5 / 2e9 }")" 1
    # 60506624 parameters, 128 rows of 114 targets
    near "$(value seconds.optimizer --rates rates t5-small)" 12.10 2
    near "$(value seconds.loss --rates rates t5-small)" "$(awk 'BEGIN { printf "%.1f", 128 * 114 * 32128 / 4e6 }')" 1
    # 128 rows x 6 blocks x 8 heads: pairs of 512, 114 and both
    near "$(value seconds.attention --rates rates t5-small)" \
        "$(awk 'BEGIN { printf "%.1f", 128 * 48 * (512 * 512 + 114 * (114 + 512)) / 3e6 }')" 1
    # sums of two ranks there and back, 4 bytes a number, at the rate of all else
    near "$(value seconds.wait --rates rates -n 2 t5-small)" \
        "$(awk 'BEGIN { printf "%.2f", 2 * 4 * 60506624 / 4 / 6e6 }')" 2
    same "$(value seconds.exchange --rates rates t5-small)" 0
    switch-plan --rates rates -n 2 switch-base-8 | awk -F'\t' '/^seconds.step/ { step = $2; next }
        /^seconds/ { sum += $2 } END { exit !(sum > 0.9999 * step && sum < 1.0001 * step) }'
    grep -v loss rates >few
    refuses switch-plan --rates few t5-small
    refuses switch-plan --rates none t5-small
    head -c 5000 /dev/urandom >noise
    refuses switch-plan --rates noise t5-small
    exits 2 switch-plan --processors 0 t5-small
}

@test "misuse is 2, a bad config and a full disk are 1" {
    exits 2 switch-plan
    exits 2 switch-plan a b
    exits 2 switch-plan --ranks 0 t5-base
    refuses switch-plan no-such-preset
    [[ $output == *"no-such-preset: neither a file nor a preset"* ]]
    echo '{' >bad.json
    refuses switch-plan bad.json
    head -c 1000 /dev/urandom >bad.json
    refuses switch-plan bad.json
    exits 1 sh -c 'switch-plan t5-base >/dev/full'
    switch-plan -o plan.tsv t5-base
    switch-plan t5-base | cmp - plan.tsv
}

@test "presets are found beside the executable" {
    unset SWITCHYARD_SHARE
    mkdir -p p/bin p/share/switchyard/share
    cp "$(command -v switch-plan)" p/bin
    cp -R "$root/share/presets" p/share/switchyard/share
    p/bin/switch-plan t5-small | grep -q '^parameters	60506624	'
    mv p/share/switchyard/share/presets p/share
    p/bin/switch-plan t5-small | grep -q '^parameters	60506624	'
}
