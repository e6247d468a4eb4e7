/* fuzz_table.c - any bytes as a table of metrics: every field is text, and a number or none. */
#define _GNU_SOURCE    // memfd_create
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "eval/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const name[] = { "step", "lang", "nlp", "" };
    struct err err = { "" };
    struct table *t = table_read(fuzz_file(data, n), &err);
    size_t row, i;
    double x;

    fuzz_check(t || *err.msg);
    if (!t)
        return 0;
    for (i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
        int column = table_column(t, name[i]);

        for (row = 0; column >= 0 && row < table_rows(t); row++) {
            fuzz_check(strlen(table_text(t, row, column)) <= n);
            if (table_num(t, row, column, &x, &err) == 0)
                fuzz_check(isfinite(x));
        }
    }
    table_free(t);
    return 0;
}
