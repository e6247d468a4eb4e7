/* facts.c - see facts.h. */
#include <inttypes.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "checkpoint/sums.h"
#include "io/out.h"
#include "shape/params.h"
#include "train/facts.h"
#include "train/loop.h"
#include "train/state.h"

enum { VERSION = 2 };    // 1: it had no sums

/* The rule's fields as options are called. */
static const struct field {
    const char *name;
    enum { INT, NUM, FLAG } kind;
    size_t at;
} fields[] = {
    { "batch", INT, offsetof(struct train_rule, batch) },
    { "group-rows", INT, offsetof(struct train_rule, group_rows) },
    { "capacity-factor", NUM, offsetof(struct train_rule, capacity_factor) },
    { "min-capacity", INT, offsetof(struct train_rule, min_capacity) },
    { "aux-loss", NUM, offsetof(struct train_rule, aux_loss) },
    { "aux-mean", FLAG, offsetof(struct train_rule, aux_mean) },
    { "router-z-loss", NUM, offsetof(struct train_rule, router_z_loss) },
    { "z-loss", NUM, offsetof(struct train_rule, z_loss) },
    { "dropout", NUM, offsetof(struct train_rule, dropout) },
    { "expert-dropout", NUM, offsetof(struct train_rule, expert_dropout) },
    { "dropout-per-element", FLAG, offsetof(struct train_rule, dropout_per_element) },
    { "precision", FLAG, offsetof(struct train_rule, precision) },
    { "jitter", NUM, offsetof(struct train_rule, jitter) },
    { "input-dropout", NUM, offsetof(struct train_rule, input_dropout) },
    { "explore", FLAG, offsetof(struct train_rule, explore) },
    { "capacity-rule", FLAG, offsetof(struct train_rule, cap) },
    { "second-loss", FLAG, offsetof(struct train_rule, second_loss) },
    { "schedule", FLAG, offsetof(struct train_rule, schedule.kind) },
    { "lr", NUM, offsetof(struct train_rule, schedule.lr) },
    { "warmup", NUM, offsetof(struct train_rule, schedule.warmup) },
    { "ramp-down", NUM, offsetof(struct train_rule, schedule.ramp_down) },
    { "steps", INT, offsetof(struct train_rule, schedule.n_step) },
    { "optimizer-min-dim", INT, offsetof(struct train_rule, optimizer_min_dim) },
    { "init", FLAG, offsetof(struct train_rule, init) },
    { "init-scale", NUM, offsetof(struct train_rule, init_scale) },
    { "moments", NUM, offsetof(struct train_rule, decay_from) },
    { "seed", INT, offsetof(struct train_rule, seed) },
};
enum { N_FIELD = sizeof(fields) / sizeof(fields[0]) };

static double field_value(const struct train_rule *rule, const struct field *f)
{
    const char *p = (const char *)rule + f->at;

    if (f->kind == NUM)
        return *(const double *)(const void *)p;
    return f->kind == INT ? (double)*(const int64_t *)(const void *)p
                          : (double)*(const int *)(const void *)p;
}

/* A value as the option takes it. */
static void put_value(const struct field *f, double x, char *to, size_t size)
{
    static const char *const schedule_words[] = { "rsqrt", "constant", NULL };
    static const char *const exploring[] = { "its default", "jitter",  "argmax",
                                             "sample",      "dropout", NULL };
    const struct {
        const char *name;
        const char *const *words;
    } lists[] = { { "schedule", schedule_words },
                  { "precision", precision_words },
                  { "explore", exploring },
                  { "capacity-rule", cap_words },
                  { "init", init_words } };
    const char *const *words = NULL;
    double i;
    size_t k;

    for (k = 0; k < sizeof(lists) / sizeof(lists[0]); k++)
        if (strcmp(f->name, lists[k].name) == 0)
            words = lists[k].words;
    for (i = 0; words && *words && i < x; words++)
        i++;
    if (words && *words && i == x)
        snprintf(to, size, "%s", *words);
    else
        snprintf(to, size, "%.15g", x);
}

static int put_text(const char *dir, const char *name, const char *text, struct err *err)
{
    char *path = xasprintf("%s/%s", dir, name);
    struct out *o = out_open(path, err);
    int rc = o ? out_write(o, text, strlen(text), err) : -1;

    free(path);
    if (rc < 0)
        out_abandon(o);
    return rc < 0 ? rc : out_close(o, err);
}

int facts_put_json(const char *dir, const char *name, json_t *j, struct err *err)
{
    char *text = json_dumps(j, JSON_INDENT(1) | JSON_SORT_KEYS);
    char *line = xasprintf("%s\n", text);
    int rc = put_text(dir, name, line, err);

    json_decref(j);
    free(text);
    free(line);
    return rc;
}

