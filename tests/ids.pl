#!/usr/bin/perl
# ids.pl KEY=VALUE... - a token shard on standard output, written by the letter of
# switchyard-shard(5) and by none of our code, from lines "DOCUMENT LANGUAGE-NUMBER ID...".
# The keys are the header's; BLOCK=n (not written) is how many documents go into a block.
use strict;
use warnings;
use Digest::SHA qw(sha256);

my (@table, @offset, $out, $crcs);
my ($first, $tokens, $block_size, $width) = (0, 0, 1000, 2);

for my $n (0 .. 255) {
    my $c = $n;
    $c = $c & 1 ? ($c >> 1) ^ 0x82F63B78 : $c >> 1 for 1 .. 8;
    push @table, $c;
}

sub crc32c {
    my $c = 0xFFFFFFFF;
    $c = ($c >> 8) ^ $table[($c ^ $_) & 255] for unpack 'C*', $_[0];
    return $c ^ 0xFFFFFFFF;
}

sub frame {
    my ($letter, $payload, $records, $number) = @_;
    my $n = length $payload;
    my $head = pack 'a4 C C v V V V Q<', "SY${letter}1", 0, 0, 0, $n, $n, $records, $number;
    my $crc = pack 'V', crc32c($head . $payload);
    $crcs .= $crc if $letter eq 'B';
    return $head . $crc . $payload . "\0" x (-$n % 8);
}

sub varint {
    my ($x, $s) = (shift, '');
    for (; $x >= 128; $x >>= 7) { $s .= chr($x & 127 | 128) }
    return $s . chr $x;
}

sub columns {
    my $s = pack 'V', @_ / 3;
    my @c = @_;
    my $data = '';
    while (my ($type, $w, $d) = splice @c, 0, 3) {
        $s .= pack 'C C v V', $type, $w, 0, length $d;
    }
    @c = @_;
    while (my ($type, $w, $d) = splice @c, 0, 3) {
        $s .= "\0" x (-length($s) % 8) . $d;
    }
    return $s;
}

my $header = "kind=ids\nversion=1\n";
my $langs = 0;
for (@ARGV) {
    if (/^BLOCK=(\d+)$/) { $block_size = $1; next }
    $width = 3 if /^vocab\.size=(\d+)/ && $1 > 65536;
    $langs = 1 if /^langs=/;
    $header .= "$_\n";
}
$out = frame('S', $header, 0, 0);
$crcs = '';

my @doc;
sub flush_block {
    return unless @doc;
    my ($len, $ids, $docs, $lang, @all) = ('') x 4;
    for (@doc) {
        my ($d, $l, @id) = split ' ';
        $len .= varint(scalar @id);
        $docs .= pack 'Q<', $d;
        $lang .= chr $l;
        push @all, @id;
    }
    $ids = $width == 2 ? pack 'v*', @all
        : join '', map { my $s = $_; pack 'C*', map { $_ >> $s & 255 } @all } 0, 8, 16;
    push @offset, pack 'Q< Q< V Q<', length $out, $first, scalar @doc, $tokens;
    $out .= frame('B', columns(1, 0, $len, 2, $width, $ids, 3, 8, $docs,
                               $langs ? (4, 1, $lang) : ()), scalar @doc, $first);
    $first += @doc;
    $tokens += @all;
    @doc = ();
}
while (<STDIN>) {
    push @doc, $_;
    flush_block() if @doc == $block_size;
}
flush_block();

my $index = length $out;
$out .= frame('I', join('', @offset), scalar @offset, 0);
my $bytes = length($out) + 32 + 104;
my $mark = pack 'a4 V Q< V Q<', 'SYE1', 1, $bytes, 136, 0;
$out .= frame('E', pack('Q<5', scalar @offset, $first, $tokens, $bytes, length($out) - $index)
              . sha256($crcs) . $mark . pack('V', crc32c($mark)), 0, $first);
binmode STDOUT;
print $out;
