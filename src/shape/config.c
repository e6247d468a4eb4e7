/* config.c - see config.h. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"
#include "io/out.h"
#include "nn/attention.h"
#include "shape/config.h"

enum { SIZE_LIMIT = 1 << 24, EXPERT_LIMIT = ROUTE_EXPERT_MAX };
#define FILE_LIMIT ((size_t)1 << 20)

static const char *const stack_name[] = { "encoder", "decoder" };

const char *const router_words[] = { "top1", "top2", "ntlb", NULL };
const char *const second_words[] = { "random", "threshold", "all", "none", NULL };
const char *const explore_words[] = { "jitter", "argmax", "sample", "dropout", NULL };
const char *const cap_words[] = { "floor", "round", "none", NULL };

int word_of(const char *const *words, const char *given)
{
    int i;

    for (i = 0; words[i]; i++)
        if (strcmp(words[i], given) == 0)
            return i;
    return -1;
}

struct source {    // an object being read, and whether all went well
    const json_t *j;
    const char *path;
    struct err *err;
    int bad;
};

static int whole(struct source *s, const char *key, int fallback, int min, int max)
{
    const json_t *v = json_object_get(s->j, key);
    json_int_t x = fallback;

    if (s->bad)
        return fallback;
    if (v && !json_is_null(v)) {
        if (!json_is_integer(v)) {
            s->bad = err_set(s->err, "%s: %s is not a whole number", s->path, key);
            return fallback;
        }
        x = json_integer_value(v);
    } else if (fallback < min) {
        s->bad = err_set(s->err, "%s: %s is missing", s->path, key);
        return fallback;
    }
    if (x < min || x > max) {
        s->bad = err_set(s->err, "%s: %s is %lld, not from %d to %d", s->path, key, (long long)x,
                         min, max);
        return fallback;
    }
    return (int)x;
}

static double fraction(struct source *s, const char *key, double fallback, double min, double max)
{
    const json_t *v = json_object_get(s->j, key);
    double x = v && !json_is_null(v) ? json_number_value(v) : fallback;

    if (!s->bad && ((v && !json_is_null(v) && !json_is_number(v)) || !(x >= min && x <= max)))
        s->bad = err_set(s->err, "%s: %s is not a number from %g to %g", s->path, key, min, max);
    return x;
}

static int truth(const struct source *s, const char *key, int fallback)
{
    const json_t *v = json_object_get(s->j, key);

    return json_is_boolean(v) ? json_is_true(v) : fallback;
}

static const char *word(const struct source *s, const char *key)
{
    return json_string_value(json_object_get(s->j, key));
}

/* feed_forward_proj decides; newer Switch files have dense_act_fn alone. */
static void read_activation(struct source *s, struct config *c)
{
    const char *proj = word(s, "feed_forward_proj"), *act = word(s, "dense_act_fn");
    int gated = truth(s, "is_gated_act", 0);

    if (s->bad)
        return;
    if (!proj && act)
        proj = !gated ? act : !strcmp(act, "gelu_new") ? "gated-gelu" : "gated-?";
    if (!proj)
        proj = strcmp(c->model_type, "mt5") == 0 ? "gated-gelu" : "relu";
    c->gated = strcmp(proj, "gated-gelu") == 0;
    if (!c->gated && strcmp(proj, "relu") != 0)
        s->bad = err_set(s->err, "%s: feed_forward_proj '%s' is neither relu nor gated-gelu",
                         s->path, proj);
}

/* A list of blocks under our key; 0: there is none. */
static int read_list(struct source *s, const char *key, int n_block, unsigned char *blocks)
{
    const json_t *list = json_object_get(s->j, key), *v;
    size_t at;

    if (!list)
        return 0;
    if (!json_is_array(list))
        s->bad = err_set(s->err, "%s: %s is not a list", s->path, key);
    json_array_foreach(list, at, v)
    {
        if (s->bad)
            return 1;
        if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) >= n_block)
            s->bad = err_set(s->err, "%s: %s: not the number of a block", s->path, key);
        else
            blocks[json_integer_value(v)] = 1;
    }
    return 1;
}

