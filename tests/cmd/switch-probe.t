#!/usr/bin/env bats
# switch-probe: what follows from what, ranges, damage, misuse. The numbers are held against
# references in tests/golden.
load ../helper
case=$DATA/golden/switch_tiny
paper=$DATA/golden/paper_switch/inputs.safetensors

probe() {
    switch-probe -m "$case/model" -i "$case/inputs.safetensors" "$@"
}

# ids FILE NAME=ROWS...: a safetensors file of [rows, n] whole numbers, "1 2;3 4"
ids() {
    perl -e '
        my ($file, @in) = @ARGV;
        my ($data, @entry) = ("");
        for (@in) {
            my ($name, $rows) = split /=/;
            my @row = map { [split] } split /;/, $rows;
            my $begin = length $data;
            $data .= pack "l<*", map { @$_ } @row;
            push @entry, sprintf q("%s":{"dtype":"I32","shape":[%d,%d],"data_offsets":[%d,%d]}),
                $name, scalar @row, scalar @{$row[0]}, $begin, length $data;
        }
        my $head = "{" . join(",", @entry) . "}";
        open my $f, ">:raw", $file or die;
        print $f pack("Q<", length $head), $head, $data;' "$@"
}

run_ids() { # IDS...: out.safetensors of these
    ids in.safetensors "$@"
    switch-probe -m "$case/model" -i in.safetensors -o out.safetensors
}

@test "the file comes whole, or through standard output" {
    probe -o a.safetensors
    probe -o - >b.safetensors
    cmp a.safetensors b.safetensors
    probe -o c.safetensors
    cmp a.safetensors c.safetensors
    [ "$(ls)" = "$(printf '%s\n' a.safetensors b.safetensors c.safetensors)" ]
}

@test "segments and decoder inputs that are not given follow from ids" {
    run_ids 'input_ids=5 6 7 1;8 1 0 0' 'targets=9 9 1;4 1 0'
    mv out.safetensors short.safetensors
    run_ids 'input_ids=5 6 7 1;8 1 0 0' 'targets=9 9 1;4 1 0' 'decoder_input_ids=0 9 9;0 4 0' \
        'encoder_segment_ids=1 1 1 1;1 1 0 0' 'decoder_segment_ids=1 1 1;1 1 0'
    cmp out.safetensors short.safetensors
    run_ids 'input_ids=5 6 7 1;8 1 0 0' 'targets=9 1 4;4 1 0' 'decoder_segment_ids=1 1 2;1 1 0'
    mv out.safetensors short.safetensors
    run_ids 'input_ids=5 6 7 1;8 1 0 0' 'targets=9 1 4;4 1 0' 'decoder_segment_ids=1 1 2;1 1 0' \
        'decoder_input_ids=0 9 0;0 4 0'
    cmp out.safetensors short.safetensors
    run_ids 'input_ids=5 6 7 1' 'decoder_input_ids=0 9 9' # no targets: no loss, but logits
    grep -aq '"logits"' out.safetensors
    exits 1 grep -aq '"loss' out.safetensors
    exits 1 switch-probe -g -m "$case/model" -i in.safetensors -o grads.safetensors
    [[ $output == *'in.safetensors: neither targets nor labels: no loss to take gradients of'* ]]
    [ ! -e grads.safetensors ]
}

@test "ids and shapes that do not fit are named" {
    exits 1 run_ids 'input_ids=5 6;7 96' 'targets=9;9'
    [[ $output == *'in.safetensors: input_ids: row 1, place 1: 96 is not in 0..95'* ]]
    exits 1 run_ids 'input_ids=5 6;7 8' 'targets=9;-3'
    [[ $output == *'targets: row 1, place 0: -3 is not in 0..95'* ]]
    exits 1 run_ids 'input_ids=5 6;7 8' 'targets=9'
    [[ $output == *'targets: 1 rows, not 2'* ]]
    exits 1 run_ids 'input_ids=5 6;7 8' 'encoder_segment_ids=1;1' 'targets=9;9'
    [[ $output == *'encoder_segment_ids: rows of 1 ids, not 2'* ]]
    exits 1 run_ids 'input_ids=5 6;7 8' 'targets=9;9' 'labels=9;9'
    [[ $output == *'in.safetensors: both targets and labels'* ]]
    exits 1 run_ids 'input_ids=5 6' 'attention_mask=1 1' 'encoder_segment_ids=1 1' 'targets=9'
    [[ $output == *'both encoder_segment_ids and attention_mask'* ]]
    exits 1 switch-probe -m "$case/model" -i "$case/model/model.safetensors" -o out
    [[ $output == *'model.safetensors: no input_ids'* ]]
    exits 1 run_ids 'input_ids=5 6;7 8'
    [[ $output == *'neither targets, labels nor decoder_input_ids'* ]]
    exits 1 run_ids 'targets=5 6;7 8'
    [[ $output == *'no input_ids'* ]]
    ids in.safetensors 'input_ids=5 6;7 8;5 5' 'targets=9;9;9'
    exits 1 switch-probe -m "$case/model" -i in.safetensors -o out --group-rows 2
    [[ $output == *'3 rows do not make whole groups of 2'* ]]
}

@test "missing, empty, cut and senseless files are refused" {
    refuses switch-probe -m nowhere -i "$paper" -o out
    refuses switch-probe -m "$case/model" -i nowhere -o out
    : >empty
    refuses switch-probe -m "$case/model" -i empty -o out
    head -c 5000 /dev/urandom >noise
    refuses switch-probe -m "$case/model" -i noise -o out
    head -c 1000 "$paper" >cut.safetensors
    refuses switch-probe -m "$case/model" -i cut.safetensors -o out
    mkdir broken
    cp "$case/model/config.json" broken
    refuses switch-probe -m broken -i "$paper" -o out
    head -c 9999 "$case/model/model.safetensors" >broken/model.safetensors
    refuses switch-probe -m broken -i "$paper" -o out
    cp "$case/model/model.safetensors" broken/model.safetensors
    sed -i 's/"d_ff": 64/"d_ff": 65/' broken/config.json
    refuses switch-probe -m broken -i "$paper" -o out
    [[ $output == *'broken/model.safetensors: '*'.weight: another shape than the config says'* ]]
    cp "$case/model/config.json" "$paper" broken
    refuses switch-probe -m broken -i "$paper" -o out
    [[ $output == *'broken/inputs.safetensors: '*': not a tensor of this model'* ]]
    [ ! -e out ]
}

@test "a full disk is noticed, misuse is 2" {
    exits 1 sh -c "switch-probe -m '$case/model' -i '$paper' -o - >/dev/full"
    exits 2 switch-probe
    exits 2 switch-probe -m "$case/model" -i "$paper"
    exits 2 switch-probe -m "$case/model" -i "$paper" -o out operand
    exits 2 switch-probe -m "$case/model" -i "$paper" -o out --group-rows 0
    exits 2 switch-probe -m "$case/model" -i "$paper" -o out --capacity-factor=-1
}
