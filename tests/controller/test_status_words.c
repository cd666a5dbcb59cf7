/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of what a status says to people: who was heard and not only
 * announced, alarms by weight and in groups, old prices as old, and never a
 * number that is none. */
#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/parts.h"
#include "controller/status.h"
#include "models/random.h"
#include "tests/controller/history_sample.h"
#include "tests/site_fixture.h"

enum { SAID_MAX = 16384 };

static const int64_t now_ms = 1000000;
static const int64_t utc_ms = INT64_C(1790000000000);

struct fixture {
    struct site *site;
    struct parts parts;
    struct watched w;
    struct kept_price kept[SITE_PRICES_MAX];
    char folder[64];
    char path[96];
    char said[SAID_MAX];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->site = fixture_site(2, 40, 5);
    f->site->n_prices = 1;
    f->site->prices[0].fallback_per_kwh = 0.045;
    strcpy(f->site->prices[0].market, "day_ahead");
    parts_init(&f->parts, f->site);
    f->w = (struct watched){
        .site = f->site,
        .mono_ms = now_ms,
        .utc_ms = utc_ms,
        .in = parts_snapshot(&f->parts),
        .out = parts_out(&f->parts),
        .kept = f->kept,
    };
    sample_folder(f->folder);
    snprintf(f->path, sizeof(f->path), "%s/said", f->folder);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    sample_folder_remove(f->folder);
    free(f->w.in);
    free(f->w.out);
    free(f->site);
    free(f);
    return 0;
}

/* What status_print() says of 'json', in f->said. */
static enum err words_of(struct fixture *f, const char *json)
{
    fflush(stdout);
    int keep = dup(STDOUT_FILENO);
    assert_non_null(freopen(f->path, "wb", stdout));
    enum err e = status_print(json);
    fflush(stdout);
    dup2(keep, STDOUT_FILENO);
    close(keep);
    size_t n = 0;
    unsigned char *bytes = sample_read(f->path, &n);
    n = n < SAID_MAX ? n : SAID_MAX - 1;
    memcpy(f->said, bytes, n);
    f->said[n] = '\0';
    free(bytes);
    return e;
}

static void say(struct fixture *f)
{
    char *json = status_json(&f->w);
    assert_int_equal(words_of(f, json), ERR_NONE);
    free(json);
}

static void assert_says(const struct fixture *f, const char *what)
{
    if (strstr(f->said, what) == NULL) {
        fail_msg("it does not say \"%s\" but:\n%s", what, f->said);
    }
}

static void pod_says(struct fixture *f, int i, int64_t ago_ms)
{
    f->w.in->pods[i].flags = POD_ONLINE; /* what the broker retained */
    f->w.in->pods[i].power_w = reading_good(1e6, now_ms - ago_ms);
}

static void test_silent_ones_are_not_online(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 40; i++) {
        pod_says(f, i, i < 3 ? 1000 : 60000);
    }
    f->w.in->pods[2].flags = 0; /* its last will */
    for (int i = 0; i < 4; i++) {
        struct node_in *n = &f->w.in->nodes[i];
        n->flags = NODE_ONLINE;
        n->agent_mono_ms = now_ms - (i == 0 ? 1000 : 61000);
        n->pack_mono_ms = now_ms - (i < 3 ? 1000 : 16 * 60000);
        n->compute_w = 150.0;
        n->charge_w = 7000.0;
    }
    say(f);
    assert_says(f, "pods       2 of 40 online (37 more announced, but silent)");
    assert_says(f, "lot: 1 of 5 online (3 more announced, but silent), 1 "
                   "computing with 150 W, 3 charging");
}

static void test_never_heard_is_unknown(void **state)
{
    struct fixture *f = *state;
    f->w.out->record.grid_w = NAN;
    f->w.out->record.ramp_w_per_s = INFINITY;
    f->w.loop.jitter_p99_s = NAN;
    say(f);
    assert_says(f, "battery    block1: unknown, set 0 W, unknown charge, ");
    assert_says(f, "grid       unknown of ");
    assert_says(f, "ramp       unknown of 10 MW/min");
    assert_says(f, "plan       NONE\n");
    assert_null(strstr(f->said, "nan"));
    assert_null(strstr(f->said, "inf"));
}

