/* test_html.c - what a page shows, line by line. */
#include "../test.h"

#include "crawl/html.h"

static void expect(const char *html, const char *want)
{
    struct buf b = { 0 };

    html_init();
    html_to_text((struct bytes){ (const unsigned char *)html, strlen(html) }, &b);
    buf_add_byte(&b, 0);
    assert_string_equal((const char *)b.p, want);
    buf_release(&b);
}

static void test_lines(void **state)
{
    (void)state;
    expect("", "");
    expect("just text", "just text");
    expect("<p>one two\n  three</p>four<div>five</div>", "one two three\nfour\nfive");
    expect("a<br>b<br/><br />c<hr>d", "a\nb\nc\nd");
    expect("<b>bo</b>ld <i>and</i>\n<a href=x>a link</a>.", "bold and a link.");
    expect("<ul><li>one<li>two<ul><li>in</ul></ul>after", "one\ntwo\nin\nafter");
    expect("<table><tr><th>a<th>b<tr><td>1</td><td><p>2</p><p>3</td></table>x", "a b\n1\n2\n3\nx");
    expect("<h1>Head</h1>text<h2>Next</h2>", "Head\ntext\nNext");
    expect("<select><option>one<option>two</select>", "one\ntwo");
    expect("<dl><dt>a<dd>b</dl>", "a\nb");
}

static void test_space(void **state)
{
    (void)state;
    expect("  a \t\n b  <p>  c  </p>  ", "a b\nc");
    expect("a&nbsp;&nbsp;b\xc2\xa0 c", "a b c");
    expect("<pre>a  b\n  c\n\n d</pre>e  f", "a  b\n  c\n d\ne f");
    expect("<p>x</p>\n\n<p> </p><div></div><p>y</p>", "x\ny");
}

static void test_unseen(void **state)
{
    (void)state;
    expect("<html><head><meta charset=utf-8><title> The\n title </title><style>p{}</style>"
           "<script>if (a<b) '</p>';</script><base href=x></head><body>Body</body></html>",
           "The title\nBody");
    expect("a<script>var x = '<p>no</p>';</script>b", "ab");
    expect("a<noscript><p>no</noscript><template><p>no</p></template><!-- no -->b", "ab");
    expect("a<iframe>no</iframe><svg><text>no</text></svg><video>no</video>b", "ab");
    expect("<img alt=no title=no src=no>a", "a");
    expect("a<style>p{}", "a");
}

static void test_entities(void **state)
{
    (void)state;
    expect("&lt;p&gt; &amp;amp; &quot;&#65;&#x42;&quot; &eacute;&hellip;&mdash;",
           "<p> &amp; \"AB\" \xc3\xa9\xe2\x80\xa6\xe2\x80\x94");
    expect("AT&T a & b &unknown; &#0;x", "AT&T a & b &unknown; x");
    expect("&#128514; \xf0\x9f\x98\x82", "\xf0\x9f\x98\x82 \xf0\x9f\x98\x82");
}

static void test_broken(void **state)
{
    (void)state;
    expect("<p>a<b>b<p>c</i>d</b></div>e", "ab\ncde");
    expect("a < b and c > d", "a < b and c > d");
    expect("<p>cut in a tag <a href=", "cut in a tag");
    expect("<!-- never closed <p>x", "");
    expect("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a \"no\">]><p>y</p>", "]>\ny");
}

static void test_depth(void **state)
{
    struct buf html = { 0 }, text = { 0 };
    int i;

    (void)state;
    for (i = 0; i < 1000; i++)
        buf_add_str(&html, "<div>");
    buf_add_str(&html, "deep");
    assert_int_equal(html_to_text(buf_bytes(&html), &text), 0);
    assert_true(text.n == 4 && !memcmp(text.p, "deep", 4));
    buf_reset(&html);
    buf_add_str(&html, "first");
    for (i = 0; i < 1000000; i++)
        buf_add_str(&html, "<div>");
    for (i = 0; i < 100000; i++)
        buf_add_str(&html, "</i>");
    buf_reset(&text);
    assert_int_equal(html_to_text(buf_bytes(&html), &text), 1);
    assert_true(text.n == 5 && !memcmp(text.p, "first", 5));
    buf_release(&html);
    buf_release(&text);
}

TESTS("crawl/html", cmocka_unit_test(test_lines), cmocka_unit_test(test_space),
      cmocka_unit_test(test_unseen), cmocka_unit_test(test_entities), cmocka_unit_test(test_broken),
      cmocka_unit_test(test_depth))