int facts_save(const struct trainer *t, const struct state_facts *facts, const char *dir,
               struct err *err)
{
    uint64_t next_row = (t->step + t->skip) * (uint64_t)t->rule.batch;
    json_t *options = json_object();
    int i;

    for (i = 0; i < N_FIELD; i++) {
        double x = field_value(&t->rule, &fields[i]);

        json_object_set_new(options, fields[i].name,
                            fields[i].kind == NUM ? json_real(x) : json_integer((json_int_t)x));
    }
    return facts_put_json(dir, "state.json",
                          json_pack("{s:i, s:I, s:I, s:s, s:s, s:s*, s:o}", "version", VERSION,
                                    "step", (json_int_t)t->step, "next_row", (json_int_t)next_row,
                                    "mixture", facts->mixture, "vocab_sha256", facts->vocab_sha256,
                                    "teacher", facts->teacher, "options", options),
                          err);
}

static int check_config(const struct trainer *t, const char *dir, struct err *err)
{
    struct config c;
    char *mine, *theirs;
    int same;

    if (config_read(&c, dir, err) < 0)
        return -1;
    mine = config_text(&t->config);
    theirs = config_text(&c);
    same = strcmp(mine, theirs) == 0;
    free(mine);
    free(theirs);
    return same
               ? 0
               : (err_set(err, "%s: a checkpoint of another model (config.json differs)", dir), -2);
}

static int check_teacher(const struct state_facts *facts, const char *dir, const json_t *j,
                         struct err *err)
{
    const char *was = json_string_value(json_object_get(j, "teacher"));
    const char *now = facts->teacher ? facts->teacher : "none";

    if (!was)
        was = "none";
    if (strcmp(was, now) == 0)
        return 0;
    err_set(err, "%s: trained with another teacher (%.100s, now %.100s)", dir, was, now);
    return -2;
}

static int check_state(const struct trainer *t, const struct state_facts *facts, const char *dir,
                       const json_t *j, struct err *err)
{
    const char *mixture = json_string_value(json_object_get(j, "mixture"));
    const char *vocab = json_string_value(json_object_get(j, "vocab_sha256"));
    const json_t *options = json_object_get(j, "options");
    json_int_t version = json_integer_value(json_object_get(j, "version"));
    int i;

    if (version < 1 || version > VERSION || !mixture ||
        !json_is_integer(json_object_get(j, "step")))
        return err_set(err, "%s/state.json: not of a version that we know", dir);
    if (strcmp(mixture, facts->mixture) != 0) {
        err_set(err, "%s: trained on another mixture (%.12s..., now %.12s...)", dir, mixture,
                facts->mixture);
        return -2;
    }
    if (!vocab || strcmp(vocab, facts->vocab_sha256) != 0) {
        err_set(err, "%s: trained on another vocabulary", dir);
        return -2;
    }
    if (check_teacher(facts, dir, j, err) < 0)
        return -2;
    for (i = 0; i < N_FIELD; i++) {
        double have = field_value(&t->rule, &fields[i]);
        double was = json_number_value(json_object_get(options, fields[i].name));

        if (have != was) {
            char there[32], here[32];

            put_value(&fields[i], was, there, sizeof(there));
            put_value(&fields[i], have, here, sizeof(here));
            err_set(err, "%s: trained with --%s %s, not %s", dir, fields[i].name, there, here);
            return -2;
        }
    }
    return 0;
}

/* Before a word of them is believed. */
static int check_files(const char *dir, const struct sums *sums, struct err *err)
{
    static const char *const name[] = { "state.json", "config.json" };
    size_t i;
    int rc = 0;

    for (i = 0; rc == 0 && i < sizeof(name) / sizeof(name[0]); i++) {
        char *path = xasprintf("%s/%s", dir, name[i]);

        rc = sums_check(sums, path, err);
        free(path);
    }
    return rc;
}

int facts_check(const struct trainer *t, const struct state_facts *facts, const char *dir,
                const struct sums *sums, uint64_t *step, struct err *err)
{
    char *path = xasprintf("%s/state.json", dir);
    json_error_t bad;
    json_t *j = json_load_file(path, 0, &bad);
    int rc = j ? 0 : err_set(err, "%s: %s", path, bad.text);

    if (rc == 0 && sums)
        rc = check_files(dir, sums, err);
    else if (rc == 0 && json_integer_value(json_object_get(j, "version")) != 1)
        rc = err_set(err, "%s/%s: missing", dir, sums_name);
    if (rc == 0)
        rc = check_config(t, dir, err);
    if (rc == 0)
        rc = check_state(t, facts, dir, j, err);
    if (rc == 0)
        *step = (uint64_t)json_integer_value(json_object_get(j, "step"));
    json_decref(j);
    free(path);
    return rc;
}
