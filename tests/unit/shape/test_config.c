/* model/config: HF's keys and what follows from them; what makes no sense is refused. */
#include <stdio.h>
#include <stdlib.h>

#include "../test.h"
#include "base/err.h"
#include "shape/config.h"

static struct err err;

#define SIZES                                                                                      \
    "\"vocab_size\": 96, \"d_model\": 32, \"d_ff\": 64, \"d_kv\": 8, \"num_heads\": 4,"            \
    "\"num_layers\": 4"

static int read_text(struct config *c, const char *text)
{
    FILE *f = fopen("config.json", "w");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
    return config_read(c, "config.json", &err);
}

static void reads(struct config *c, const char *text)
{
    if (read_text(c, text) < 0)
        fail_msg("%s", err.msg);
}

static void refuses(const char *text, const char *why)
{
    struct config c;

    assert_int_equal(read_text(&c, text), -1);
    if (!strstr(err.msg, why) || !strstr(err.msg, "config.json"))
        fail_msg("'%s' does not say '%s'", err.msg, why);
}

static void test_defaults(void **state)
{
    struct config c;

    (void)state;
    reads(&c, "{\"model_type\": \"t5\"," SIZES "}");
    assert_true(c.tied && !c.gated && c.n_block[DECODER] == 4 && c.n_bucket == 32);
    assert_true(c.max_distance == 128 && c.eps == 1e-6 && c.n_expert == 0 && !config_is_sparse(&c));
    reads(&c, "{\"model_type\": \"mt5\"," SIZES "}");
    assert_true(!c.tied && c.gated);
    reads(&c, "{\"model_type\": \"t5\", \"feed_forward_proj\": \"gated-gelu\","
              "\"dense_act_fn\": \"relu\", \"tie_word_embeddings\": false," SIZES "}");
    assert_true(!c.tied && c.gated);
    reads(&c, "{\"model_type\": \"switch_transformers\", \"dense_act_fn\": \"relu\","
              "\"num_sparse_encoder_layers\": 2, \"num_sparse_decoder_layers\": 0,"
              "\"num_experts\": 3," SIZES "}");
    assert_true(c.tied && !c.gated && c.n_expert == 3 && c.expert_capacity == 64);
    assert_true(!c.sparse[0][0] && c.sparse[0][1] && !c.sparse[0][2] && c.sparse[0][3]);
    assert_true(!c.sparse[1][1] && !c.sparse[1][3]);
}

static void test_placement(void **state)
{
    struct config c;

    (void)state;
    reads(&c, "{\"model_type\": \"switch_transformers\", \"encoder_sparse_step\": 4,"
              "\"decoder_sparse_step\": 1, \"num_sparse_encoder_layers\": 1,"
              "\"num_sparse_decoder_layers\": 4," SIZES "}");
    assert_true(c.sparse[0][1] && !c.sparse[0][3] && c.sparse[1][0] && c.sparse[1][3]);
    reads(&c, "{\"model_type\": \"switch_transformers\", \"sparse_encoder_blocks\": [3],"
              "\"sparse_decoder_blocks\": []," SIZES "}");
    assert_true(c.sparse[0][3] && !c.sparse[0][1] && !c.sparse[1][1]);
}

static void test_refusals(void **state)
{
    (void)state;
    refuses("{\"model_type\": \"bert\"," SIZES "}", "bert");
    refuses("{" SIZES "}", "model_type");
    refuses("{\"model_type\": \"t5\"}", "vocab_size is missing");
    refuses("{\"model_type\": \"t5\", \"feed_forward_proj\": \"gated-silu\"," SIZES "}", "silu");
    refuses("{\"model_type\": \"t5\", \"num_decoder_layers\": 100000," SIZES "}", "100000");
    refuses("{\"model_type\": \"t5\", \"num_decoder_layers\": \"4\"," SIZES "}", "whole number");
    refuses("{\"model_type\": \"t5\", \"layer_norm_epsilon\": 0," SIZES "}", "layer_norm_epsilon");
    refuses("{\"model_type\": \"t5\", \"relative_attention_num_buckets\": 30," SIZES "}", "bucket");
    refuses("{\"model_type\": \"switch_transformers\", \"router_bias\": true,"
            "\"num_sparse_encoder_layers\": 1, \"num_sparse_decoder_layers\": 1," SIZES "}",
            "router_bias");
    refuses("{\"model_type\": \"switch_transformers\", \"sparse_encoder_blocks\": [4]," SIZES "}",
            "sparse_encoder_blocks");
    refuses("{\"model_type\": \"switch_transformers\", \"num_experts\": 0,"
            "\"num_sparse_encoder_layers\": 1, \"num_sparse_decoder_layers\": 1," SIZES "}",
            "num_experts");
    refuses("{\"model_type\": \"t5\",", "line 1");
    refuses("[]", "not an object");
    refuses("", "line");
}

