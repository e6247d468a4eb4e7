#!/usr/bin/perl
# dedup-docs-twin.pl - clusters of documents (JSON Lines of {"text": "..."}, no escapes) as
# datatrove's steps define them, with SHA-1: "cluster document" for each member of two or more.
# Its own Mersenne Twister, its own arithmetic: what it shares with dedup-docs is the definition.
use strict;
use warnings;
use utf8;
use open qw(:std :encoding(UTF-8));
use Digest::SHA qw(sha1);
use Encode qw(encode_utf8);
use Unicode::Normalize qw(NFD);

my ($buckets, $hashes, $gram, $seed) = (14, 8, 5, 1);
my $prime = (1 << 61) - 1;
my $marks = quotemeta q{!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_."}►»};

# a * b + c in 64 bits, wrapped
sub wrap { my ($p, $q, $r) = @_; my $x = do { use integer; $p * $q + $r }; $x & ~0 }

my @mt = ($seed);
push @mt, (1812433253 * ($mt[-1] ^ ($mt[-1] >> 30)) + @mt) & 0xFFFFFFFF while @mt < 624;
my $next = 624;
sub u32 {
    if ($next == 624) {
        for my $i (0 .. 623) {
            my $y = ($mt[$i] & 0x80000000) | ($mt[($i + 1) % 624] & 0x7FFFFFFF);
            $mt[$i] = $mt[($i + 397) % 624] ^ ($y >> 1) ^ ($y & 1 ? 0x9908B0DF : 0);
        }
        $next = 0;
    }
    my $y = $mt[$next++];
    $y ^= $y >> 11;
    $y ^= ($y << 7) & 0x9D2C5680;
    $y ^= ($y << 15) & 0xEFC60000;
    return ($y ^ ($y >> 18)) & 0xFFFFFFFF;
}
sub below { my ($low) = @_; my $x; do { $x = ((u32() << 32) | u32()) & $prime } while $x > $prime - 1 - $low; $low + $x }
my @a = map { below(1) } 1 .. $buckets * $hashes;
my @b = map { below(0) } 1 .. $buckets * $hashes;

sub words {
    my $t = lc shift;
    $t =~ s/\p{Nd}+([.,،٫⎖⎗⎘]\p{Nd}+)?/0/g;
    $t =~ s/[$marks\x00-\x08\x0B-\x1F\x7F-\x9F]/ /g;
    $t = NFD($t);
    $t =~ s/\p{Mn}//g;
    return grep { length } split /\s+/, $t;
}

my (%seen, @up);
sub root { my $x = shift; $x = $up[$x] while $up[$x] != $x; $x }
while (<>) {
    my $doc = $.;
    my ($text) = /"text": ?"([^"]*)"/ or die;
    my @w = words($text);
    my @h = map { unpack 'Q<', sha1(encode_utf8(join ' ', @w[$_ .. $_ + $gram - 1])) } 0 .. $#w - $gram + 1;
    $up[$doc] = $doc;
    next if !@h;
    for my $bucket (0 .. $buckets - 1) {
        my @value;
        for my $i ($bucket * $hashes .. ($bucket + 1) * $hashes - 1) {
            my $least = ~0;
            for (@h) { my $x = wrap($a[$i], $_, $b[$i]) % $prime; $least = $x if $x < $least }
            push @value, $least;
        }
        my ($x, $y) = (root($seen{"$bucket @value"} //= $doc), root($doc));
        $up[$x > $y ? $x : $y] = $x > $y ? $y : $x;
    }
}
my %n;
$n{root($_)}++ for 1 .. $#up;
print root($_), " $_\n" for grep { $n{root($_)} > 1 } 1 .. $#up;
