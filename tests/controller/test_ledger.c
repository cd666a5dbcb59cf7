/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of the cars' ledgers on their way from the control thread to status:
 * nothing is lost, nothing is booked twice. */
#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "controller/status_fleet.h"
#include "tests/controller/ledger_fixture.h"
#include "tests/site_fixture.h"

static void sums_are_those_of_the_cars(void **state)
{
    struct world *w = *state;
    print_message("seed 7\n");
    int64_t mono_ms = 1000;
    for (int k = 0; k < 30; k++) {
        live(w, draw(w, 0.0, 0.5));
        go_round(w, &mono_ms, k % 3 == 0 ? 0.02 : 0.5);
        /* what came while the ring was full needs a turn more */
        go_round(w, &mono_ms, 1.0);
        for (int f = 0; f < 2; f++) {
            struct ledger_fleet x;
            struct guard_ledger want = true_sum(w, f);
            ledger_book_fleet(w->book, f, &x);
            assert_same(&x.sum, &want);
            int64_t n = 0;
            for (int i = 0; i < REASON_COUNT; i++) {
                assert_true(x.n_by_reason[i] >= 0);
                n += x.n_by_reason[i];
            }
            assert_int_equal(n, w->site->fleets[f].nodes);
        }
    }
}

static void the_largest_are_listed(void **state)
{
    struct world *w = *state;
    int64_t mono_ms = 10000;
    live(w, 0.9);
    go_round(w, &mono_ms, 1.0);
    go_round(w, &mono_ms, 1.0);
    for (int f = 0; f < 2; f++) {
        struct ledger_fleet x;
        ledger_book_fleet(w->book, f, &x);
        struct ledger_car all[LOT];
        int n = w->site->fleets[f].nodes;
        ledger_book_cars(w->book, f, 0, n, all);
        assert_int_equal(x.n_most_owed, LEDGER_TOP);
        assert_int_equal(x.n_most_held, LEDGER_TOP);
        int n_more_owed = 0;
        int n_more_held = 0;
        double loss_ppm = 0.0;
        for (int i = 0; i < n; i++) {
            const struct ledger_car *least = &x.most_owed[LEDGER_TOP - 1];
            n_more_owed += all[i].ledger.owed_cur > least->ledger.owed_cur;
            n_more_held += all[i].held_s > x.most_held[LEDGER_TOP - 1].held_s;
            loss_ppm = fmax(loss_ppm, all[i].ledger.loss_ppm);
            bool is_held = all[i].reason == REASON_NODE_DEPARTURE ||
                           all[i].reason == REASON_NODE_HOT;
            assert_true(is_held || all[i].held_s == 0.0);
        }
        assert_true(n_more_owed < LEDGER_TOP && n_more_held < LEDGER_TOP);
        assert_true(x.loss_ppm_max == loss_ppm);
        double held_s =
            x.refused_s[REASON_NODE_DEPARTURE] + x.refused_s[REASON_NODE_HOT];
        assert_true(held_s > 0.0 && x.refused_s[REASON_NODE_OK] == 0.0);
    }
}

static int n_cars(struct status_cars *s, const char *request)
{
    char *json = status_cars_answer(s, request);
    if (json == NULL) {
        return -1;
    }
    cJSON *o = cJSON_ParseWithOpts(json, NULL, 1);
    free(json);
    assert_true(cJSON_IsObject(o));
    const cJSON *cars = cJSON_GetObjectItemCaseSensitive(o, "cars");
    int n = cars != NULL ? cJSON_GetArraySize(cars) : -2;
    cJSON_Delete(o);
    return n;
}

static void cars_are_told_page_by_page(void **state)
{
    struct world *w = *state;
    struct status_cars s = {.site = w->site, .book = w->book};
    static const struct {
        const char *request;
        int n; /* cars; -1 no request, -2 an error */
    } rows[] = {
        {"fleet lot 1 1000", LOT},
        {"fleet lot 1 10", 10},
        {"fleet lot 695 1000", 6},
        {"fleet lot 700 1", 1},
        {"fleet lot 701 1", 0},
        {"fleet lot 999999999 1000", 0},
        {"fleet street 1 1000", STREET},
        {"fleet lo 1 10", -2},
        {"fleet ../../etc 1 10", -1},
        {"fleet lot 0 10", -1},
        {"fleet lot -1 10", -1},
        {"fleet lot 1 0", -1},
        {"fleet lot 1 1001", -1},
        {"fleet lot 1 10 ", -1},
        {"fleet lot 1 10x", -1},
        {"fleet lot 1", -1},
        {"fleet lot", -1},
        {"fleet", -1},
        {"fleet lot 99999999999999999999 1", -1},
        {"status", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (n_cars(&s, rows[i].request) != rows[i].n) {
            fail_msg("%s: %d", rows[i].request, n_cars(&s, rows[i].request));
        }
    }
    live(w, 1.0);
    ledger_book_finish(w->book, w->state, 5000);
    char *json = status_cars_answer(&s, "fleet street 3 1");
    cJSON *o = cJSON_Parse(json);
    free(json);
    const cJSON *car =
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(o, "cars"), 0);
    assert_string_equal(
        cJSON_GetObjectItemCaseSensitive(car, "car")->valuestring,
        "street-0003");
    assert_true(
        cJSON_GetObjectItemCaseSensitive(car, "owed_cur")->valuedouble ==
        w->state->nodes[LOT + 2].guard.ledger.owed_cur);
    cJSON_Delete(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sums_are_those_of_the_cars, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_largest_are_listed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(cars_are_told_page_by_page, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
