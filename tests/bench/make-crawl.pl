#!/usr/bin/perl
# make-crawl.pl BYTES FILE.wet.gz... - a crawl of about BYTES of text, on standard output (gzip, a
# member a record): the pages of the files again and again. Each copy has URLs of its own, and a
# number of its own before each longer line, so that menus repeat and articles do not.
use strict;
use warnings;
use Compress::Zlib;

my ($bytes, @files) = @ARGV;
my @pages;
for my $name (@files) {
    my $gz = gzopen($name, 'rb') or die "$name: cannot open\n";
    my ($all, $part) = ('', '');
    $all .= $part while $gz->gzread($part, 1 << 20) > 0;
    my $at = 0;
    while ((my $end = index($all, "\r\n\r\n", $at)) >= 0) {
        my $head = substr($all, $at, $end - $at);
        my ($n) = $head =~ /^Content-Length: *(\d+)/mi or last;
        push @pages, [$head, substr($all, $end + 4, $n)] if $head =~ /^WARC-Type: *conversion/mi;
        $at = $end + 4 + $n + 4;
    }
}
@pages or die "no pages\n";
binmode STDOUT;
for (my ($copy, $made) = (0, 0); $made < $bytes; $copy++) {
    for (@pages) {
        my ($head, $text) = @$_;
        $text =~ s/^(?=.{40})/$copy /gm;
        $head =~ s/^(WARC-Target-URI: *[^\r\n]*)/$1?copy=$copy/mi;
        $head =~ s/^(Content-Length: *)\d+/$1 . length $text/mie;
        print Compress::Zlib::memGzip("$head\r\n\r\n$text\r\n\r\n");
        $made += length $text;
        last if $made >= $bytes;
    }
}
