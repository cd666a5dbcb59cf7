/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/rainflow: the vectors, and what holds for any series. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/random.h"
#include "models/rainflow.h"

#define VECTORS "../shared/vectors/rainflow/"

enum { SERIES_MAX = 1100, SEED = 20261121 };

struct cycles {
    struct rainflow_cycle at[2 * SERIES_MAX];
    int n;
};

static void feed(struct rainflow *r, double value, struct cycles *out)
{
    struct rainflow_sample s = {value, 1.0, 25.0, 0.5};
    assert_int_equal(rainflow_feed(r, &s), ERR_NONE);
    while (rainflow_take(r, &out->at[out->n])) {
        out->n++;
    }
}

static void close_up(const struct rainflow *r, struct cycles *out)
{
    out->n += rainflow_open(r, &out->at[out->n]);
}

static void count(const double *x, int n, int depth, struct cycles *out)
{
    struct rainflow r;
    rainflow_init(&r, 0.0, depth);
    out->n = 0;
    for (int i = 0; i < n; i++) {
        feed(&r, x[i], out);
    }
    close_up(&r, out);
}

static double total_range(const struct cycles *c)
{
    double sum = 0.0;
    for (int i = 0; i < c->n; i++) {
        sum += c->at[i].count * c->at[i].range;
    }
    return sum;
}

static double variation(const double *x, int n)
{
    double sum = 0.0;
    for (int i = 1; i < n; i++) {
        sum += fabs(x[i] - x[i - 1]);
    }
    return sum;
}

/* Rows of a vector file behind its header; -1 where the file is absent. */
static int read_rows(const char *name, const char *kind, double (*row)[5])
{
    char path[256];
    char line[256];
    snprintf(path, sizeof(path), VECTORS "%s.%s.csv", name, kind);
    FILE *f = fopen(path, "r");
    if (f == NULL) {
        return -1;
    }
    int n = -1;
    while (fgets(line, sizeof(line), f) != NULL) {
        if (n >= 0) {
            char *at = line;
            for (int k = 0; k < 5 && *at != '\0' && *at != '\n'; k++) {
                row[n][k] = strtod(at, &at);
                at += *at == ',';
            }
        }
        n++;
    }
    fclose(f);
    return n;
}

static int read_series(const char *name, double *x)
{
    static double rows[SERIES_MAX][5];
    int n = read_rows(name, "series", rows);
    for (int i = 0; i < n; i++) {
        x[i] = rows[i][1];
    }
    return n;
}

static void need_vectors(void)
{
    double x[SERIES_MAX];
    if (read_series("astm_fig6", x) < 0) {
        print_message("skip: no " VECTORS "\n");
        skip();
    }
}

static void vectors_hold_bit_for_bit(void **state)
{
    (void)state;
    static const char *const names[] = {"astm_fig6",
                                        "diverging",
                                        "empty",
                                        "equal_ranges",
                                        "flat",
                                        "flat_then_ramp",
                                        "iamlikeme_case2",
                                        "iamlikeme_case3",
                                        "lcg_white_1000",
                                        "one",
                                        "plateaus",
                                        "rfcnt_small_example",
                                        "ssc_jagged_dod",
                                        "three_monotone"};
    static double want[SERIES_MAX][5];
    static double x[SERIES_MAX];
    static struct cycles got;
    need_vectors();
    for (size_t k = 0; k < sizeof(names) / sizeof(names[0]); k++) {
        count(x, read_series(names[k], x), RAINFLOW_DEPTH, &got);
        int n = read_rows(names[k], "cycles", want);
        if (got.n != n) {
            fail_msg("%s: %d cycles, not %d", names[k], got.n, n);
        }
        for (int i = 0; i < n; i++) {
            const struct rainflow_cycle *c = &got.at[i];
            bool same = c->range == want[i][0] && c->mean == want[i][1] &&
                        c->count == want[i][2] &&
                        c->i_start == (int64_t)want[i][3] &&
                        c->i_end == (int64_t)want[i][4];
            if (!same) {
                fail_msg("%s: cycle %d differs", names[k], i);
            }
        }
    }
}

static void two_vectors_differ_as_their_readme_says(void **state)
{
    (void)state;
    static double want[SERIES_MAX][5];
    static double x[SERIES_MAX];
    static struct cycles got;
    need_vectors();
    count(x, read_series("two", x), RAINFLOW_DEPTH, &got);
    assert_int_equal(got.n, 1);
    assert_true(got.at[0].range == 1.0 && got.at[0].count == 0.5);
    count(x, read_series("diverge_converge", x), RAINFLOW_DEPTH, &got);
    double sum = 0.0;
    int n = read_rows("diverge_converge", "cycles", want);
    for (int i = 0; i < n; i++) {
        sum += want[i][0] * want[i][2];
    }
    assert_true(fabs(total_range(&got) - sum) < 1e-12);
}

