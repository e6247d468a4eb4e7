#!/usr/bin/perl
# clean.pl - hold what c4clean made of files against what the reference made of them.
#
# usage: clean.pl GOLDEN CONFIG COMPAT KEPT REJECTS STATS FLIPS
#
# Of the reference are GOLDEN.CONFIG.pages.jsonl.gz (3.1.0) or GOLDEN.CONFIG.v301.kept.tsv, and
# GOLDEN.summary.json; ours are KEPT, REJECTS and STATS. Prints a line for each difference:
#
#     page <TAB> ours|theirs <TAB> fate <TAB> URL    a page that one alone has with this fate and text
#     count <TAB> ours <TAB> theirs <TAB> name
#     flip <TAB> URL                                 one that did not
#
# FLIPS lists pages that langdetect, which the reference asks about English, and cld3 judge
# differently: URL, the reference's fate, ours, and the version if it is one alone. They must differ just so; what follows for counts of
# the language step and of that after it is taken into account.
use strict;
use warnings;
use Digest::MD5 'md5_hex';
use Encode 'encode_utf8';
use JSON::PP;

my ($golden, $config, $compat, $kept, $rejects, $stats, $flips) = @ARGV;
my $v301 = $compat eq '3.0.1';
my $json = JSON::PP->new->utf8;
my %plain = (n => "\n", t => "\t", r => "\r", b => "\b", f => "\f");

sub lines {
    my ($path) = @_;
    my @how = $path =~ /\.gz$/ ? ('-|', 'gzip', '-dc', $path) : ('<', $path);
    my $mode = shift @how;
    open my $in, $mode, @how or die "$path: $!\n";
    return <$in>;
}