/* Whatever is missing or of another type, no number is printed that is none. */
static void test_no_key_is_needed(void **state)
{
    struct fixture *f = *state;
    uint64_t seed = random_seed(11);
    print_message("seed 11\n");
    char *json = status_json(&f->w);
    for (int i = 0; i < 200; i++) {
        cJSON *o = cJSON_Parse(json);
        int n = cJSON_GetArraySize(o);
        for (int k = 0; k < 4; k++) {
            cJSON *group =
                cJSON_GetArrayItem(o, (int)random_draw(&seed, 0.0, n));
            int m = cJSON_GetArraySize(group);
            if (m > 0) {
                cJSON_DeleteItemFromArray(
                    group, (int)random_draw(&seed, 0.0, (double)m));
            }
        }
        char *less = cJSON_PrintUnformatted(o);
        assert_int_equal(words_of(f, less), ERR_NONE);
        assert_null(strstr(f->said, "nan"));
        free(less);
        cJSON_Delete(o);
    }
    free(json);
    assert_int_equal(words_of(f, "{\"grid\":{}}"), ERR_NONE);
    assert_null(strstr(f->said, "nan"));
}

static void test_lines_stand_in_one_column(void **state)
{
    struct fixture *f = *state;
    f->w.n_alarms = 1;
    f->w.alarms[0] = (struct alarm_group){.id = ALARM_OFFLINE, .n = 1};
    say(f);
    int n = 0;
    for (char *line = strtok(f->said, "\n"); line != NULL;
         line = strtok(NULL, "\n")) {
        if (strlen(line) < 12 || line[10] != ' ' || line[11] == ' ') {
            fail_msg("its words do not begin in column 11: %s", line);
        }
        n++;
    }
    assert_true(n > 10);
}

static void test_a_kept_price_is_not_the_feeds(void **state)
{
    struct fixture *f = *state;
    struct price_in *p = &f->w.in->prices[0];
    say(f);
    assert_says(f, "45 USD/MWh (fallback of the site file");
    *p = (struct price_in){
        .value_per_kwh = 0.038,
        .mono_ms = now_ms - 20000,
        .expires_at_ms = INT64_MAX,
    };
    f->kept[0] = (struct kept_price){*p, utc_ms - 3 * 3600000};
    say(f);
    assert_says(f, "38 USD/MWh (kept from the last run, heard 3 h ago)");
    f->kept[0].heard_at_ms = 0;
    say(f);
    assert_says(f, "38 USD/MWh (kept from the last run)");
    p->mono_ms = now_ms - 4000; /* the feed has said it meanwhile */
    say(f);
    assert_says(f, "38 USD/MWh (feed, heard 4 s ago)");
}

static void test_alarms_come_by_weight_in_groups(void **state)
{
    struct fixture *f = *state;
    struct alarms *a = NULL;
    assert_int_equal(alarms_open(f->site, &a), ERR_NONE);
    for (int i = 3; i < 40; i++) {
        alarms_tell(a, ALARM_POD_SILENT, i, 1.0, 1000);
        alarms_tell(a, ALARM_POD_SILENT, i, 1.0, 6000 + i);
    }
    alarms_tell(a, ALARM_FALLBACK, 1, 1.0, 100);
    alarms_tell(a, ALARM_LOOP_SILENT, 0, 1.0, 200);
    alarms_tell(a, ALARM_CLOCK_JUMP, 0, 1.0, 300);
    f->w.n_alarms = alarms_active(a, f->w.alarms);
    alarms_close(a);
    assert_int_equal(f->w.n_alarms, 4);
    say(f);
    static const char *const order[] = {
        "alarm      critical: the control thread",
        "alarm      critical: block2 moves",
        "alarm      warning: 37 pods are silent (pod4, pod5, pod6 and 34 more)",
        "alarm      warning: the wall clock",
    };
    const char *at = f->said;
    for (size_t i = 0; i < 4; i++) {
        const char *found = strstr(at, order[i]);
        if (found == NULL) {
            fail_msg("not in its place: \"%s\" in\n%s", order[i], f->said);
        }
        at = found + 1;
    }
    char *json = status_json(&f->w);
    cJSON *o = cJSON_Parse(json);
    const cJSON *n = cJSON_GetObjectItemCaseSensitive(o, "n_alarms");
    assert_int_equal(n->valueint, 40);
    const cJSON *pods =
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(o, "alarms"), 2);
    assert_int_equal(cJSON_GetObjectItemCaseSensitive(pods, "n")->valueint, 37);
    assert_int_equal(
        cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(pods, "assets")),
        ALARM_NAMED_MAX);
    cJSON_Delete(o);
    free(json);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_silent_ones_are_not_online),
        CASE(test_never_heard_is_unknown),
        CASE(test_no_key_is_needed),
        CASE(test_lines_stand_in_one_column),
        CASE(test_a_kept_price_is_not_the_feeds),
        CASE(test_alarms_come_by_weight_in_groups),
    };
    return cmocka_run_group_tests_name("status_words", tests, NULL, NULL);
}
