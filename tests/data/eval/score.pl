# score.pl - what eval-score computes, written a second time from the definitions and with Perl's
# regular expressions, and texts to hold the two against each other.
#
#   perl score.pl make SEED N        N lines of odd text
#   perl score.pl METRIC WANT SAID   the score of files of lines
use strict;
use warnings;
use utf8;
use List::Util qw(max min sum0);
binmode STDOUT, ':encoding(UTF-8)';

sub make {
    my ($seed, $n) = @_;
    my @word = ('a', 'the', 'an', 'Blue', 'blue', 'house', 'HOUSE', 'über', 'Äpfel', 'дом', 'Дома',
        '北京', '東京', 'घर', 'บ้าน', 'x_y', "it's", 'well-known', '1,234.5', '2020.', '3-4', '5',
        '.', ' . ', ',', '...', '(hi)', '«q»', '“r”', '$', '€5', 'a&amp;b', '&lt;b&gt;', '&quot;',
        '<skipped>', '-', '—', '+=', '½', 'İ', 'ΣΑΣ', "n\x{303}", '\n', '、', '?!', ',,', "\x{a0}");
    srand $seed;
    for (1 .. $n) {
        my $line = '';
        $line .= $word[rand @word] . (rand() < 0.75 ? ' ' : '') for 1 .. rand 24;
        print "$line\n";
    }
}

sub lines {
    open my $f, '<:encoding(UTF-8)', $_[0] or die "$_[0]: $!";
    map { chomp; s/\\n/\n/g; $_ } <$f>;
}

sub grams {
    my ($n, $join, @w) = @_;
    my %h;
    $h{join $join, @w[$_ .. $_ + $n - 1]}++ for 0 .. $#w - $n + 1;
    return \%h;
}

