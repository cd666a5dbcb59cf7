/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/step: whatever is read, commands are sound and the same
 * twice. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/random.h"
#include "tests/loop_fixture.h"

/* Values that are not finite, of the future or flagged bad count as missing,
 * whatever else they say. */
static void bad_readings_never_come_through(void **state)
{
    (void)state;
    struct reading rows[] = {
        {NAN, 5000, QUALITY_GOOD},    {INFINITY, 5000, QUALITY_GOOD},
        {1e6, 5000, QUALITY_BAD},     {1e6, 0, QUALITY_GOOD},
        {1e6, 9000, QUALITY_GOOD},    {1e6, 1000, QUALITY_GOOD},
        {1e6, 5000, QUALITY_MISSING},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(isnan(reading_value(&rows[i], 5000, 2.0)));
    }
    struct reading good = {1e6, 4000, QUALITY_SUSPECT};
    assert_true(reading_value(&good, 5000, 2.0) == 1e6);
}

static double any(uint64_t *seed, double lo, double hi)
{
    double u = random_draw(seed, 0.0, 1.0);
    return u < 0.02   ? NAN
           : u < 0.04 ? INFINITY
           : u < 0.06 ? 1e300
                      : random_draw(seed, lo, hi);
}

static void spoil(struct snapshot *in, uint64_t *seed)
{
    in->meter.power_w.value = any(seed, -50e6, 300e6);
    in->meter.power_w.mono_ms -= (int64_t)random_draw(seed, 0.0, 4000.0);
    for (int i = 0; i < 3; i++) {
        struct battery_in *b = &in->batteries[i];
        b->power_w.value = any(seed, -20e6, 20e6);
        b->soc_pu.value = any(seed, -0.5, 1.5);
        b->charge_max_w.value = any(seed, -1e6, 20e6);
        b->discharge_max_w.value = any(seed, -1e6, 20e6);
        b->flags = (int64_t)random_draw(seed, 0.0, 64.0);
    }
    for (int i = 0; i < 4; i++) {
        in->pods[i].power_w.value = any(seed, -1e6, 60e6);
        in->pods[i].flags = random_draw(seed, 0.0, 1.0) < 0.9;
    }
    in->prices[0].value_per_kwh = any(seed, -1.0, 5.0);
    in->utility[0].value = any(seed, -1e6, 200e6);
    in->utility[0].start_at_ms =
        in->utc_ms + (int64_t)random_draw(seed, -1e6, 1e6);
}

static void assert_sound(const struct loop_fixture *f)
{
    for (int i = 0; i < 3; i++) {
        const struct battery_command *c = &f->out->batteries[i];
        assert_true(fabs(c->set_w) <= 10e6);
        assert_true(isfinite(c->fallback_w) && c->expiry_s >= 10.0);
    }
    for (int i = 0; i < 4; i++) {
        const struct pod_command *c = &f->out->pods[i];
        assert_true(c->cap_w >= 12.5e6 && c->cap_w <= 37.5e6);
        assert_true(c->ttl_s > 0.0);
    }
    for (int i = 0; i < 5; i++) {
        const struct node_command *c = &f->out->nodes[i];
        assert_true(c->charge_w >= 0.0 && c->charge_w <= 20e3);
        assert_true(c->compute_w >= 0.0 && c->compute_w <= 160.0);
    }
    assert_true(isfinite(f->out->record.grid_ref_w));
    assert_true(isfinite(f->out->record.load_w));
    assert_true(f->out->record.n_why > 0);
}

/* Hostile snapshots: commands stay finite and within limits, and the same
 * input from the same state gives the same bytes. */
static void hostile_input_gives_sound_commands_twice(void **state)
{
    (void)state;
    uint64_t seed = random_seed(2026);
    struct loop_fixture f =
        loop_open(fixture_site(3, 4, 5), POLICY_BALLAST, 100e6);
    size_t state_size = step_state_size(f.cfg);
    size_t out_size = step_out_size(5);
    struct step_state *again = malloc(state_size);
    struct step_scratch *other = malloc(step_scratch_size(f.cfg));
    struct step_out *twin = malloc(out_size);
    memset(f.out, 0, out_size);
    strcpy(f.in->utility[0].id, "x");
    f.in->prices[0].mono_ms = 1;
    f.in->prices[0].expires_at_ms = INT64_MAX;
    memcpy(again, f.state, state_size);
    for (int k = 0; k < 30000; k++) {
        loop_observe(&f);
        spoil(f.in, &seed);
        f.in->utility[0].kind = k % UTILITY_COUNT;
        f.in->utility[0].end_at_ms = f.in->utc_ms + 1000 * 1000;
        memset(other, 0xa5, step_scratch_size(f.cfg));
        memcpy(twin, f.out, out_size);
        step(f.cfg, again, other, f.in, f.plan, twin);
        loop_act(&f, random_draw(&seed, 0.0, 150e6));
        assert_sound(&f);
        assert_memory_equal(twin, f.out, out_size);
        if (k % 1000 == 999) {
            assert_int_equal(memcmp(again, f.state, state_size), 0);
        }
    }
    free(again);
    free(other);
    free(twin);
    loop_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_readings_never_come_through),
        cmocka_unit_test(hostile_input_gives_sound_commands_twice),
    };
    return cmocka_run_group_tests_name("step_hostile", tests, NULL, NULL);
}