static int random_series(uint64_t *random, double *x)
{
    int n = 2 + (int)random_draw(random, 0.0, 900.0);
    int kind = (int)random_draw(random, 0.0, 3.0);
    double level = 0.5;
    for (int i = 0; i < n; i++) {
        double u = random_draw(random, 0.0, 1.0);
        level = fmin(fmax(level + 0.1 * (u - 0.5), 0.0), 1.0);
        x[i] = kind == 0 ? u : kind == 1 ? level : floor(8.0 * u) / 8.0;
    }
    return n;
}

static void total_range_is_half_the_variation(void **state)
{
    (void)state;
    static double x[SERIES_MAX];
    static struct cycles got;
    uint64_t random = random_seed(SEED);
    print_message("seed %d\n", SEED);
    for (int k = 0; k < 300; k++) {
        int n = random_series(&random, x);
        count(x, n, k % 2 == 0 ? RAINFLOW_DEPTH : RAINFLOW_DEPTH_MIN, &got);
        double want = variation(x, n) / 2.0;
        assert_true(fabs(total_range(&got) - want) < 1e-11 * (1.0 + want));
    }
}

static void adversary_fills_no_stack(void **state)
{
    (void)state;
    static double x[SERIES_MAX];
    static struct cycles got;
    for (int i = 0; i < 1000; i++) {
        x[i] = (i % 2 == 0 ? 1.0 : -1.0) * (1000.0 - i);
    }
    count(x, 1000, RAINFLOW_DEPTH, &got);
    double want = variation(x, 1000) / 2.0;
    assert_true(fabs(total_range(&got) - want) < 1e-9 * want);
    double widest = 0.0;
    for (int i = 0; i < got.n; i++) {
        widest = fmax(widest, got.at[i].range);
    }
    assert_true(widest == 1999.0);
}

static void saved_and_restored_goes_on_the_same(void **state)
{
    (void)state;
    static double x[SERIES_MAX];
    static struct cycles whole;
    static struct cycles cut;
    uint64_t random = random_seed(SEED + 1);
    for (int k = 0; k < 100; k++) {
        int n = random_series(&random, x);
        count(x, n, RAINFLOW_DEPTH, &whole);
        struct rainflow r;
        struct rainflow_cycle peek[RAINFLOW_DEPTH];
        rainflow_init(&r, 0.0, RAINFLOW_DEPTH);
        cut.n = 0;
        for (int i = 0; i < n; i++) {
            feed(&r, x[i], &cut);
            if (random_draw(&random, 0.0, 1.0) < 0.1) {
                struct rainflow saved = r;
                rainflow_open(&r, peek);
                memset(&r, 0x5a, sizeof(r));
                r = saved;
            }
        }
        close_up(&r, &cut);
        assert_int_equal(cut.n, whole.n);
        assert_memory_equal(cut.at, whole.at,
                            (size_t)whole.n * sizeof(whole.at[0]));
    }
}

/* The other algorithm: a range closes where both its neighbours enclose it,
 * and what is left counts by halves. */
static void count_by_four_points(const double *x, int n, struct cycles *out)
{
    static double s[SERIES_MAX];
    int top = 0;
    out->n = 0;
    for (int i = 0; i < n; i++) {
        if (top >= 2 && (s[top - 1] - s[top - 2]) * (x[i] - s[top - 1]) > 0) {
            top--;
        } else if (top >= 1 && x[i] == s[top - 1]) {
            continue;
        }
        s[top++] = x[i];
        while (top >= 4) {
            double b = fabs(s[top - 2] - s[top - 3]);
            if (b > fabs(s[top - 1] - s[top - 2]) ||
                b > fabs(s[top - 3] - s[top - 4])) {
                break;
            }
            out->at[out->n++] =
                (struct rainflow_cycle){.range = b, .count = 1.0};
            s[top - 3] = s[top - 1];
            top -= 2;
        }
    }
    for (int i = 1; i < top; i++) {
        out->at[out->n++] = (struct rainflow_cycle){
            .range = fabs(s[i] - s[i - 1]), .count = 0.5};
    }
}

static double moment(const struct cycles *c, double power)
{
    double sum = 0.0;
    for (int i = 0; i < c->n; i++) {
        sum += c->at[i].count * pow(c->at[i].range, power);
    }
    return sum;
}

