/* measure.c - see measure.h: what there is, by name. */
#include <string.h>

#include "base/err.h"
#include "score/lexicon.h"
#include "score/measure.h"

static const struct measure *const room[] = {
    measure_class, measure_answer, measure_number, measure_bleu, measure_rouge, measure_span,
};

#define NLI "entailment,neutral,contradiction"
#define BOOLS "False,True"

static const struct measure_task tasks[] = {
    { "cola", "mcc", "unacceptable,acceptable", ANSWER_SQUAD },
    { "sst2", "accuracy", "negative,positive", ANSWER_SQUAD },
    { "mrpc", "f1-binary,accuracy", "not_equivalent,equivalent", ANSWER_SQUAD },
    { "qqp", "f1-binary,accuracy", "not_duplicate,duplicate", ANSWER_SQUAD },
    { "stsb", "pearson,spearman", NULL, ANSWER_SQUAD },
    { "mnli", "accuracy", NLI, ANSWER_SQUAD },
    { "ax", "mcc,accuracy", NLI, ANSWER_SQUAD },
    { "qnli", "accuracy", "entailment,not_entailment", ANSWER_SQUAD },
    { "rte", "accuracy", "entailment,not_entailment", ANSWER_SQUAD },
    { "boolq", "accuracy", BOOLS, ANSWER_SQUAD },
    { "cb", "f1-mean,accuracy", "entailment,contradiction,neutral", ANSWER_SQUAD },
    { "copa", "accuracy", "choice1,choice2", ANSWER_SQUAD },
    { "multirc", "f1-binary,group-accuracy", BOOLS, ANSWER_SQUAD },
    { "record", "group-em,group-f1", NULL, ANSWER_SQUAD },
    { "wic", "accuracy", BOOLS, ANSWER_SQUAD },
    { "wsc", "wsc", NULL, ANSWER_SQUAD },
    { "dpr", "wsc", NULL, ANSWER_SQUAD },
    { "wnli", "wsc", NULL, ANSWER_SQUAD },
    { "squad", "em,f1", NULL, ANSWER_SQUAD },
    { "cnndm", "rouge1,rouge2,rougeLsum", NULL, ANSWER_SQUAD },
    { "xsum", "rouge1,rouge2,rougeLsum", NULL, ANSWER_SQUAD },
    { "translation", "bleu", NULL, ANSWER_SQUAD },
    { "nq", "em", NULL, ANSWER_SQUAD },
    { "webq", "em", NULL, ANSWER_SQUAD },
    { "triviaqa", "em", NULL, ANSWER_TRIVIA },
    { "anli", "accuracy", NLI, ANSWER_SQUAD },
    { "winogrande", "accuracy", NULL, ANSWER_SQUAD },
    { "arc", "accuracy", NULL, ANSWER_SQUAD },
    { "xnli", "accuracy", "0,1,2", ANSWER_SQUAD },
    { "pawsx", "accuracy", "different_meaning,paraphrase", ANSWER_SQUAD },
    { "xquad", "em,f1", NULL, ANSWER_SQUAD },
    { "tydiqa", "em,f1", NULL, ANSWER_SQUAD },
    { "mlqa", "em,f1", NULL, ANSWER_MLQA },
    { "wikiann", "span-f1", NULL, ANSWER_SQUAD },
};

const struct measure *measure_at(size_t i)
{
    size_t r;

    for (r = 0; r < sizeof(room) / sizeof(room[0]); r++) {
        const struct measure *m;

        for (m = room[r]; m->name; m++)
            if (!i--)
                return m;
    }
    return NULL;
}

const struct measure *measure_find(const char *name, size_t n)
{
    const struct measure *m;
    size_t i;

    for (i = 0; (m = measure_at(i)); i++)
        if (strlen(m->name) == n && !memcmp(m->name, name, n))
            return m;
    return NULL;
}

int measure_parse(const char *names, const struct measure **to, int most, struct err *err)
{
    int n;
    size_t len;

    for (n = 0; n < most; names += len + 1) {
        len = strcspn(names, ",");
        if (!(to[n++] = measure_find(names, len)))
            return err_set(err, "no metric is called '%.*s'", (int)len, names);
        if (!names[len])
            return n;
    }
    return err_set(err, "more than %d metrics", most);
}

const struct measure_task *measure_task_at(size_t i)
{
    return i < sizeof(tasks) / sizeof(tasks[0]) ? &tasks[i] : NULL;
}

const struct measure_task *measure_task(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++)
        if (!strcmp(tasks[i].name, name))
            return &tasks[i];
    return NULL;
}

void measure_how_init(struct measure_how *how)
{
    memset(how, 0, sizeof(*how));
    how->bleu = WORDS_INTL;
    how->rouge = WORDS_ROUGE;
    how->label = lexicon_new();
    how->word = lexicon_new();
}

void measure_set_labels(struct measure_how *how, const char *labels)
{
    for (;;) {
        size_t n = strcspn(labels, ",");

        lexicon_add(how->label, (struct bytes){ (const unsigned char *)labels, n });
        if (!labels[n])
            break;
        labels += n + 1;
    }
    how->n_fixed = lexicon_size(how->label);
    while (how->is_label.n < how->n_fixed)
        buf_add_byte(&how->is_label, 1);
}

void measure_how_release(struct measure_how *how)
{
    size_t i;

    lexicon_free(how->label);
    lexicon_free(how->word);
    buf_release(&how->is_label);
    for (i = 0; i < 2; i++) {
        buf_release(&how->text[i]);
        words_release(&how->words[i]);
    }
    for (i = 0; i < 3; i++)
        grams_release(&how->gram[i]);
}

double measure_sum(const double *row, size_t width, const size_t *pick, size_t n, size_t i)
{
    double sum = 0;
    size_t k;

    for (k = 0; k < n; k++)
        sum += row[pick[k] * width + i];
    return sum;
}

double measure_mean(const struct measure_how *how, const double *row, const size_t *pick, size_t n)
{
    (void)how;
    return 100 * measure_sum(row, 1, pick, n, 0) / (double)n;
}