sub total { sum0 values %{ $_[0] } }
sub common { my ($a, $b) = @_; sum0 map { min $a->{$_}, $b->{$_} // 0 } keys %$a }

sub cut_13a {
    my ($s) = @_;
    $s =~ s/\s+\z//;
    $s =~ s/<skipped>//g;
    $s =~ s/-\n//g;
    $s =~ s/\n/ /g;
    $s =~ s/&quot;/"/g;
    $s =~ s/&amp;/&/g;
    $s =~ s/&lt;/</g;
    $s =~ s/&gt;/>/g;
    $s = " $s ";
    $s =~ s/([\{-\~\[-\` -\&\(-\+\:-\@\/])/ $1 /g;
    $s =~ s/([^0-9])([\.,])/$1 $2 /g;
    $s =~ s/([\.,])([^0-9])/ $1 $2/g;
    $s =~ s/([0-9])(-)/$1 $2 /g;
    return split ' ', $s;
}

sub cut_intl {
    my ($s) = @_;
    $s =~ s/\s+\z//;
    $s =~ s/(\P{N})(\p{P})/$1 $2 /g;
    $s =~ s/(\p{P})(\P{N})/ $1 $2/g;
    $s =~ s/(\p{S})/ $1 /g;
    return split ' ', $s;
}

sub bleu {
    my ($cut, $want, $said) = @_;
    my (@right, @all, $n_want, $n_said);
    for my $i (0 .. $#$want) {
        my @w = $cut->($want->[$i]);
        my @s = $cut->($said->[$i]);
        $n_want += @w;
        $n_said += @s;
        for my $n (1 .. 4) {
            my ($x, $y) = (grams($n, ' ', @s), grams($n, ' ', @w));
            $right[$n] += common($x, $y);
            $all[$n] += total($x);
        }
    }
    my ($log, $smooth) = (0, 1);
    for (1 .. 4) {
        return 0 unless $all[$_];
        $log += log(($right[$_] || 1 / ($smooth *= 2)) / $all[$_]) / 4;
    }
    return 100 * exp($log) * ($n_said < $n_want ? exp(1 - $n_want / $n_said) : 1);
}

sub chrf_words {
    map {
        my $w = $_;
        length $w < 2 ? $w
            : $w =~ /^(.+)([!-\/:-\@\[-\`{-~])\z/s ? ($1, $2)
            : $w =~ /^([!-\/:-\@\[-\`{-~])(.+)\z/s ? ($1, $2)
            : $w
    } split ' ', $_[0];
}

sub chrf {
    my ($words, $want, $said) = @_;
    my (@right, @wanted, @all);
    for my $i (0 .. $#$want) {
        my ($a, $b) = ($said->[$i], $want->[$i]);
        my @x = map { [split //, join '', split ' ', $_] } $a, $b;
        my @g = map { [grams($_, '', @{ $x[0] }), grams($_, '', @{ $x[1] })] } 1 .. 6;
        push @g, map { [grams($_, ' ', chrf_words($a)), grams($_, ' ', chrf_words($b))] } 1 .. $words;
        for (0 .. $#g) {
            my ($s, $w) = @{ $g[$_] };
            $all[$_] += total($w) ? total($s) : 0;
            $wanted[$_] += total($w);
            $right[$_] += common($s, $w);
        }
    }
    my @on = grep { $all[$_] && $wanted[$_] } 0 .. $#all;
    return 0 unless @on;
    my $p = sum0(map { $right[$_] / $all[$_] } @on) / @on;
    my $r = sum0(map { $right[$_] / $wanted[$_] } @on) / @on;
    return $p + $r ? 500 * $p * $r / (4 * $p + $r) : 0;
}

sub rouge_words { grep { length } split /[^a-z0-9]+/, lc $_[0] }
sub f { my ($c, $s, $w) = @_; $c ? 2 * $c / ($s + $w) : 0 }

sub rouge_n {
    my ($n, $w, $s) = @_;
    my ($x, $y) = (grams($n, ' ', rouge_words($s)), grams($n, ' ', rouge_words($w)));
    return f(common($x, $y), total($x), total($y));
}

sub lcs_table {
    my ($r, $c) = @_;
    my @t = map { [(0) x (@$c + 1)] } 0 .. @$r;
    for my $i (1 .. @$r) {
        for my $j (1 .. @$c) {
            $t[$i][$j] = $r->[$i - 1] eq $c->[$j - 1] ? $t[$i - 1][$j - 1] + 1
                : max $t[$i - 1][$j], $t[$i][$j - 1];
        }
    }
    return \@t;
}

sub rouge_l {
    my ($w, $s) = map { [rouge_words($_)] } @_;
    return f(lcs_table($w, $s)->[-1][-1], scalar @$s, scalar @$w);
}

sub rouge_lsum {
    my ($w, $s) = map {
        my $t = $_;
        $t =~ s/ \. / .\n/g;
        [map { [rouge_words($_)] } grep { length } split /\n/, $t]
    } @_;
    my (%w, %s, $hit);
    $w{$_}++ for map { @$_ } @$w;
    $s{$_}++ for map { @$_ } @$s;
    my ($n_w, $n_s) = (total(\%w), total(\%s));
    for my $r (@$w) {
        my %on;
        for my $c (@$s) {
            my $t = lcs_table($r, $c);
            my ($i, $j) = (scalar @$r, scalar @$c);
            while ($i && $j) {
                if ($r->[$i - 1] eq $c->[$j - 1]) { $on{ --$i } = 1; $j-- }
                elsif ($t->[$i][$j - 1] > $t->[$i - 1][$j]) { $j-- }
                else { $i-- }
            }
        }
        for (map { $r->[$_] } sort { $a <=> $b } keys %on) {
            next unless $w{$_} > 0 && ($s{$_} // 0) > 0;
            $w{$_}--;
            $s{$_}--;
            $hit++;
        }
    }
    return f($hit // 0, $n_s, $n_w);
}

sub normal {
    my ($how, $s) = @_;
    $s = lc $s;
    if ($how eq 'trivia') { $s =~ s/[!-\/:-\@\[-\`{-~‘’´]/ /g }
    elsif ($how eq 'squad') { $s =~ s/[!-\/:-\@\[-\`{-~]//g }
    else { $s =~ s/[!-\/:-\@\[-\`{-~]|\p{P}//g }
    $s =~ s/(?<![\p{L}\p{N}_])(a|an|the)(?![\p{L}\p{N}_])/ /g;
    return join ' ', split ' ', $s;
}

sub answer_f1 {
    my ($w, $s) = map { grams(1, '', split ' ', $_) } @_;
    return f(common($s, $w), total($s), total($w));
}

sub mean { my ($f, $w, $s) = @_; 100 * sum0(map { $f->($w->[$_], $s->[$_]) } 0 .. $#$w) / @$w }

my %metric = (
    'bleu 13a' => sub { bleu(\&cut_13a, @_) },
    'bleu intl' => sub { bleu(\&cut_intl, @_) },
    'bleu none' => sub { bleu(sub { split ' ', $_[0] }, @_) },
    'chrf' => sub { chrf(0, @_) },
    'chrf++' => sub { chrf(2, @_) },
    'rouge1' => sub { mean(sub { rouge_n(1, @_) }, @_) },
    'rouge2' => sub { mean(sub { rouge_n(2, @_) }, @_) },
    'rougeL' => sub { mean(\&rouge_l, @_) },
    'rougeLsum' => sub { mean(\&rouge_lsum, @_) },
);
for my $how (qw(squad trivia mlqa)) {
    $metric{"em $how"} = sub { mean(sub { normal($how, $_[0]) eq normal($how, $_[1]) }, @_) };
    $metric{"f1 $how"} =
        sub { mean(sub { answer_f1(map { normal($how, $_) } @_) }, @_) };
}

my $what = shift;
if ($what eq 'make') { make(@ARGV) }
else { printf "%.4f\n", $metric{$what}->([lines($ARGV[0])], [lines($ARGV[1])]) }