static void test_round_trip(void **state)
{
    struct config c, d;
    char *one, *two;

    (void)state;
    reads(&c, "{\"model_type\": \"switch_transformers\", \"sparse_encoder_blocks\": [0, 3],"
              "\"sparse_decoder_blocks\": [2], \"num_experts\": 5, \"dropout_rate\": 0.1,"
              "\"tie_word_embeddings\": false, \"feed_forward_proj\": \"gated-gelu\","
              "\"expert_capacity\": 17, \"router_jitter_noise\": 0.02," SIZES "}");
    assert_int_equal(config_write(&c, "again.json", &err), 0);
    assert_int_equal(config_read(&d, "again.json", &err), 0);
    assert_memory_equal(&c, &d, sizeof(c));
    one = config_text(&c);
    two = config_text(&d);
    assert_string_equal(one, two);
    assert_int_equal(config_read(&d, ".", &err), 0);    // a folder: its config.json
    free(one);
    free(two);
}

/* Ours alone, and not written where they say nothing. */
static void test_variants(void **state)
{
    struct config c, d;
    char *text;

    (void)state;
    reads(&c, "{\"model_type\": \"switch_transformers\", \"sparse_encoder_blocks\": [0],"
              "\"sparse_decoder_blocks\": []," SIZES "}");
    assert_true(c.router == ROUTE_TOP1 && c.n_choice == 4 && c.threshold == 0.2 && !c.router_bf16);
    assert_true(c.d_ff_mixed == 64 && !config_is_mixed(&c));
    text = config_text(&c);
    assert_null(strstr(text, "router_kind"));
    assert_null(strstr(text, "attention_expert"));
    free(text);
    reads(&c, "{\"model_type\": \"switch_transformers\", \"sparse_encoder_blocks\": [],"
              "\"sparse_decoder_blocks\": [], \"sparse_encoder_attention_blocks\": [2],"
              "\"attention_expert_d_ff\": 0, \"router_kind\": \"top2\", \"num_experts\": 3,"
              "\"router_second\": \"threshold\", \"router_threshold\": 0.3,"
              "\"router_dtype\": \"bfloat16\"," SIZES "}");
    assert_true(c.router == ROUTE_TOP2 && c.second == SECOND_THRESHOLD && c.threshold == 0.3);
    assert_true(c.mixed[0][2] && !c.mixed[1][2] && config_is_mixed(&c) && config_is_sparse(&c));
    assert_true(config_mixed_width(&c) == 32 && c.n_expert == 3 && c.router_bf16);
    assert_int_equal(config_write(&c, "again.json", &err), 0);
    assert_int_equal(config_read(&d, "again.json", &err), 0);
    assert_memory_equal(&c, &d, sizeof(c));
    refuses("{\"model_type\": \"switch_transformers\", \"router_kind\": \"top3\"," SIZES "}",
            "top3");
    refuses("{\"model_type\": \"switch_transformers\", \"router_kind\": \"top2\","
            "\"num_experts\": 1, \"sparse_encoder_blocks\": [1]," SIZES "}",
            "top2 with one expert");
    refuses(
        "{\"model_type\": \"switch_transformers\", \"sparse_encoder_attention_blocks\": 3," SIZES
        "}",
        "not a list");
}

TESTS("shape/config", cmocka_unit_test(test_variants), cmocka_unit_test(test_defaults),
      cmocka_unit_test(test_placement), cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_round_trip))
