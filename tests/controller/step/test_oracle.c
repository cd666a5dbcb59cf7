/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole step against random loads, faults and limits that change, judged by
 * an oracle with physics of its own: what it calls a violation any controller
 * could have avoided.  20,000 s of it; ORACLE_SECONDS=100000 plays more.
 *
 *   ramp     the plain mean over 10 s, in every window to 60 s, 1 % more than
 *            the limit; not for 90 s after an emergency brought it down, not
 *            where what leaked before any battery could answer is more than the
 *            mean forgives (R T^2), or the batteries that are left cannot carry
 *            the load from where the mean lets the grid be
 *   import   the mean over 60 s, or since a limit came; the grid may take the
 *            time that it needs to get there from where it stood when it was
 *            told: 20 s, then four fifths of what an edge leaves of the ramp
 *   command  not finite, beyond a rating, out of a full or an empty battery,
 *            without expiry, a cap outside of its pod's range
 */
#include "tests/controller/step/oracle_fixture.h"

enum { SECONDS = 20000 };

static const double TOLERANCE = 1.01;
static const double IMPORT_TOLERANCE = 1.005;
static const double JUMP_W = 1e6; /* of the limit, in one tick */
static const double FORGIVEN_WS = 10e6 / 60.0 * 100.0; /* R T^2 */

static int64_t forced; /* ticks over the ramp that nobody could avoid */
static int64_t broken; /* ticks over a limit that somebody could */

/* What an edge leaks that no order could answer, nor its leak be counted,
 * because the voltage was away when it was seen. */
static double frozen_w(const struct seen *s, int i)
{
    bool froze = s->fault[i] == FAULT_DIP && i % 100 == 0 && i > 1;
    double edge_w = froze ? fabs(s->load_w[i - 1] - s->load_w[i - 2]) : 0.0;
    return edge_w * 0.2 / 10.0;
}

/* The edge of a tick whose first answer is lost: every other one is. */
static double lost_edge_w(const struct seen *s, int i)
{
    bool lost = i > 0 && i % 2 == 0 && s->fault[i] == FAULT_LATE;
    return lost ? s->load_w[i] - s->load_w[i - 1] : 0.0;
}

/* What one order that is lost, or a tick late, leaks of the edges in the mean
 * at k, or all that were lost: nobody could know. */
static double unknown_w(const struct seen *s, int k)
{
    double lo_w = s->load_w[k];
    double hi_w = lo_w;
    double more_w = 0.0;
    double lost_w = 0.0;
    bool late = false;
    for (int i = k; i >= 0 && i > k - AVERAGE; i--) {
        more_w += frozen_w(s, i);
        lost_w += lost_edge_w(s, i);
        late |= s->fault[i] == FAULT_LATE;
        lo_w = fmin(lo_w, s->load_w[i]);
        hi_w = fmax(hi_w, s->load_w[i]);
    }
    double leaks_w = fmax(hi_w - lo_w, fabs(lost_w)) * 0.1 / 10.0;
    return more_w + (late ? leaks_w : 0.0);
}

/* Ramp broken at k, by more than the tolerance; the window's length. */
static int broken_at(const struct seen *s, int k)
{
    double more_w = -1.0;
    for (int tau = AVERAGE; tau <= WINDOW; tau++) {
        double then_w = s->mean_w[k >= tau ? k - tau : 0];
        double over_w =
            fabs(s->mean_w[k] - then_w) - TOLERANCE * RAMP * tau * 0.1;
        if (over_w > 0.0 && more_w < 0.0) {
            more_w = unknown_w(s, k) + unknown_w(s, k >= tau ? k - tau : 0);
        }
        if (over_w > 0.0 && over_w > more_w) {
            return tau;
        }
    }
    return 0;
}

/* Nobody could have kept it: called for, leaked, or beyond their power. */
static bool nobody_could(const struct seen *s, int k)
{
    bool called = false;
    for (int i = k > 900 ? k - 900 : 0; i <= k; i++) {
        called |= s->called[i];
    }
    if (called) {
        return true;
    }
    for (int i = k > WINDOW + AVERAGE ? k - WINDOW - AVERAGE : 0; i <= k; i++) {
        double lost_w = 0.0;
        double lo_w = s->load_w[i];
        double hi_w = s->load_w[i];
        double late_s = 0.0;
        for (int j = i; j >= 0 && j > i - AVERAGE; j--) {
            lost_w += s->lost_w[j];
            lo_w = fmin(lo_w, s->load_w[j]);
            hi_w = fmax(hi_w, s->load_w[j]);
            late_s = fmax(late_s, s->late_s[j]);
        }
        bool leaks = (hi_w - lo_w + lost_w) * late_s > FORGIVEN_WS;
        double away_w = fabs(s->load_w[i] - s->mean_w[i]) - RAMP * 10.0;
        if (leaks || away_w > s->power_w[i]) {
            return true;
        }
    }
    return false;
}