# A string member of a line of ours, as bytes: JSON::PP is slow, and the form is known.
sub member {
    my ($line, $key) = @_;
    my $from = index($line, "\"$key\":\"") + length($key) + 4;
    pos($line) = $from;
    1 while $line =~ /\G[^"\\]*+\\./gc;
    my $s = substr($line, $from, index($line, '"', pos($line) // $from) - $from);
    $s =~ s/\\(?:u(....)|(.))/defined $1 ? encode_utf8(chr hex $1) : $plain{$2} \/\/ $2/ge;
    return $s;
}

# The normal form of a URL, spelled out apart from ours.
sub normal {
    my ($url) = @_;
    $url =~ s#https?://(www\.)?##g;
    $url =~ s#\?(utm_|ref|feed).*##g;
    $url =~ s#/*$##;
    return $url;
}

# Our reasons in their words; undef: a page that is none to the reference.
sub fate {
    my ($reason) = @_;
    return 'too-long'         if $reason eq 'too-long-filter:filtered';
    return 'url-duplicate'    if $reason eq 'duplicate-url-filter:filtered';
    return 'paragraph-filter' if $reason eq 'paragraph-filter:filtered';
    return 'badword'          if $reason eq 'badwords-filter:filtered';
    return 'language'         if $reason =~ /^(english|language)-filter:/;
    return "$1:$2" if $reason =~ /^(clean)-page:filtered:(.*)/;
    return "$1:$2" if $reason =~ /^(dedup)e-lines:filtered:(.*)/;
    return undef   if $reason =~ /^split-wet-file:|^not-utf8$|^damage:/;
    die "no word for $reason\n";
}

my (%n, %flip, %seen, %count);

sub note {    # one more ($n: 1) of ours, or of theirs (-1)
    my ($n, $url, $date, $fate, $md5, $lang) = @_;
    $url = normal($url) if $v301;
    $n{join "\t", $fate, $lang, $md5, $v301 ? '' : $date, $url} += $n;
}

sub read_ours {
    for (lines($kept)) {
        note(1, member($_, 'url'), member($_, 'timestamp'), 'kept', md5_hex(member($_, 'text')),
            member($_, 'lang'));
    }
    return if $v301;
    for (lines($rejects)) {
        my ($reason) = /"reason":"([^"]*)"\}$/;
        my $fate = fate($reason) // next;
        note(1, member($_, 'url'), member($_, 'timestamp'), $fate, md5_hex(member($_, 'text')), '');
    }
}

sub read_theirs {
    for (lines("$golden.$config.pages.jsonl.gz")) {
        my $p = $json->decode($_);
        my $fate = $p->{result} =~ /^language:/ ? 'language' : $p->{result};
        my $url = encode_utf8($p->{url});
        my @end = $fate eq 'kept' ? ($p->{md5_out}, $p->{lang} // 'en') : ($p->{md5_text}, '');
        $seen{$v301 ? normal($url) : $url} = 1;
        note(-1, $url, encode_utf8($p->{ts}), $fate, @end) unless $v301;
    }
    return unless $v301;
    for (lines("$golden.$config.v301.kept.tsv")) {
        chomp;
        my ($url, $lang, $md5) = split /\t/;
        $seen{$url} = 1;
        note(-1, $url, '', 'kept', $md5, $lang);
    }
}

# Counts that a page of this fate adds to.
sub add_fate {
    my ($fate, $n) = @_;
    return if $fate eq 'language';
    my $end = $fate eq 'kept' ? 'passed' : 'filtered';
    $count{$_} += $n for 'english-filter:passed', "badwords-filter:$end", "badwords-filter-en:$end";
}

sub read_flips {
    return if $config ne 'en';
    for (lines($flips)) {
        next if /^#/;
        chomp;
        my ($url, $theirs, $ours, $only) = split /\t/;
        next if defined $only and $only ne $compat;
        $url = normal($url) if $v301;
        $flip{$url} = { theirs => $theirs, ours => $ours } if $seen{$url};
    }
}

sub compare_pages {
    my %met;
    for my $key (sort keys %n) {
        my ($fate, undef, undef, undef, $url) = split /\t/, $key, -1;
        my $side = $n{$key} > 0 ? 'ours' : 'theirs';
        next unless $n{$key};
        if ($flip{$url} and $flip{$url}{$side} eq $fate) {
            $met{$url}{$side} = 1;
        } else {
            print "page\t$side\t$fate\t$url\n";
        }
    }
    for my $url (sort keys %flip) {
        for my $side ('ours', 'theirs') {    # of 3.0.1 only what is kept is known
            next if $met{$url}{$side} or ($v301 and $flip{$url}{$side} ne 'kept');
            print "flip\t$url\n";
        }
        add_fate($flip{$url}{ours}, 1);
        add_fate($flip{$url}{theirs}, -1);
    }
}

# Ours are parted by the first colon, theirs by a slash; those of pages dropped are apart in ours.
sub compare_counts {
    my $ledger = $json->decode(join '', lines($stats));
    my %have = %{$ledger->{counted}};
    my $theirs = $json->decode(join '', lines("$golden.summary.json"))->{$config}{"counters_$compat"};
    my %want = map { s#/#:#r => $theirs->{$_} } keys %$theirs;
    my $steps = qr/^(split-wet-file|too-long-filter|duplicate-url-filter|paragraph-filter|clean-page
        |dedupe-lines|english-filter|language-filter|badwords-filter)/x;

    $have{$_} += $ledger->{dropped}{$_}{records} for keys %{$ledger->{dropped}};
    $want{$_} += $count{$_} for keys %count;
    for my $name (sort keys %{{%have, %want}}) {
        next if $name !~ $steps or $name eq 'clean-page:line-edited:citations';    # we count more
        next if $name =~ /^english-filter:filtered/;    # langdetect and cld3 have their own words
        my ($h, $w) = ($have{$name} // 0, $want{$name} // 0);
        print "count\t$h\t$w\t$name\n" if $h != $w;
    }
}

read_ours();
read_theirs();
read_flips();
compare_pages();
compare_counts();
