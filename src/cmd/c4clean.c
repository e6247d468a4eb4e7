/* c4clean.c - crawled pages to clean documents, as C4 and mC4 were made. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/progress.h"
#include "base/share.h"
#include "claims/slices.h"
#include "clean/explain.h"
#include "clean/run.h"
#include "clean/task.h"
#include "io/ledger.h"
#include "io/out.h"
#include "langid/langid.h"
#include "lists/badwords.h"
#include "lists/lists.h"
#include "punkt/params.h"

static const char *profile, *compat = "3.1.0", *lang, *split_by, *out_dir, *tmpdir, *out_path,
                            *rejects, *stats, *preset, *marks, *pass_name, *winners, *task_name,
                            *punkt, *lang_from, *langid_model, *shards, *badwords, *domains, *urls,
                            *blocklist;
static int64_t validation = -1, mem = 1 << 30, n_thread = 1;
static unsigned n_shard;    // 0: as many as were published
static int strict, reference, origin, quiet, list_rules, explain;
static struct opt_list with, without, limits;
static char *model_path;    // of languages; NULL: none is used

enum { SHARDS_MAX = 99999 };

static const struct opt opts[] = {
    { 'p', "profile", "c4|mc4", OPT_CHOICE, &profile, 0, 0,
      "English line by line, or any language by paragraphs" },
    { 0, "compat", "3.1.0|3.0.1", OPT_CHOICE, &compat, 0, 0,
      "which TFDS to agree with (default 3.1.0)" },
    { 'l', "lang", "LANG", OPT_STR, &lang, 0, 0, "the language of every page" },
    { 0, "lang-from", "model|header", OPT_CHOICE, &lang_from, 0, 0,
      "tell languages by a model (default), or take what pages say" },
    { 0, "langid-model", "FILE", OPT_STR, &langid_model, 0, 0,
      "the model (default: that installed with the tools)" },
    { 0, "badwords", "DIR", OPT_STR, &badwords, 0, 0,
      "drop pages with a word of these lists, a file a language" },
    { 0, "domains", "FILE", OPT_STR, &domains, 0, 0, "keep the pages of these sites alone" },
    { 0, "urls", "FILE", OPT_STR, &urls, 0, 0, "keep these pages alone" },
    { 0, "blocklist", "DIR", OPT_STR, &blocklist, 0, 0, "drop pages by lists on their URL" },
    { 0, "with", "RULE", OPT_LIST, &with, 0, 0, "also this rule or group (again and again)" },
    { 0, "without", "RULE", OPT_LIST, &without, 0, 0, "not this rule or group (again and again)" },
    { 0, "rule", "RULE=N", OPT_LIST, &limits, 0, 0, "the number a rule goes by (again and again)" },
    { 0, "preset", "datatrove", OPT_CHOICE, &preset, 0, 0,
      "C4's rules with the numbers that datatrove gives them" },
    { 0, "terminal-marks", "c4|datatrove|all", OPT_CHOICE, &marks, 0, 0,
      "what may end a line (default c4: . ? ! \")" },
    { 0, "list-rules", NULL, OPT_FLAG, &list_rules, 0, 0, "print the rules as TSV and exit" },
    { 0, "punkt", "FILE", OPT_STR, &punkt, 0, 0,
      "count English sentences by this: a file, or a folder of NLTK's" },
    { 'o', "output", "FILE", OPT_STR, &out_path, 0, 0, "write here instead of standard output" },
    { 0, "split-by", "lang", OPT_CHOICE, &split_by, 0, 0, "files by language, in --out" },
    { 0, "out", "DIR", OPT_STR, &out_dir, 0, 0, "the folder of --split-by" },
    { 0, "shards", "N|c4", OPT_STR, &shards, 0, 0,
      "files a language, or as many as were published (default 1)" },
    { 0, "validation", "N", OPT_INT, &validation, 0, UINT_MAX,
      "hold out a page in N by its URL, 0 none (default 1000)" },
    { 0, "rejects", "FILE", OPT_STR, &rejects, 0, 0,
      "write what is dropped here, with \"reason\"" },
    { 0, "explain", NULL, OPT_FLAG, &explain, 0, 0,
      "write what was decided of pages and lines, as TSV, instead of documents" },
    { 0, "stats", "FILE", OPT_STR, &stats, 0, 0, "write counts here, as JSON" },
    { 'j', "threads", "N", OPT_INT, &n_thread, 1, 1024, "threads (default 1)" },
    { 0, "mem", "SIZE", OPT_SIZE, &mem, 1 << 20, 1e15,
      "memory to sort in before files are used (default 1G)" },
    { 0, "pass", "urls|merge-urls|lines|merge-lines|filter", OPT_CHOICE, &pass_name, 0, 0,
      "one pass of a run shared out over machines" },
    { 0, "task", "I/N", OPT_STR, &task_name, 0, 0, "with --pass: which of how many tasks" },
    { 0, "winners", "DIR", OPT_STR, &winners, 0, 0, "with --pass: what passes tell each other" },
    { 0, "tmpdir", "DIR", OPT_STR, &tmpdir, 0, 0,
      "for what waits between passes (default $TMPDIR)" },
    { 0, "origin", NULL, OPT_FLAG, &origin, 0, 0,
      "add where a page is from: file, and byte of its record" },
    { 0, "reference-parsing", NULL, OPT_FLAG, &reference, 0, 0,
      "read WET as the reference does, with its weaknesses" },
    { 0, "strict", NULL, OPT_FLAG, &strict, 0, 0, "stop at damage instead of skipping it" },
    { 'q', "quiet", NULL, OPT_FLAG, &quiet, 0, 0, "no progress, no notes" },
    { 0 },
};

static const struct tool tool = {
    "c4clean", "[FILE...]",
    "Clean crawled pages (WET, WARC or JSON Lines; plain, gzip or zstd) as C4 and mC4 were.", opts
};

struct job {
    struct clean_plan plan;
    int shared;    // a pass of a task
    enum clean_pass pass;
    struct clean_task task;
    int writes;    // documents, not what passes tell each other alone
};

static void print_rules(void)
{
    static const char *const level[] = {
        [RULE_READ] = "read", [RULE_SITE] = "site", [RULE_PAGE] = "page",
        [RULE_LINE] = "line", [RULE_REST] = "rest", [RULE_CLEANED] = "cleaned",
        [RULE_MASK] = "mask",
    };
    int i;

    puts("rule\tlevel\tgroup\tc4\tmc4\tnumber\tcounted_as\thelp");
    for (i = 0; i < n_rule; i++) {
        const struct rule *r = &rules[i];

        printf("%s\t%s\t%s\t%s\t%s\t", r->name, level[r->level], r->group,
               r->profiles & CLEAN_C4 ? "on" : "off", r->profiles & CLEAN_MC4 ? "on" : "off");
        if (r->limit)
            printf("%.10g", r->limit);
        printf("\t%s\t%s\n", r->count, r->help);
    }
    out_close_stdout();
}

static uint64_t rows_of(const char *name)
{
    uint64_t set = rule_find_set(name);

    if (!set)
        die_misuse("no rule or group '%s': see --list-rules", name);
    return set;
}

static void choose_limit(struct rule_choice *c, const char *item)
{
    size_t n = strcspn(item, "=");
    int row = n_rule - 1;
    char *end;
    double x;

    while (row >= 0 && (strlen(rules[row].name) != n || strncmp(rules[row].name, item, n) != 0))
        row--;
    if (!item[n] || row < 0 || !rules[row].limit)
        die_misuse("--rule %s: no RULE=N with a rule that has a number: see --list-rules", item);
    item += n + 1;
    x = strtod(item, &end);
    if (end == item || *end || !(x >= 0 && x <= 1e9))
        die_misuse("--rule %s: '%s' is no number from 0 to 1e9", rules[row].name, item);
    c->limit[row] = x;
}

/* The rules of a group that goes by the list of an option of its name. */
static void choose_lists(struct rule_choice *c, const char *group, int given)
{
    uint64_t rows = rows_of(group);

    if (given)
        c->set |= rows;
    else if (c->set & rows)
        die_misuse("rules of the group %s need --%s", group, group);
}