/* Our list of blocks, else HF's arithmetic. */
static void read_sparse(struct source *s, struct config *c, int stack)
{
    char key[64];
    int i, step, n;

    snprintf(key, sizeof(key), "sparse_%s_attention_blocks", stack_name[stack]);
    read_list(s, key, c->n_block[stack], c->mixed[stack]);
    snprintf(key, sizeof(key), "sparse_%s_blocks", stack_name[stack]);
    if (read_list(s, key, c->n_block[stack], c->sparse[stack]))
        return;
    snprintf(key, sizeof(key), "num_sparse_%s_layers", stack_name[stack]);
    n = whole(s, key, 3, 0, c->n_block[stack]);
    snprintf(key, sizeof(key), "%s_sparse_step", stack_name[stack]);
    step = whole(s, key, n ? c->n_block[stack] / n : BLOCK_MAX, 0, SIZE_LIMIT);
    for (i = 0; n && step && i < c->n_block[stack]; i++)
        c->sparse[stack][i] = step == 1 || i % step == 1;
}

static int choice(struct source *s, const char *key, const char *const *words)
{
    const char *given = word(s, key);
    int i = given ? word_of(words, given) : 0;

    if (!s->bad && i < 0)
        s->bad = err_set(s->err, "%s: %s '%s' is not known", s->path, key, given);
    return i < 0 ? 0 : i;
}

static void read_router(struct source *s, struct config *c)
{
    const char *dtype = word(s, "router_dtype");

    c->router = (enum route_kind)choice(s, "router_kind", router_words);
    c->n_choice = whole(s, "router_choices", 4, 1, ROUTE_CHOICE_MAX);
    c->second = (enum route_second)choice(s, "router_second", second_words);
    c->threshold = fraction(s, "router_threshold", 0.2, 0, 1);
    c->router_bf16 = dtype && strcmp(dtype, "bfloat16") == 0;
    c->router_z = fraction(s, "router_z_loss_coef", 0.001, 0, 1e6);
    c->jitter = fraction(s, "router_jitter_noise", 0.01, 0, 1);
    c->router_bias = truth(s, "router_bias", 0);
}

static void read_switch(struct source *s, struct config *c)
{
    int stack;

    for (stack = 0; stack < 2; stack++)
        if (!s->bad)
            read_sparse(s, c, stack);
    if (config_is_sparse(c))
        c->n_expert = whole(s, "num_experts", 8, 1, EXPERT_LIMIT);
    c->d_ff_mixed = whole(s, "attention_expert_d_ff", c->d_ff, 0, SIZE_LIMIT);
    c->expert_capacity = whole(s, "expert_capacity", 64, 1, SIZE_LIMIT);
    read_router(s, c);
}

static int read_object(struct config *c, struct source *s)
{
    const char *type = word(s, "model_type");

    if (!type || (strcmp(type, "t5") != 0 && strcmp(type, "mt5") != 0 &&
                  strcmp(type, "switch_transformers") != 0))
        return err_set(s->err, "%s: model_type '%s' is not t5, mt5 or switch_transformers", s->path,
                       type ? type : "?");
    snprintf(c->model_type, sizeof(c->model_type), "%s", type);
    c->n_vocab = whole(s, "vocab_size", 0, 1, SIZE_LIMIT);
    c->d_model = whole(s, "d_model", 0, 1, SIZE_LIMIT);
    c->d_ff = whole(s, "d_ff", 0, 1, SIZE_LIMIT);
    c->d_kv = whole(s, "d_kv", 0, 1, ATTENTION_WIDTH_MAX);
    c->n_head = whole(s, "num_heads", 0, 1, SIZE_LIMIT);
    c->n_block[ENCODER] = whole(s, "num_layers", 0, 1, BLOCK_MAX);
    c->n_block[DECODER] = whole(s, "num_decoder_layers", c->n_block[ENCODER], 1, BLOCK_MAX);
    c->n_bucket = whole(s, "relative_attention_num_buckets", 32, 1, SIZE_LIMIT);
    c->max_distance = whole(s, "relative_attention_max_distance", 128, 1, SIZE_LIMIT);
    c->dropout = fraction(s, "dropout_rate", 0.1, 0, 1);
    c->eps = fraction(s, "layer_norm_epsilon", 1e-6, 1e-30, 1);
    c->tied = truth(s, "tie_word_embeddings", strcmp(type, "mt5") != 0);
    read_activation(s, c);
    if (!s->bad && strcmp(type, "switch_transformers") == 0)
        read_switch(s, c);
    return s->bad ? -1 : 0;
}

