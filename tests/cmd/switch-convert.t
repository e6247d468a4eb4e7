#!/usr/bin/env bats
# switch-convert, switch-upcycle: other files, the same numbers; a dense model's weights in experts
load ../helper
load ../golden/probe.bash

model() { # NAME: a model of the reference
    echo "$golden/$1/model"
}

outputs() { # MODEL CASE: what switch-probe makes of it
    switch-probe -m "$1" -i "$golden/$2/inputs.safetensors" -o "out.$RANDOM.safetensors" >/dev/null
    cat out.*.safetensors
    rm out.*.safetensors
}

@test "there and back: the very file, dense and Switch, one file and several" {
    for m in switch_tiny switch_deep t5v10_tiny t5v11_tiny; do
        exits 0 switch-convert -o $m.ours "$(model $m)"
        exits 0 switch-convert -t hf -o $m.hf $m.ours
        cmp $m.hf/model.safetensors "$(model $m)/model.safetensors"
        exits 0 switch-convert -t hf -s 20k -o $m.many $m.ours
        [ -e $m.many/model.safetensors.index.json ]
        [ "$(find $m.many -name "*.safetensors" | wc -l)" -gt 1 ]
        exits 0 switch-convert -t hf -o $m.back $m.many
        cmp $m.back/model.safetensors "$(model $m)/model.safetensors"
    done
    [ "$(echo switch_tiny.ours/expert-*)" = "$(printf 'switch_tiny.ours/expert-%05d.safetensors ' 0 1 2 3 | sed 's/ $//')" ]
    outputs "$(model switch_tiny)" switch_tiny >want
    outputs switch_tiny.ours switch_tiny | cmp - want
    outputs switch_tiny.many switch_tiny | cmp - want
}

@test "a training folder stands for its newest whole checkpoint" {
    mkdir -p run/step-00000001 run/step-00000003
    cp "$(model t5v10_tiny)"/* run/step-00000001
    cp "$(model t5v11_tiny)"/* run/step-00000003
    touch run/step-00000001/state.json    # the other was not finished
    exits 0 switch-convert -t hf -o hf run
    cmp hf/model.safetensors "$(model t5v10_tiny)/model.safetensors"
    exits 0 switch-upcycle -E 2 -o up run
    mkdir nothing
    refuses switch-convert -o none nothing
    [ ! -e none ]
}

@test "numbers of 16 bits: half as long, and to the nearest" {
    for type in bf16 f16; do
        exits 0 switch-convert -t hf -d $type -o $type "$(model t5v10_tiny)"
        exits 0 switch-convert -t hf -d f32 -o $type.wide $type
        exits 0 switch-convert -t hf -d $type -o $type.again $type.wide
        cmp $type/model.safetensors $type.again/model.safetensors
    done
    perl -e 'sub numbers { local $/; open my $f, $_[0] or die; my $s = <$f>; my $n = unpack "Q<", $s; unpack "f<*", substr $s, 8 + $n }
        my @a = numbers($ARGV[0]); my @b = numbers($ARGV[1]); my $worst = 0;
        for (0 .. $#a) { my $d = abs($a[$_] - $b[$_]) / (abs($a[$_]) || 1); $worst = $d if $d > $worst }
        printf "%d %.3g %s\n", $#a == $#b, $worst, $worst <= $ARGV[2] ? "near" : "far"' \
        "$(model t5v10_tiny)/model.safetensors" bf16.wide/model.safetensors 0.00390625 >got
    grep -q '^1 .* near' got
}

@test "a weight that halves cannot hold is named, not made infinite" {
    mkdir big
    cp "$(model t5v10_tiny)/config.json" big
    perl -0777 -pe '$n = unpack "Q<", $_; substr($_, 8 + $n + 4, 4) = pack "f<", -70000' \
        "$(model t5v10_tiny)/model.safetensors" >big/model.safetensors
    refuses switch-convert -d f16 -o out big
    [[ $output == *'decoder.block.0.layer.0.SelfAttention.k.weight: -70000 is too large for F16' ]]
    [ ! -e out/config.json ]
    exits 0 switch-convert -d bf16 -o wide big
}

@test "upcycled: experts are the dense layers, routers are drawn, the rest stays" {
    exits 0 switch-upcycle -E 4 -o up "$(model t5v10_tiny)"
    [ "$(jq -r .model_type up/config.json)" = switch_transformers ]
    [ "$(jq -c '[.num_experts, .sparse_encoder_blocks]' up/config.json)" = '[4,[1]]' ]
    for e in 1 2 3; do
        tail -c 1000 up/expert-0000$e.safetensors | cmp - <(tail -c 1000 up/expert-00000.safetensors)
    done
    switch-probe -m up -i "$golden/t5v10_tiny/inputs.safetensors" -o got.safetensors
    switch-upcycle -E 4 -o again "$(model t5v10_tiny)"
    cmp up/model-shared.safetensors again/model-shared.safetensors
    switch-upcycle -E 4 -s 1 -n 0.01 -o noisy "$(model t5v10_tiny)"
    cmp -s up/model-shared.safetensors noisy/model-shared.safetensors && false
    cmp -s noisy/expert-00000.safetensors noisy/expert-00001.safetensors && false
    switch-upcycle -E 2 -k 1 -o all "$(model t5v10_tiny)"
    [ "$(jq -c '.sparse_decoder_blocks | length' all/config.json)" -eq "$(jq .num_decoder_layers all/config.json)" ]
    refuses switch-upcycle -E 2 -o more up
    [[ $output == *'is a Switch model already'* ]]
}

@test "what is no model of ours is refused, and said why" {
    mkdir pickled cut odd
    cp "$(model t5v10_tiny)/config.json" pickled
    echo x >pickled/pytorch_model.bin
    refuses switch-convert -o out pickled
    [[ $output == *'save the model as safetensors'* ]]
    refuses switch-convert -o out pickled/pytorch_model.bin
    [[ $output == *'save the model as safetensors'* ]]
    refuses switch-probe -m pickled -i "$golden/t5v10_tiny/inputs.safetensors" -o out.safetensors
    [[ $output == *'save the model as safetensors'* ]]
    cp "$(model t5v10_tiny)/config.json" cut
    head -c 20000 "$(model t5v10_tiny)/model.safetensors" >cut/model.safetensors
    refuses switch-convert -o out cut
    jq '.d_ff += 1' "$(model t5v10_tiny)/config.json" >odd/config.json
    cp "$(model t5v10_tiny)/model.safetensors" odd
    refuses switch-convert -o out odd
    [[ $output == *'another shape than the config says'* ]]
    [ ! -e out/config.json ]
    refuses switch-convert -o out absent
    exits 0 switch-convert -o out "$(model t5v10_tiny)"
    refuses switch-convert -o out "$(model t5v10_tiny)"
    [[ $output == *'holds a model already'* ]]
    exits 2 switch-convert "$(model t5v10_tiny)"
    exits 2 switch-convert -d int8 -o x "$(model t5v10_tiny)"
    exits 2 switch-upcycle -o x "$(model t5v10_tiny)"
}