static void choose_rules(struct clean_plan *plan)
{
    int i;

    plan->rules = rule_choose(plan->profile);
    if (preset)
        rule_choose_datatrove(&plan->rules);
    if (marks)
        plan->rules.marks = !strcmp(marks, "all")         ? MARKS_ALL
                            : !strcmp(marks, "datatrove") ? MARKS_DATATROVE
                                                          : MARKS_C4;
    for (i = 0; i < limits.n; i++)
        choose_limit(&plan->rules, limits.item[i]);
    for (i = 0; i < with.n; i++)
        plan->rules.set |= rows_of(with.item[i]);
    choose_lists(&plan->rules, "domains", domains != NULL);
    choose_lists(&plan->rules, "urls", urls != NULL);
    choose_lists(&plan->rules, "blocklist", blocklist != NULL);
    for (i = 0; i < without.n; i++)
        plan->rules.set &= ~rows_of(without.item[i]);
}

static void choose_lang(struct clean_plan *plan)
{
    if (lang && langid_model)
        die_misuse("--lang says it all: no --langid-model with it");
    if (lang_from && !strcmp(lang_from, "header") && langid_model)
        die_misuse("--lang-from header uses no model");
    if (!lang)
        return;
    plan->lang = lang_find((struct bytes){ (const unsigned char *)lang, strlen(lang) });
    if (!plan->lang)
        die_misuse("no language '%s' here", lang);
    if (plan->profile == CLEAN_C4 && !lang_is(plan->lang, "en"))
        die_misuse("--profile c4 keeps English alone: --lang %s would drop every page", lang);
}

