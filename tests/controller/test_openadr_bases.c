/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/openadr_bases: what a shed is counted from is fixed when
 * the event begins, and a restart in mid-event does not move it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "controller/openadr_bases.h"
#include "tests/controller/history_sample.h"

static const int64_t now_ms = INT64_C(1795219200000);
static const int64_t minute_ms = 60000;

struct fixture {
    struct site *site;
    char folder[64];
    char db[96];
    struct openadr_bases *bases;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->site = sample_site();
    f->bases = calloc(1, sizeof(*f->bases));
    sample_folder(f->folder);
    snprintf(f->db, sizeof(f->db), "%s/h.db", f->folder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sample_folder_remove(f->folder);
    free(f->bases);
    free(f->site);
    free(f);
    return 0;
}

static struct historian *open_history(const struct fixture *f)
{
    struct step_cfg *step = malloc(step_cfg_size());
    assert_int_equal(step_cfg_init(step, f->site, POLICY_BALLAST), ERR_NONE);
    struct step_state *state = malloc(step_state_size(step));
    step_state_init(step, state);
    const struct historian_cfg cfg = {
        .site = f->site,
        .site_text = "site: {name: sample}\n",
        .site_path = "sample.yaml",
        .db_path = f->db,
        .state = state,
        .state_size = step_state_size(step),
        .utc_ms = now_ms,
    };
    char why[300] = "";
    struct historian *h = NULL;
    if (historian_open(&cfg, &h, why, sizeof(why)) != ERR_NONE) {
        fail_msg("%s", why);
    }
    free(state);
    free(step);
    return h;
}

/* An event of one hour. */
struct hour {
    struct dr_event event;
    struct dr_period period;
};

static void make_hour(struct hour *h, const char *id, int64_t start_ms)
{
    memset(h, 0, sizeof(*h));
    snprintf(h->event.id, sizeof(h->event.id), "%s", id);
    h->period = (struct dr_period){.start_ms = start_ms,
                                   .timed = true,
                                   .duration = {.ms = 60 * minute_ms}};
    h->event.timing = (struct dr_timing){
        .whole = {.start_ms = DR_NO_START}, .n = 1, .intervals = &h->period};
}

static void draw(struct openadr_bases *b, double grid_w, int n)
{
    for (int i = 0; i < n; i++) {
        openadr_bases_sample(b, grid_w);
    }
}

static void a_base_is_fixed_when_it_begins(void **state)
{
    struct fixture *f = *state;
    struct openadr_bases *b = f->bases;
    struct hour h;
    make_hour(&h, "e1", now_ms + minute_ms);
    struct openadr_events events = {.version = 1, .n = 1, .list = {&h.event}};
    double w = 0.0;
    openadr_bases_init(b, NULL);
    openadr_bases_make(b, &events, now_ms, &w);
    assert_true(isnan(w)); /* too few samples */
    openadr_bases_sample(b, NAN);
    draw(b, 10e6, OPENADR_BASE_LEAST);
    openadr_bases_make(b, &events, now_ms, &w);
    assert_true(fabs(w - 10e6) < 1.0);
    draw(b, 12e6, OPENADR_BASE_LEAST);
    openadr_bases_make(b, &events, now_ms + minute_ms, &w);
    assert_true(fabs(w - 11e6) < 1.0);
    draw(b, 5e6, OPENADR_BASE_SAMPLES);
    openadr_bases_make(b, &events, now_ms + 2 * minute_ms, &w);
    assert_true(fabs(w - 11e6) < 1.0);
    events.n = 0; /* gone, and met again as another */
    openadr_bases_make(b, &events, now_ms + 3 * minute_ms, &w);
    events.n = 1;
    openadr_bases_make(b, &events, now_ms + 3 * minute_ms, &w);
    assert_true(fabs(w - 5e6) < 1.0);
}

/* The run that counts a shed from 10 MW, and fixes it. */
static void first_run(struct fixture *f, struct openadr_events *events)
{
    double w[2] = {0};
    struct historian *h = open_history(f);
    openadr_bases_init(f->bases, h);
    draw(f->bases, 10e6, 60);
    openadr_bases_make(f->bases, events, now_ms, w);
    historian_close(h);
}

static void a_restart_in_mid_event_does_not_move_it(void **state)
{
    struct fixture *f = *state;
    struct hour one;
    struct hour two;
    make_hour(&one, "begun", now_ms - minute_ms);
    make_hour(&two, "coming", now_ms + 30 * minute_ms);
    struct openadr_events events = {
        .version = 1, .n = 2, .list = {&one.event, &two.event}};
    double w[2] = {0};
    first_run(f, &events);
    struct historian *h = open_history(f);
    openadr_bases_init(f->bases, h);
    draw(f->bases, 7e6, 60);
    /* nothing is listed yet: nothing is forgotten */
    const struct openadr_events none = {.version = 0};
    openadr_bases_make(f->bases, &none, now_ms, w);
    openadr_bases_make(f->bases, &events, now_ms, w);
    assert_true(fabs(w[0] - 10e6) < 1.0);
    assert_true(fabs(w[1] - 7e6) < 1.0);
    /* cancelled: forgotten for the next run as well */
    const struct openadr_events empty = {.version = 2};
    openadr_bases_make(f->bases, &empty, now_ms, w);
    historian_close(h);
    h = open_history(f);
    openadr_bases_init(f->bases, h);
    assert_int_equal(f->bases->n, 0);
    historian_close(h);
}

static void what_is_kept_is_not_believed(void **state)
{
    struct fixture *f = *state;
    struct hour one;
    make_hour(&one, "begun", now_ms - minute_ms);
    struct openadr_events events = {.version = 1, .n = 1, .list = {&one.event}};
    first_run(f, &events);
    struct historian *h = open_history(f);
    size_t size = historian_kept(h, "openadr/bases", NULL, 0);
    unsigned char *blob = malloc(size);
    uint64_t seed = 7;
    print_message("seed %d\n", 7);
    assert_true(size > 0);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(historian_kept(h, "openadr/bases", blob, size), size);
        unsigned char *copy = malloc(size);
        memcpy(copy, blob, size);
        for (int k = 0; k < 8; k++) {
            copy[sample_random(&seed) % 200] =
                (unsigned char)sample_random(&seed);
        }
        historian_keep(h, "openadr/bases", copy, i % 2 == 0 ? size : size / 2);
        openadr_bases_init(f->bases, h);
        assert_true(f->bases->n >= 0 && f->bases->n <= OPENADR_EVENTS_MAX);
        for (int k = 0; k < f->bases->n; k++) {
            assert_true(isfinite(f->bases->bases[k].w));
        }
        historian_keep(h, "openadr/bases", blob, size);
        free(copy);
    }
    free(blob);
    historian_close(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_base_is_fixed_when_it_begins, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_restart_in_mid_event_does_not_move_it,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_kept_is_not_believed, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("openadr_bases", tests, NULL, NULL);
}
