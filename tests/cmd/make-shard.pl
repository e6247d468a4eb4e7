#!/usr/bin/env perl
# make-shard.pl KEY=VALUE... <records: write a shard from lines of text, by switchyard-shard(5)
# and nothing of ours, so that the tool is tested against the page.
# ids: DOC LANG ID...    examples: DOC LANG ID... | ID... TAB ID... | ID...
# block=N is records a block, not a line of the header.
use strict;
use warnings;
use Digest::SHA 'sha256';

my %is = map { split /=/, $_, 2 } @ARGV;
my $per_block = delete $is{block} // 1000;
my ($kind, $vocab) = ($is{kind} // 'ids', $is{'vocab.size'});
my $width = $vocab <= 65536 ? 2 : 3;
my @table = map {
    my $x = $_;
    $x = $x & 1 ? $x >> 1 ^ 0x82F63B78 : $x >> 1 for 1 .. 8;
    $x;
} 0 .. 255;
my ($at, $blocks, $records, $tokens, $crcs, @index) = (0, 0, 0, 0, '');

sub crc32c {
    my $crc = 0xFFFFFFFF;
    $crc = $table[($crc ^ $_) & 255] ^ $crc >> 8 for unpack 'C*', $_[0];
    return $crc ^ 0xFFFFFFFF;
}

sub frame {
    my ($letter, $flags, $n, $first, $payload) = @_;
    my $head = "SY${letter}1" . pack 'CCvVVVQ<', 0, $flags, 0, (length $payload) x 2, $n, $first;
    my $crc = pack 'V', crc32c($head . $payload);
    my $frame = $head . $crc . $payload . "\0" x (-length($payload) % 8);
    print $frame;
    $at += length $frame;
    return $crc;
}

sub varint {
    my ($x) = @_;
    return $x < 128 ? chr $x : chr($x & 127 | 128) . varint($x >> 7);
}

sub varints { join "", map { varint($_) } @_ }

sub ids {
    return pack 'v*', @_ if $width == 2;
    return join '', map { my $k = $_; pack 'C*', map { $_ >> 8 * $k & 255 } @_ } 0 .. 2;
}

sub block {
    my (@doc, @lang, @length, @segments, @input_length, @target_length, @input, @target);
    my @langs = split /,/, $is{langs} // '';
    for (@_) {
        my ($inputs, $targets) = split /\t/, $_, -1;
        my ($doc, $lang, @in) = split / /, $inputs;
        my ($number) = grep { $langs[$_] eq $lang } 0 .. $#langs;
        push @doc, $doc;
        push @lang, $number // 0;
        my @parts = map { [grep { $_ ne '' } split / /] } split /\|/, "@in", -1;
        my @goals = map { [grep { $_ ne '' } split / /] } split /\|/, $targets // '', -1;
        push @length, scalar @in;
        push @segments, scalar @parts;
        push @input_length, map { scalar @$_ } @parts;
        push @target_length, map { scalar @$_ } @goals;
        push @input, map { @$_ } @parts;
        push @target, map { @$_ } @goals;
    }
    my @column = $kind eq 'ids'
        ? ([1, 0, varints(@length)], [2, $width, ids(@input)])
        : ([5, 0, varints(@segments)], [6, 0, varints(@input_length)],
           [7, 0, varints(@target_length)], [8, $width, ids(@input)], [9, $width, ids(@target)]);
    push @column, [3, 8, pack 'Q<*', @doc];
    push @column, [4, 1, pack 'C*', @lang] if @langs;
    my $payload = pack('V', scalar @column) . join '', map { pack 'CCvV', $_->[0], $_->[1], 0, length $_->[2] } @column;
    $payload .= "\0" x (-length($payload) % 8) . $_->[2] for @column;
    push @index, pack 'Q<Q<VQ<', $at, $records, scalar @doc, $tokens;
    $crcs .= frame('B', 0, scalar @doc, $records, $payload);
    $blocks++;
    $records += @doc;
    $tokens += @input + @target;
}

binmode STDOUT;
$is{kind} = $kind;
$is{version} = 1;
$is{bits} = 8 * $width;
frame('S', 0, 0, 0, join '', map { "$_=$is{$_}\n" } sort keys %is);
my @line;
while (<STDIN>) {
    chomp;
    push @line, $_;
    block(splice @line) if @line == $per_block;
}
block(@line) if @line;
my $index_at = $at;
frame('I', 0, $blocks, 0, join '', @index);
my $bytes = $at + 136;
my $mark = 'SYE1' . pack 'VQ<VQ<', 1, $bytes, 136, 0;
$mark .= pack 'V', crc32c($mark);
frame('E', 0, 0, $records,
    pack('Q<5', $blocks, $records, $tokens, $bytes, $at - $index_at) . sha256($crcs) . $mark);