static void choose_shards(void)
{
    char *end;
    long n;

    if (!shards || !strcmp(shards, "c4")) {
        n_shard = shards ? 0 : 1;
        return;
    }
    n = strtol(shards, &end, 10);
    if (*end || end == shards || n < 1 || n > SHARDS_MAX)
        die_misuse("--shards: '%s' is neither c4 nor a number from 1 to %d", shards, SHARDS_MAX);
    n_shard = (unsigned)n;
}

static void check_options(struct clean_plan *plan)
{
    if (!profile)
        die_misuse("--profile is needed: c4 or mc4");
    if (!split_by != !out_dir)
        die_misuse("--split-by and --out go together");
    if (split_by && explain)
        die_misuse("--explain writes no documents: no --split-by with it");
    if (split_by && out_path)
        die_misuse("--split-by writes into --out: no -o with it");
    if (!split_by && (validation >= 0 || shards))
        die_misuse("--validation and --shards need --split-by");
    choose_shards();
    plan->profile = !strcmp(profile, "c4") ? CLEAN_C4 : CLEAN_MC4;
    plan->compat301 = !strcmp(compat, "3.0.1");
    plan->tmpdir = tmpdir;
    plan->mem = (uint64_t)mem;
    plan->n_thread = (int)n_thread;
    plan->explain = explain;
    plan->mode = (struct crawl_mode){ strict, reference, plan->compat301, origin };
    choose_rules(plan);
    choose_lang(plan);
}

/* --pass and what belongs to it. */
static void choose_pass(struct job *job, char **file)
{
    static const char *const name[] = { "urls", "merge-urls", "lines", "merge-lines", "filter" };
    long i, n;
    char *end;

    job->writes = !pass_name || !strcmp(pass_name, "filter");
    job->shared = pass_name != NULL;
    if (!pass_name != !winners || !pass_name != !task_name)
        die_misuse("--pass, --winners and --task go together");
    if (!pass_name)
        return;
    while (strcmp(name[job->pass], pass_name) != 0)
        job->pass++;
    i = strtol(task_name, &end, 10);
    n = *end == '/' ? strtol(end + 1, &end, 10) : 0;
    if (*end || i < 1 || n < i || n > SLICES_TASKS_MAX)
        die_misuse("--task: '%s' is not I/N, I from 1 to N, N up to %d", task_name,
                   SLICES_TASKS_MAX);
    job->task = (struct clean_task){ winners, (unsigned)i - 1, (unsigned)n };
    if (!job->writes && (out_path || split_by || rejects || stats || explain))
        die_misuse("--pass %s writes into --winners alone", pass_name);
    if (*file && (job->pass == PASS_MERGE_URLS || job->pass == PASS_MERGE_LINES))
        die_misuse("--pass %s takes no files", pass_name);
    if (!*file && job->pass != PASS_MERGE_URLS && job->pass != PASS_MERGE_LINES)
        die_misuse("--pass %s needs files: they are read three times", pass_name);
    for (; *file; file++)
        if (!strcmp(*file, "-"))
            die_misuse("--pass reads its files three times: not standard input");
}

static void tell(const struct clean_notes *n)
{
    if (n->damaged)
        warn("%llu damaged records skipped; the last: %s", (unsigned long long)n->damaged, n->said);
    if (quiet)
        return;
    if (n->no_language)
        warn("%llu pages dropped because nothing says their language: --lang en keeps such pages",
             (unsigned long long)n->no_language);
}

static struct sink *open_sink(struct err *err)
{
    struct bytes header = { (const unsigned char *)explain_header, strlen(explain_header) };
    struct sink *s;

    if (split_by)
        return sink_folder(&(struct sink_folder){ out_dir, !strcmp(profile, "c4"),
                                                  validation < 0 ? 1000 : (unsigned)validation,
                                                  n_shard },
                           err);
    s = sink_file(out_path ? out_path : "-", err);
    if (s && explain && sink_put(s, NULL, NULL, header, err) < 0) {
        sink_abandon(s);
        return NULL;
    }
    return s;
}