int config_read(struct config *c, const char *path, struct err *err)
{
    struct stat st;
    json_error_t bad;
    char *file = NULL;
    json_t *j = NULL;
    int rc = 0;

    *c = (struct config){ 0 };
    file = stat(path, &st) == 0 && S_ISDIR(st.st_mode) ? xasprintf("%s/config.json", path)
                                                       : xstrdup(path);
    if (stat(file, &st) < 0)
        rc = err_set(err, "%s: %s", file, strerror(errno));
    else if (S_ISREG(st.st_mode) && (size_t)st.st_size > FILE_LIMIT)
        rc = err_set(err, "%s: too large for a config.json", file);
    else if (!(j = json_load_file(file, 0, &bad)))
        rc = err_set(err, "%s: line %d: %s", file, bad.line, bad.text);
    else if (!json_is_object(j))
        rc = err_set(err, "%s: not an object", file);
    if (rc == 0)
        rc = read_object(c, &(struct source){ .j = j, .path = file, .err = err });
    if (rc == 0 && config_check(c, err) < 0) {
        char *what = xstrdup(err->msg);

        rc = err_set(err, "%s: %s", file, what);
        free(what);
    }
    json_decref(j);
    free(file);
    return rc;
}

static int some(const struct config *c, const unsigned char blocks[2][BLOCK_MAX])
{
    int stack, i;

    for (stack = 0; stack < 2; stack++)
        for (i = 0; i < c->n_block[stack]; i++)
            if (blocks[stack][i])
                return 1;
    return 0;
}

int config_is_mixed(const struct config *c)
{
    return some(c, c->mixed);
}

int config_mixed_width(const struct config *c)
{
    return c->d_ff_mixed ? c->d_ff_mixed : c->d_model;
}

int config_is_sparse(const struct config *c)
{
    return some(c, c->sparse) || config_is_mixed(c);
}

void config_make_switch(struct config *c)
{
    snprintf(c->model_type, sizeof(c->model_type), "switch_transformers");
    c->d_ff_mixed = c->d_ff;
    c->n_choice = 4;
    c->threshold = 0.2;
    c->expert_capacity = 64;    // Hugging Face's defaults
    c->jitter = 0.01;
    c->router_z = 0.001;
}

int config_check(const struct config *c, struct err *err)
{
    if (c->router_bias)
        return err_set(err, "router_bias is not supported");
    if ((int64_t)c->n_head * c->d_kv > SIZE_LIMIT)
        return err_set(err, "num_heads x d_kv is too large");
    if (c->n_bucket % 4 != 0 || c->max_distance <= c->n_bucket / 2)
        return err_set(err, "%d relative_attention_num_buckets for a distance of %d: senseless",
                       c->n_bucket, c->max_distance);
    if (config_is_sparse(c) && (c->n_expert < 1 || c->n_expert > EXPERT_LIMIT))
        return err_set(err, "sparse blocks with %d experts", c->n_expert);
    if (config_is_sparse(c) && strcmp(c->model_type, "switch_transformers") != 0)
        return err_set(err, "sparse blocks in a model of type %s", c->model_type);
    if (config_is_sparse(c) && c->router == ROUTE_TOP2 && c->n_expert < 2)
        return err_set(err, "a router of top2 with one expert");
    return 0;
}

/* By length: io/json.h has a function of its own called as jansson's for C strings. */
static json_t *text_value(const char *s)
{
    return json_stringn(s, strlen(s));
}

/* The list under its key; how many blocks there are. */
static int set_list(json_t *j, const char *key, const unsigned char *blocks, int n_block)
{
    json_t *list = json_array();
    int i, n = 0;

    for (i = 0; i < n_block; i++)
        if (blocks[i]) {
            json_array_append_new(list, json_integer(i));
            n++;
        }
    json_object_set_new(j, key, list);
    return n;
}

