#!/usr/bin/perl
# clean.pl - hold what c4clean made of files against what the reference made of them.
#
# usage: clean.pl GOLDEN CONFIG COMPAT KEPT REJECTS STATS [FLIPS]
#
# GOLDEN.CONFIG.pages.jsonl.gz (3.1.0) or GOLDEN.CONFIG.v301.kept.tsv, and GOLDEN.summary.json, are
# the reference's; KEPT, REJECTS and STATS ours. Prints a line for each difference:
#
#     page<TAB>which side<TAB>fate<TAB>URL       a page that only one has with this fate and text
#     count<TAB>ours<TAB>theirs<TAB>name
#
# FLIPS lists URLs, one a line, of pages that langdetect and cld3 judge differently: these may, and
# must, differ so. What differs for them in the counts of the language step and after it is taken
# into account.
use strict;
use warnings;
use Digest::MD5 'md5_hex';
use Encode 'encode_utf8';
use JSON::PP;

my ($golden, $config, $compat, $kept, $rejects, $stats, $flips) = @ARGV;
my $json = JSON::PP->new->utf8;

sub lines {
    my ($path) = @_;
    my ($mode, @how) = $path =~ /\.gz$/ ? ('-|', 'gzip', '-dc', $path) : ('<', $path);
    open my $in, $mode, @how or die "$path: $!\n";
    return <$in>;
}

sub slurp { return $json->decode(join '', lines($_[0])) }

# The normal form of a URL, spelled out apart from ours.
sub normal {
    my ($url) = @_;
    $url =~ s#https?://(www\.)?##g;
    $url =~ s#\?(utm_|ref|feed).*##g;
    $url =~ s#/*$##;
    return $url;
}

# Our reasons by their words; undef: a page that is none to the reference.
sub fate {
    my ($reason) = @_;
    return 'too-long'         if $reason eq 'too-long-filter:filtered';
    return 'url-duplicate'    if $reason eq 'duplicate-url-filter:filtered';
    return 'paragraph-filter' if $reason eq 'paragraph-filter:filtered';
    return 'badword'          if $reason eq 'badwords-filter:filtered';
    return 'language'         if $reason =~ /^(english|language)-filter:/;
    return "$1:$2" if $reason =~ /^(clean)-page:filtered:(.*)/ or $reason =~ /^(dedup)e-lines:filtered:(.*)/;
    return undef if $reason =~ /^split-wet-file:|^not-utf8$/;
    die "no word for $reason\n";
}

my (%ours, %theirs, %flip, %flipped);
my $v301 = $compat eq '3.0.1';
if (defined $flips) {
    for (lines($flips)) { chomp; $flip{$_} = 1 }
}

sub note {
    my ($set, $url, $date, $fate, $md5, $lang) = @_;
    $date = '' if $v301;
    $url = normal($url) if $v301;
    push @{$set->{join "\t", $fate, $lang // '', $md5, $date, $url}}, 1;
}

for (lines($kept)) {
    my $d = $json->decode($_);
    note(\%ours, $d->{url}, $d->{timestamp}, 'kept', md5_hex(encode_utf8($d->{text})), $d->{lang});
}
if (!$v301) {
    for (lines($rejects)) {
        my $d = $json->decode($_);
        my $fate = fate($d->{reason}) // next;
        note(\%ours, $d->{url}, $d->{timestamp}, $fate, md5_hex(encode_utf8($d->{text})));
    }
}
if ($v301) {
    for (lines("$golden.$config.v301.kept.tsv")) {
        chomp;
        my ($url, $lang, $md5) = split /\t/;
        note(\%theirs, $url, '', 'kept', $md5, $lang);
    }
} else {
    for (lines("$golden.$config.pages.jsonl.gz")) {
        my $p = $json->decode($_);
        my $fate = $p->{result} =~ /^language:/ ? 'language' : $p->{result};
        my $is_kept = $fate eq 'kept';
        note(\%theirs, $p->{url}, $p->{ts}, $fate, $is_kept ? $p->{md5_out} : $p->{md5_text},
            $is_kept ? $p->{lang} // 'en' : undef);
    }
}

my (%left, $bad);
for my $key (keys %{{%ours, %theirs}}) {
    my $n = @{$ours{$key} // []} - @{$theirs{$key} // []};
    next unless $n;
    my ($fate, undef, undef, undef, $url) = split /\t/, $key;
    my $side = $n > 0 ? 'ours' : 'theirs';
    if ($fate =~ /^(kept|language|badword)$/ and $flip{$url}) {
        $flipped{$url}{$side} = $fate;
        next;
    }
    print "page\t$side\t$fate\t$url\n";
}
for my $url (sort keys %flip) {
    my $f = $flipped{$url} // {};
    # of a list that serves many files, those of this one count
    next unless keys %$f or grep { /\t\Q$url\E$/ } keys %theirs;
    next if $v301;    # pages that are dropped are not listed there
    print "flip\tnot seen\t\t$url\n" unless ($f->{ours} // '') eq 'language' or ($f->{theirs} // '') eq 'language';
}

# Counts. Ours are parted by the first colon, and those of pages dropped are apart.
my $ledger = slurp($stats);
my %have = %{$ledger->{counted}};
$have{$_} += $ledger->{dropped}{$_}{records} for keys %{$ledger->{dropped}};
my %want = %{slurp("$golden.summary.json")->{$config}{"counters_$compat"}};
s#/#:# for my @names = keys %want;
my %want_ours;
for my $name (keys %want) {
    (my $n = $name) =~ s#/#:#;
    $want_ours{$n} = $want{$name};
}
for my $name (sort keys %{{%have, %want_ours}}) {
    next unless $name =~ /^(split-wet-file|too-long-filter|duplicate-url-filter|paragraph-filter|clean-page|dedupe-lines|english-filter|language-filter|badwords-filter)/;
    next if $name eq 'clean-page:line-edited:citations';    # they do not count those
    # two judges of English: their words differ, and what comes after
    next if $name =~ /^english-filter:filtered/ or ($config eq 'en' and %flip and $name =~ /^(english|badwords)-filter/);
    my ($h, $w) = ($have{$name} // 0, $want_ours{$name} // 0);
    print "count\t$h\t$w\t$name\n" if $h != $w;
}
