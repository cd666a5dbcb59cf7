/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/claim: one process a device, until it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/claim.h"
#include "tests/site_fixture.h"

/* No two runs of the test share an address. */
static struct site *site_at(int first_unit, const char *name)
{
    struct site *s = fixture_site(3, 1, 0);
    snprintf(s->name, sizeof(s->name), "%s", name);
    for (int i = 0; i < 3; i++) {
        struct site_modbus *m = &s->batteries[i].modbus;
        *m = (struct site_modbus){
            .present = i < 2, .port = 502, .unit = first_unit + i};
        snprintf(m->host, sizeof(m->host), "test-%d", (int)getpid());
    }
    s->mqtt.present = true;
    s->mqtt.port = 1883;
    snprintf(s->mqtt.host, sizeof(s->mqtt.host), "test-%d", (int)getpid());
    return s;
}

static void what_is_shared_is_refused(void **state)
{
    (void)state;
    static const struct {
        int first_unit;
        const char *name;
        const char *says; /* NULL: both go */
    } cases[] = {
        {1, "a", "port 502, unit 1"},
        {2, "b", "port 502, unit 2"},
        {0, "b", "port 502, unit 1"},
        {3, "a", "site a at the broker"},
        {3, "b", NULL},
    };
    struct site *mine = site_at(1, "a");
    struct claim held = {.n = 0};
    char why[400] = "";
    assert_int_equal(claim_take(&held, mine, why, sizeof(why)), ERR_NONE);
    assert_int_equal(held.n, 3);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct site *theirs = site_at(cases[i].first_unit, cases[i].name);
        struct claim c = {.n = 0};
        enum err e = claim_take(&c, theirs, why, sizeof(why));
        assert_int_equal(e, cases[i].says != NULL ? ERR_REFUSED : ERR_NONE);
        if (cases[i].says != NULL && strstr(why, cases[i].says) == NULL) {
            fail_msg("%s", why);
        }
        claim_release(&c);
        free(theirs);
    }
    claim_release(&held);
    assert_int_equal(claim_take(&held, mine, why, sizeof(why)), ERR_NONE);
    claim_release(&held);
    claim_release(&held);
    free(mine);
}

static void the_longest_names_are_told_apart(void **state)
{
    (void)state;
    struct site *s = site_at(1, "d");
    char *host = s->batteries[1].modbus.host;
    memset(host, 'x', SITE_TEXT_MAX - 1);
    host[SITE_TEXT_MAX - 1] = '\0';
    s->batteries[0].modbus = s->batteries[1].modbus;
    s->batteries[0].modbus.host[SITE_TEXT_MAX - 2] = 'y';
    struct claim c = {.n = 0};
    char why[400];
    assert_int_equal(claim_take(&c, s, why, sizeof(why)), ERR_NONE);
    assert_int_equal(c.n, 3);
    claim_release(&c);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_shared_is_refused),
        cmocka_unit_test(the_longest_names_are_told_apart),
    };
    return cmocka_run_group_tests_name("claim", tests, NULL, NULL);
}
