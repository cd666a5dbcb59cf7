/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/explain_sentence: one sentence for everything that can
 * bind, with its numbers; nothing unknown is said. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/explain_sentence.h"
#include "models/random.h"
#include "models/reason.h"
#include "tests/controller/history_sample.h"

/* As the historian keeps them. */
static void keep(const struct site *site, const struct reason_line *why, int n,
                 struct history_decision *d)
{
    *d = (struct history_decision){.n_lines = n};
    for (int i = 0; i < n; i++) {
        struct history_line *l = &d->lines[i];
        snprintf(l->code, sizeof(l->code), "%s",
                 reason_word((enum reason)why[i].code));
        l->value = why[i].value;
        l->limit = why[i].limit;
        l->need = why[i].need;
        reason_text(site, &why[i], l->text, sizeof(l->text));
    }
}

static void fill(struct second_row *row, double battery_w, double shed_w)
{
    second_row_init(row, 1790000000000, 0);
    for (int i = 0; i < SECOND_COLUMNS; i++) {
        row->values[i] = NAN;
    }
    row->values[SECOND_grid_mean_w] = 6e6;
    row->values[SECOND_grid_limit_w] = 16e6;
    row->values[SECOND_ramp_max_w_per_s] = 1.5e6 / 60.0;
    row->values[SECOND_load_w] = 13e6;
    row->values[SECOND_battery_w] = battery_w;
    row->values[SECOND_soc_pu] = 0.524;
    row->values[SECOND_shed_w] = shed_w;
}

static const struct {
    struct reason_line why[2];
    int n;
    double battery_w;
    double shed_w;
    const char *begins;
    const char *ends;
} sentences[] = {
    {{{.code = REASON_RAMP, .value = 13e6, .limit = 2e6 / 60.0}},
     1,
     -7e6,
     0.0,
     "the ramp limit of 2 MW/min bound (1.5 MW/min was reached): the load "
     "was 13.00 MW, the grid took 6.00 MW of at most 16.00 MW, ",
     "the batteries gave 7.00 MW at 52.4 % charge"},
    {{{.code = REASON_IMPORT, .value = 13e6, .limit = 16e6}},
     1,
     -7e6,
     0.0,
     "the import limit of 16.00 MW bound: ",
     "at 52.4 % charge"},
    {{{.code = REASON_EXPORT, .value = 13e6, .limit = 1e6}},
     1,
     2e6,
     0.0,
     "the export limit of 1.00 MW bound: ",
     "the batteries took 2.00 MW at 52.4 % charge"},
    {{{.code = REASON_EVENT, .value = 13e6, .limit = 9e6}},
     1,
     -7e6,
     0.0,
     "the utility's import limit of 9.00 MW bound: ",
     "charge"},
    {{{.code = REASON_EMERGENCY, .value = 13e6, .limit = 5e6}},
     1,
     -7e6,
     0.0,
     "an emergency instruction to import at most 5.00 MW bound: ",
     "charge"},
    {{{.code = REASON_SHED, .value = 1e6, .limit = 6e6, .need = 2e6},
      {.code = REASON_IMPORT, .value = 13e6, .limit = 16e6}},
     2,
     -7e6,
     1e6,
     "the import limit of 16.00 MW bound: ",
     "compute was held back by 1.00 MW; compute held back by 1.00 MW: the "
     "batteries alone cannot keep the grid at 6.00 MW, they lack 2.00 MW"},
    {{{.code = REASON_FAULT, .asset = ASSET_BATTERY, .index = 1},
      {.code = REASON_RAMP, .value = 13e6, .limit = 2e6 / 60.0}},
     2,
     -7e6,
     0.0,
     "the ramp limit of 2 MW/min bound",
     "; bess2 reports a fault and is not used"},
    {{{.code = REASON_CHARGE_CHEAP, .value = 2e6, .limit = 0.04}},
     1,
     2e6,
     0.0,
     "charging 2.00 MW while power costs 40 ",
     "the batteries took 2.00 MW at 52.4 % charge"},
    {{{.code = REASON_DISCHARGE_DEAR, .value = 2e6, .limit = 0.4}},
     1,
     -2e6,
     0.0,
     "discharging 2.00 MW while power costs 400 ",
     "the batteries gave 2.00 MW at 52.4 % charge"},
    {{{.code = REASON_RECENTRE, .value = 0.524, .limit = 0.6}},
     1,
     1e6,
     0.0,
     "state of charge is brought back: 52.4 % to 60",
     "the batteries took 1.00 MW at 52.4 % charge"},
    {{{.code = REASON_SMOOTH, .value = 6e6}},
     1,
     -7e6,
     0.0,
     "no limit bound, the batteries smoothed the load: ",
     "charge"},
    {{{.code = REASON_HOLD, .value = 6e6}},
     1,
     10.0,
     0.0,
     "no limit bound, the load was steady: ",
     "the batteries rested at 52.4 % charge"},
    {{{.code = REASON_LISTEN}},
     1,
     0.0,
     0.0,
     "listening to the devices before acting: ",
     "charge"},
};

static void test_a_sentence_for_all_that_binds(void **state)
{
    (void)state;
    struct site *site = sample_site();
    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
        struct history_decision d;
        struct second_row row;
        char out[EXPLAIN_SENTENCE_MAX];
        keep(site, sentences[i].why, sentences[i].n, &d);
        fill(&row, sentences[i].battery_w, sentences[i].shed_w);
        explain_sentence(&d, &row, out);
        size_t n = strlen(out);
        size_t end = strlen(sentences[i].ends);
        bool right = strncmp(out, sentences[i].begins,
                             strlen(sentences[i].begins)) == 0 &&
                     n >= end && strcmp(out + n - end, sentences[i].ends) == 0;
        if (!right) {
            print_message("%s\n", out);
        }
        assert_true(right);
        assert_null(strchr(out, '\n'));
    }
    free(site);
}

/* Any reasons, any numbers, most of them unknown: one line, no "nan". */
static void test_what_is_unknown_is_not_said(void **state)
{
    (void)state;
    struct site *site = sample_site();
    uint64_t random = random_seed(11);
    for (int i = 0; i < 2000; i++) {
        struct reason_line why[REASON_LINES];
        int n = (int)random_draw(&random, 0.0, REASON_LINES + 0.9);
        for (int k = 0; k < n; k++) {
            bool known = random_draw(&random, 0.0, 1.0) < 0.5;
            double x = known ? random_draw(&random, -1e9, 1e9) : (double)NAN;
            why[k] = (struct reason_line){
                .code = (int64_t)random_draw(&random, 0.0, REASON_COUNT),
                .value = x,
                .limit = x,
                .need = x,
            };
        }
        struct history_decision d;
        struct second_row row;
        char out[EXPLAIN_SENTENCE_MAX];
        keep(site, why, n, &d);
        fill(&row, NAN, NAN);
        row.values[SECOND_load_w] = i % 2 == 0 ? (double)NAN : 1e6;
        explain_sentence(&d, i % 3 == 0 ? NULL : &row, out);
        assert_true((out[0] == '\0') == (n == 0));
        assert_null(strstr(out, "nan"));
        assert_null(strchr(out, '\n'));
        assert_true(strlen(out) < EXPLAIN_SENTENCE_MAX);
    }
    free(site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sentence_for_all_that_binds),
        cmocka_unit_test(test_what_is_unknown_is_not_said),
    };
    return cmocka_run_group_tests_name("explain_sentence", tests, NULL, NULL);
}