/* The whole run, or a pass, from files to their place: 0, or -1 and nothing is left behind. */
static int run(const struct job *job, char **file, struct err *err)
{
    const struct clean_plan *plan = &job->plan;
    struct sink *to = job->writes ? open_sink(err) : NULL;
    struct clean_notes notes = { 0 };
    int bad = job->writes && !to;

    if (!bad)
        bad = job->shared ? clean_pass(plan, job->pass, &job->task, file, to, &notes, err)
                          : clean_run(plan, file, to, &notes, err);
    progress_end(plan->progress);
    if (bad) {
        sink_abandon(to);
        return -1;
    }
    tell(&notes);
    return to ? sink_close(to, err) : 0;
}

static int run_with_rejects(struct job *job, char **file, struct err *err)
{
    int bad;

    if (rejects && !(job->plan.rejects = out_open(rejects, err)))
        return -1;
    bad = run(job, file, err);
    if (job->plan.rejects && bad)
        out_abandon(job->plan.rejects);
    else if (job->plan.rejects)
        bad = out_close(job->plan.rejects, err);
    return bad;
}

/* Find the model of languages, where one is needed. */
static void find_model(const struct job *job)
{
    if (!job->writes || lang || (lang_from && !strcmp(lang_from, "header")))
        return;
    model_path = langid_model ? xstrdup(langid_model) : share_find("langid.model");
    if (!model_path)
        die_misuse("no model of languages is installed: give --langid-model FILE, --lang LANG or "
                   "--lang-from header");
}

static int run_with_lists(struct job *job, char **file, struct err *err)
{
    struct keyset set = { 0 };
    struct sites *sites = NULL;
    struct blocklist *blocked = NULL;
    int bad = 0;

    if ((domains && !(sites = sites_load(domains, err))) ||
        (urls && urls_load(urls, &set, err) < 0) ||
        (blocklist && !(blocked = blocklist_load(blocklist, err))))
        bad = -1;
    job->plan.rules.lists = (struct rule_lists){ sites, urls ? &set : NULL, blocked };
    bad = bad || run_with_rejects(job, file, err) < 0;
    sites_free(sites);
    keyset_release(&set);
    blocklist_free(blocked);
    return bad ? -1 : 0;
}

/* Whether --stats can be written: better known before the work than after it. */
static int try_stats(struct err *err)
{
    struct stat st;
    struct out *o;

    if (!stats || (stat(stats, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
        return 0;    // a pipe is not opened twice
    o = out_open(stats, err);
    out_abandon(o);
    return o ? 0 : -1;
}

static int run_with_models(struct job *job, char **file, struct err *err)
{
    struct punkt_params *params = NULL;
    struct badwords *words = NULL;
    int bad = 0;

    if (try_stats(err) < 0 ||
        (badwords && !(words = badwords_load(badwords, job->plan.compat301, err))) ||
        ((punkt || rules_sentences(&job->plan.rules) > 0) && !(params = punkt_load(punkt, err))) ||
        (model_path && !(job->plan.langid = langid_load(model_path, err))))
        bad = -1;
    job->plan.punkt = params;
    if (params)
        ledger_set(job->plan.ledger, "punkt", punkt ? punkt : "share/punkt/en.punkt");
    job->plan.badwords = words;
    bad = bad || run_with_lists(job, file, err) < 0;
    badwords_free(words);
    punkt_params_free(params);
    langid_free(job->plan.langid);
    return bad ? -1 : 0;
}

int main(int argc, char **argv)
{
    char **file = argv + opt_parse(&tool, argc, argv), dash[] = "-",
         *standard_input[] = { dash, NULL };
    struct progress progress;
    struct job job = { .plan.progress = &progress };
    struct err err;

    if (list_rules) {
        print_rules();
        return 0;
    }
    check_options(&job.plan);
    choose_pass(&job, file);
    find_model(&job);
    if (!*file && !job.shared && isatty(STDIN_FILENO))
        die_misuse("no files, and standard input is a terminal");
    job.plan.ledger = ledger_new("c4clean");
    ledger_set(job.plan.ledger, "profile", profile);
    ledger_set(job.plan.ledger, "compat", compat);
    if (model_path)
        ledger_set(job.plan.ledger, "langid", model_path);
    progress_init(&progress, "pages", 0,
                  quiet || (!out_path && !split_by && isatty(STDOUT_FILENO)));
    if (run_with_models(&job, *file || job.shared ? file : standard_input, &err) < 0 ||
        ledger_write(job.plan.ledger, stats, &err) < 0)
        die("%s", err.msg);
    ledger_free(job.plan.ledger);
    free(model_path);
    return 0;
}
