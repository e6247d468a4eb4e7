/* token.c - char and word models: the text is cut before anything is looked up. */
#include <string.h>

#include "spm/encoder.h"

static const unsigned char SPACE[] = { 0xE2, 0x96, 0x81 };

void char_run(const struct encoder *e, struct encoding *to)
{
    const unsigned char *t = to->text.p;
    size_t i, n = to->text.n, len;

    for (i = 0; i < n; i += len) {
        len = trie_longest(&e->trie, (struct bytes){ t + i, n - i });
        if (!len)
            len = char_length(t[i], n - i);
        encoding_put(e, to, encoder_find(e, (struct bytes){ t + i, len }), (uint32_t)len);
    }
}

/* Where the word that begins at i ends: before the next space. */
static size_t word_end(const unsigned char *t, size_t n, size_t i)
{
    do {
        i += char_length(t[i], n - i);
    } while (i < n && !(n - i >= sizeof(SPACE) && !memcmp(t + i, SPACE, sizeof(SPACE))));
    return i;
}

void word_run(const struct encoder *e, struct encoding *to)
{
    const unsigned char *t = to->text.p;
    size_t i, n = to->text.n, end;

    for (i = 0; i < n; i = end) {
        end = word_end(t, n, i);
        encoding_put(e, to, encoder_find(e, (struct bytes){ t + i, end - i }), (uint32_t)(end - i));
    }
}