static void three_points_and_four_agree(void **state)
{
    (void)state;
    static double x[SERIES_MAX];
    static struct cycles three;
    static struct cycles four;
    uint64_t random = random_seed(SEED + 2);
    for (int k = 0; k < 300; k++) {
        int n = random_series(&random, x);
        count(x, n, RAINFLOW_DEPTH, &three);
        count_by_four_points(x, n, &four);
        for (double p = 1.0; p < 6.0; p += 1.0) {
            double want = moment(&four, p);
            assert_true(fabs(moment(&three, p) - want) < 1e-11 * (1.0 + want));
        }
    }
}

static void cycle_knows_its_temperature_rate_and_time(void **state)
{
    (void)state;
    /* 0 -> 1 in 10 s at 20 C, back at 40 C with a rest, up again. */
    static const struct rainflow_sample s[] = {
        {0.0, 0.0, 20.0, 0.0}, {1.0, 10.0, 20.0, 2.0}, {0.8, 0.0, 40.0, 0.0},
        {0.5, 5.0, 40.0, 1.0}, {0.5, 90.0, 40.0, 0.0}, {2.0, 4.0, 40.0, 3.0},
        {1.0, 1.0, 40.0, 3.0}};
    struct rainflow r;
    struct rainflow_cycle c;
    rainflow_init(&r, 0.0, RAINFLOW_DEPTH);
    int n = 0;
    for (size_t i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
        assert_int_equal(rainflow_feed(&r, &s[i]), ERR_NONE);
        while (rainflow_take(&r, &c)) {
            assert_true(c.temp_c == 40.0);
            assert_true(c.rate_per_h == 1.0);
            assert_true(c.duration_s == 95.0);
            n++;
        }
    }
    assert_int_equal(n, 1);
    struct rainflow_cycle open[RAINFLOW_DEPTH];
    assert_int_equal(rainflow_open(&r, open), 2);
    /* The closed cycle's time and travel belong to the one around it, too. */
    assert_true(open[0].duration_s == 109.0 && open[0].range == 2.0);
    assert_true(open[1].rate_per_h == 3.0 && open[1].duration_s == 1.0);
}

static void deadband_hides_noise(void **state)
{
    (void)state;
    struct rainflow r;
    struct rainflow_cycle c;
    rainflow_init(&r, 0.001, RAINFLOW_DEPTH);
    uint64_t random = random_seed(SEED + 3);
    for (int i = 0; i <= 2000; i++) {
        double ramp = i <= 1000 ? i / 1000.0 : (2000 - i) / 1000.0;
        double noise = random_draw(&random, -0.0004, 0.0004);
        struct rainflow_sample s = {ramp + noise, 1.0, 25.0, 0.0};
        assert_int_equal(rainflow_feed(&r, &s), ERR_NONE);
        assert_false(rainflow_take(&r, &c));
    }
    struct rainflow_cycle open[RAINFLOW_DEPTH];
    assert_int_equal(rainflow_open(&r, open), 2);
    assert_true(fabs(open[0].range - 1.0) < 0.001);
}

static void bad_samples_change_nothing(void **state)
{
    (void)state;
    static const struct rainflow_sample bad[] = {
        {NAN, 1.0, 25.0, 0.0},  {INFINITY, 1.0, 25.0, 0.0},
        {0.5, NAN, 25.0, 0.0},  {0.5, -1.0, 25.0, 0.0},
        {0.5, 1.0, NAN, 0.0},   {0.5, 1.0, 25.0, NAN},
        {0.5, 1.0, 25.0, -0.1}, {0.5, 1.0, 25.0, INFINITY}};
    struct rainflow r;
    static struct cycles none;
    rainflow_init(&r, 0.0, RAINFLOW_DEPTH);
    feed(&r, 0.2, &none);
    feed(&r, 0.7, &none);
    struct rainflow before = r;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(rainflow_feed(&r, &bad[i]), ERR_RANGE);
        assert_memory_equal(&r, &before, sizeof(r));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold_bit_for_bit),
        cmocka_unit_test(two_vectors_differ_as_their_readme_says),
        cmocka_unit_test(total_range_is_half_the_variation),
        cmocka_unit_test(adversary_fills_no_stack),
        cmocka_unit_test(saved_and_restored_goes_on_the_same),
        cmocka_unit_test(three_points_and_four_agree),
        cmocka_unit_test(cycle_knows_its_temperature_rate_and_time),
        cmocka_unit_test(deadband_hides_noise),
        cmocka_unit_test(bad_samples_change_nothing),
    };
    return cmocka_run_group_tests_name("models/rainflow", tests, NULL, NULL);
}