static void set_sparse(json_t *j, const struct config *c, int stack)
{
    char key[64];
    int n;

    snprintf(key, sizeof(key), "sparse_%s_blocks", stack_name[stack]);
    n = set_list(j, key, c->sparse[stack], c->n_block[stack]);
    snprintf(key, sizeof(key), "num_sparse_%s_layers", stack_name[stack]);
    json_object_set_new(j, key, json_integer(n));
    snprintf(key, sizeof(key), "%s_sparse_step", stack_name[stack]);
    json_object_set_new(j, key, json_integer(n ? c->n_block[stack] / n : c->n_block[stack]));
    if (!config_is_mixed(c))
        return;
    snprintf(key, sizeof(key), "sparse_%s_attention_blocks", stack_name[stack]);
    set_list(j, key, c->mixed[stack], c->n_block[stack]);
    json_object_set_new(j, "attention_expert_d_ff", json_integer(c->d_ff_mixed));
}

static void set_router(json_t *j, const struct config *c)
{
    json_object_set_new(j, "router_bias", json_boolean(c->router_bias));
    json_object_set_new(j, "router_dtype", text_value(c->router_bf16 ? "bfloat16" : "float32"));
    json_object_set_new(j, "router_ignore_padding_tokens", json_false());
    json_object_set_new(j, "router_jitter_noise", json_real(c->jitter));
    json_object_set_new(j, "router_type", text_value("tokens_masked"));
    json_object_set_new(j, "router_z_loss_coef", json_real(c->router_z));
    json_object_set_new(j, "router_aux_loss_coef", json_real(0.001));
    if (c->router != ROUTE_TOP1)
        json_object_set_new(j, "router_kind", text_value(router_words[c->router]));
    if (c->router == ROUTE_NTLB)
        json_object_set_new(j, "router_choices", json_integer(c->n_choice));
    if (c->router != ROUTE_TOP2)
        return;
    json_object_set_new(j, "router_second", text_value(second_words[c->second]));
    json_object_set_new(j, "router_threshold", json_real(c->threshold));
}

static void set_switch(json_t *j, const struct config *c)
{
    set_sparse(j, c, ENCODER);
    set_sparse(j, c, DECODER);
    set_router(j, c);
    json_object_set_new(j, "num_experts", json_integer(c->n_expert));
    json_object_set_new(j, "expert_capacity", json_integer(c->expert_capacity));
    json_object_set_new(j, "add_router_probs", json_false());
}

char *config_text(const struct config *c)
{
    const char *class = !strcmp(c->model_type, "t5") ? "T5ForConditionalGeneration"
                        : !strcmp(c->model_type, "mt5")
                            ? "MT5ForConditionalGeneration"
                            : "SwitchTransformersForConditionalGeneration";
    json_t *j = json_pack(
        "{s:s, s:[s], s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:f}", "model_type",
        c->model_type, "architectures", class, "vocab_size", c->n_vocab, "d_model", c->d_model,
        "d_ff", c->d_ff, "d_kv", c->d_kv, "num_heads", c->n_head, "num_layers", c->n_block[ENCODER],
        "num_decoder_layers", c->n_block[DECODER], "relative_attention_num_buckets", c->n_bucket,
        "relative_attention_max_distance", c->max_distance, "dropout_rate", c->dropout,
        "layer_norm_epsilon", c->eps, "initializer_factor", 1.0);
    char *text, *line;

    json_object_set_new(j, "feed_forward_proj", text_value(c->gated ? "gated-gelu" : "relu"));
    json_object_set_new(j, "dense_act_fn", text_value(c->gated ? "gelu_new" : "relu"));
    json_object_set_new(j, "is_gated_act", json_boolean(c->gated));
    json_object_set_new(j, "tie_word_embeddings", json_boolean(c->tied));
    json_object_set_new(j, "is_encoder_decoder", json_true());
    json_object_set_new(j, "use_cache", json_true());
    json_object_set_new(j, "pad_token_id", json_integer(0));
    json_object_set_new(j, "eos_token_id", json_integer(1));
    json_object_set_new(j, "decoder_start_token_id", json_integer(0));
    if (!strcmp(c->model_type, "switch_transformers"))
        set_switch(j, c);
    text = json_dumps(j, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
    json_decref(j);
    line = xasprintf("%s\n", text);
    free(text);
    return line;
}

int config_write(const struct config *c, const char *path, struct err *err)
{
    char *text = config_text(c);
    struct out *o = out_open(path, err);
    int rc = o ? out_write(o, text, strlen(text), err) : -1;

    free(text);
    if (rc < 0)
        out_abandon(o);
    return rc < 0 ? rc : out_close(o, err);
}
