#!/usr/bin/env bats
# shard export and import: other programs' files, byte by byte as their formats say, and back
load ../helper

tokens() {
    printf '%s\n' '0 fi 5 6 7' '1 fi' '2 fi 99 31999 1' |
        perl "$root/tests/cmd/make-shard.pl" vocab.size="${1:-32128}" vocab.name=small lang=fi eos=1
}

rows() {
    printf '%s\n' '0 fi 5 6 | 7'$'\t''1 2 | 3' '1 fi 9 1'$'\t''4 1' |
        perl "$root/tests/cmd/make-shard.pl" kind=examples vocab.size=250112 lang=fi inputs=16 targets=8
}

@test "Megatron: the index and the ids, and back" {
    tokens >a
    exits 0 shard export -f megatron -o m a
    [ "$(od -An -v -tu2 -w2 m.bin | tr -s ' \n' ' ')" = ' 5 6 7 99 31999 1 ' ]
    perl -e 'local $/; open F, "m.idx"; my @x = unpack "a9 Q< C Q< Q< V3 Q<3 Q<4 a*", <F>;
        print join(",", @x[1 .. 4], "l", @x[5 .. 7], "o", @x[8 .. 10], "d", @x[11 .. 14], length $x[15]),
        $x[0] eq "MMIDIDX\0\0" ? "" : "magic"' >got
    [ "$(cat got)" = '1,8,3,4,l,3,0,3,o,0,6,6,d,0,1,2,3,0' ]
    exits 0 shard import -f megatron -v 32128 -L 'fi' -o b m
    [ "$(shard cat -t b)" = "$(shard cat -t a)" ]
    [ "$(shard sum a b | cut -f 4-6 | sort -u | wc -l)" -eq 3 ]    # title, both alike, total
    tokens 250112 >c
    shard export -f megatron -o w c
    [ "$(od -An -v -tu4 -w4 w.bin | tr -s ' \n' ' ')" = ' 5 6 7 99 31999 1 ' ]
    shard import -f megatron -v 250112 -L 'fi' w | shard cat -t | cmp - <(shard cat -t c)
}

@test "llm.c: a header and the ids, documents ended by eos" {
    tokens >a
    exits 0 shard export -f llmc -o l.bin a
    [ "$(head -c 12 l.bin | od -An -tu4 | tr -s ' ')" = ' 20240520 1 9' ]
    [ "$(wc -c <l.bin)" -eq $((1024 + 18)) ]
    [ "$(tail -c 18 l.bin | od -An -v -tu2 -w2 | tr -s ' \n' ' ')" = ' 5 6 7 1 1 99 31999 1 1 ' ]
    # documents come back, but for the eos that stood in one
    shard import -f llmc -v 32128 -L 'fi' -e 1 l.bin | shard cat -t >got
    [ "$(cat got)" = $'5 6 7\n\n99 31999' ] || [ "$(cat got)" = $'5 6 7\n\n99 31999\n' ]
    tokens 250112 >c
    shard export -f llmc -o w.bin c
    [ "$(head -c 12 w.bin | od -An -tu4 | tr -s ' ')" = ' 20240801 7 9' ]
    exits 2 shard import -f llmc -v 32128 l.bin
}

@test "TFRecord: an Example for each segment, checked on the way back" {
    rows >e
    exits 0 shard export -f tfrecord -o t e
    # Example { features { "inputs": [5 6], "targets": [1 2] } }
    head -c 12 t | od -An -tu8 -N8 | tr -d ' ' >n
    [ "$(cat n)" -eq 39 ]
    perl -e 'local $/; open F, "t"; binmode F; my $d = substr <F>, 12, 39;
        my $f = sub { my ($k, @v) = @_; my $l = pack "C*", @v; my $ids = "\x0a" . chr(length $l) . $l;
            my $w = "\x1a" . chr(length $ids) . $ids; my $m = "\x0a" . chr(length $k) . $k . "\x12" . chr(length $w) . $w;
            "\x0a" . chr(length $m) . $m };
        my $map = $f->("inputs", 5, 6) . $f->("targets", 1, 2);
        print $d eq "\x0a" . chr(length $map) . $map ? "same" : unpack "H*", $d' >got
    [ "$(cat got)" = same ]
    shard import -f tfrecord -v 250112 -L 'fi' -i 16 -g 8 -o back t
    [ "$(shard cat -t back)" = $'5 6\t1 2\n7\t3\n9 1\t4 1' ]
    tokens >a
    shard export -f tfrecord -o d a
    shard import -f tfrecord -v 32128 -L 'fi' d | shard cat -t | cmp - <(shard cat -t a)
}

@test "what is damaged, or none of theirs, is refused" {
    tokens >a
    rows >e
    shard export -f megatron -o m a
    shard export -f tfrecord -o t a
    for cut in 5 20 60; do
        head -c -$cut m.idx >c.idx
        cp m.bin c.bin
        refuses shard import -f megatron -v 32128 -o x c
    done
    cp m.idx c.idx
    head -c 7 m.bin >c.bin
    refuses shard import -f megatron -v 32128 -o x c
    refuses shard import -f megatron -v 100 -o x m
    [[ $output == *'record 2: id 31999 is not below'* ]]
    refuses shard import -f megatron -v 32128 -o x absent
    for at in 0 9 13 25; do
        perl -e 'local $/; open F, "t"; my $s = <F>; substr($s, $ARGV[0], 1) ^= "\x10"; print $s' $at >bad
        refuses shard import -f tfrecord -v 32128 -o x bad
    done
    head -c 40 t >bad
    refuses shard import -f tfrecord -v 32128 -o x bad
    [[ $output == *'bad: byte'*'cut short'* ]]
    head -c 3000 /dev/urandom >noise
    cp noise noise.idx
    cp noise noise.bin
    for f in megatron llmc tfrecord; do
        refuses shard import -f $f -v 32128 -e 1 -o x noise || refuses shard import -f $f -v 32128 -o x noise
    done
    [ ! -e x ]
    refuses shard export -f megatron -o x e
    [ ! -e x.bin ] && [ ! -e x.idx ]
    refuses shard export -f llmc -o x e
    exits 1 shard export -f tfrecord -o /dev/full a
    exits 2 shard export -f tfrecord a
    exits 2 shard import -f tfrecord a
    exits 2 shard import -f megatron -v 10 -i 4 -g 4 a
}