/* The mean over a minute up to k, of a limit only since it came. */
static void judge_import(const struct seen *s, int round, int since, int k)
{
    int from = since > k - WINDOW ? since : k - WINDOW + 1;
    int n = k - from + 1;
    if (n < AVERAGE) {
        return;
    }
    double imported_w = 0.0;
    double allowed_w = 0.0;
    double late_s = 0.0;
    for (int i = from; i <= k; i++) {
        late_s = fmax(late_s, s->late_s[i]);
        imported_w += s->grid_w[i] / n;
        allowed_w += s->limit_w[i] / n;
    }
    double leaks_w = (HIGH_W - LOW_W) * late_s / (n * 0.1);
    if (imported_w > IMPORT_TOLERANCE * allowed_w + leaks_w) {
        broken++;
        print_message("seed %d: %.2f MW imported of %.2f at %.1f s, %s\n",
                      round, imported_w / 1e6, allowed_w / 1e6, 0.1 * k,
                      fault_names[s->fault[k]]);
    }
}

static void judge(struct seen *s, int round)
{
    double sum_w = s->grid_w[0] * AVERAGE;
    int since = 0;
    for (int k = 0; k < TICKS; k++) {
        sum_w += s->grid_w[k] - s->grid_w[k >= AVERAGE ? k - AVERAGE : 0];
        s->mean_w[k] = sum_w / AVERAGE;
        bool begins = k > 0 && s->limit_w[k] < s->limit_w[k - 1] - JUMP_W;
        since = begins ? k : since;
        judge_import(s, round, since, k);
        int tau = broken_at(s, k);
        if (tau > 0 && !nobody_could(s, k)) {
            broken++;
            print_message(
                "seed %d: the ramp of %.1f s to %.1f s, %.2f of it, %s\n",
                round, 0.1 * tau, 0.1 * k,
                fabs(s->mean_w[k] - s->mean_w[k >= tau ? k - tau : 0]) /
                    (RAMP * tau * 0.1),
                fault_names[s->fault[k]]);
        }
        forced += tau > 0 ? 1 : 0;
    }
}

static void what_can_be_kept_is_kept(void **state)
{
    (void)state;
    const char *asked = getenv("ORACLE_SECONDS");
    int seconds = asked != NULL ? atoi(asked) : SECONDS;
    struct seen *s = calloc(1, sizeof(*s));
    for (int round = 1; round <= seconds / ROUND_S; round++) {
        uint64_t seed = random_seed(1000 + (uint64_t)round);
        play(s, round, &seed);
        judge(s, round);
    }
    print_message("%d s, seeds 1001 to %d: %d ticks over the ramp that "
                  "nobody could have kept\n",
                  seconds, 1000 + seconds / ROUND_S, (int)forced);
    free(s);
    assert_int_equal(broken, 0);
}

/* The oracle can say no: to the same load without a controller. */
static void oracle_sees_what_breaks(void **state)
{
    (void)state;
    struct seen *s = calloc(1, sizeof(*s));
    uint64_t seed = random_seed(7);
    double w = 100e6;
    int n = 0;
    for (int k = 0; k < TICKS; k++) {
        w = k < 300 ? w : next_load(&seed, k, 1, w);
        s->grid_w[k] = s->load_w[k] = w;
        s->power_w[k] = 100e6;
        s->late_s[k] = 0.16;
        double sum_w = 0.0;
        for (int i = k - AVERAGE + 1; i <= k; i++) {
            sum_w += s->grid_w[i < 0 ? 0 : i];
        }
        s->mean_w[k] = sum_w / AVERAGE;
        n += broken_at(s, k) > 0 && !nobody_could(s, k);
    }
    assert_true(n > TICKS / 4);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_kept_is_kept),
        cmocka_unit_test(oracle_sees_what_breaks),
    };
    return cmocka_run_group_tests_name("oracle", tests, NULL, NULL);
}
