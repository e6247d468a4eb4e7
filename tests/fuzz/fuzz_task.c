/* fuzz_task.c - any file is a table of tasks or none, and any task may read any object. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

#include "base/err.h"
#include "pairs/form.h"
#include "pairs/task.h"
#include "seq/denoiser.h"

static void use(const struct task *t)
{
    static const char text[] = "{\"a\": {\"b\": [1, \"x\", true, null, 2.5]}, \"text\": \"He is.\","
                               "\"target\": {\"span2_text\": \"He\", \"span2_index\": 0},"
                               "\"entities\": [{\"start\": 0, \"end\": 1}], \"label\": 1}";
    json_t *o = json_loads(text, 0, NULL);
    struct record r = { { o }, 1, 0 };
    struct buf b = { 0 }, label = { 0 };

    fuzz_check(t->name && t->inputs >= 2 && t->targets >= 2);
    form_fill(t->input, &r, &b);
    if (form_fill(t->target, &r, &b) == 0)
        task_label(t, buf_bytes(&b), &label);
    buf_release(&b);
    buf_release(&label);
    json_decref(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char header[] = "name\tformat\tcolumns\teach\tinput\ttarget\tlabels\tkeep\tlang\t"
                                 "inputs\ttargets\tnote\n";
    const struct span_rule rule = { 0.15, 3, 32099, 100, 1 };
    struct denoiser k[DENOISER_MAX];
    char *text = malloc(sizeof(header) + n);
    struct err err;
    int i, found;

    memcpy(text, header, sizeof(header) - 1);
    if (n)
        memcpy(text + sizeof(header) - 1, data, n);
    text[sizeof(header) - 1 + n] = 0;
    task_list(fuzz_file((uint8_t *)text, sizeof(header) - 1 + n), use, &err);
    found = denoiser_parse(text + sizeof(header) - 1, &rule, k, &err);
    for (i = 0; i < found; i++)
        fuzz_check(denoiser_fit(&k[i], 512, 512, 511, &err) == 0 && k[i].piece <= 511);
    free(text);
    return 0;
}
