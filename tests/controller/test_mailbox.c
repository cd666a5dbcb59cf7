/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of controller/mailbox: in one thread by a table, and in two threads
 * that the reader sees whole values in rising order. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "controller/mailbox.h"

enum { WORDS = 400, SEEN = 20000 };

struct value {
    uint64_t words[WORDS];
};

static void test_newest_wins(void **state)
{
    (void)state;
    struct mailbox m;
    assert_int_equal(mailbox_init(&m, sizeof(int)), ERR_NONE);
    assert_null(mailbox_fetch(&m));
    for (int i = 1; i <= 3; i++) {
        mailbox_send(&m, &i);
    }
    const int *got = mailbox_fetch(&m);
    assert_non_null(got);
    assert_int_equal(*got, 3);
    assert_null(mailbox_fetch(&m));
    /* what was fetched stays while the writer goes on */
    for (int i = 4; i <= 9; i++) {
        mailbox_send(&m, &i);
        assert_int_equal(*got, 3);
    }
    got = mailbox_fetch(&m);
    assert_int_equal(*got, 9);
    mailbox_clear(&m);
    assert_null(m.slots[0]);
}

/* Any order of sends and fetches, against a variable. */
static void test_like_a_variable(void **state)
{
    (void)state;
    uint64_t seed = 5;
    struct mailbox m;
    assert_int_equal(mailbox_init(&m, sizeof(uint64_t)), ERR_NONE);
    uint64_t last = 0;
    int fresh = 0;
    for (int i = 0; i < 100000; i++) {
        seed ^= seed >> 12;
        seed ^= seed << 25;
        seed ^= seed >> 27;
        if (seed % 2 == 0) {
            last = seed;
            fresh = 1;
            *(uint64_t *)mailbox_slot(&m) = last;
            mailbox_post(&m);
        } else {
            const uint64_t *got = mailbox_fetch(&m);
            assert_true((got != NULL) == (fresh == 1));
            assert_true(got == NULL || *got == last);
            fresh = 0;
        }
    }
    mailbox_clear(&m);
}

struct stream {
    struct mailbox box;
    atomic_bool stop;
    uint64_t n_sent;
};

static void *write_on(void *arg)
{
    struct stream *s = arg;
    for (uint64_t i = 1; !atomic_load(&s->stop); i++) {
        struct value *v = mailbox_slot(&s->box);
        for (int k = 0; k < WORDS; k++) {
            v->words[k] = i;
        }
        mailbox_post(&s->box);
        s->n_sent = i;
        if (i % 4 == 0) {
            sched_yield(); /* on one busy core too, both get their turn */
        }
    }
    return NULL;
}

static void test_two_threads_never_torn_or_older(void **state)
{
    (void)state;
    static struct stream s;
    assert_int_equal(mailbox_init(&s.box, sizeof(struct value)), ERR_NONE);
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, write_on, &s), 0);
    uint64_t last = 0;
    uint64_t n_torn = 0;
    uint64_t n_older = 0;
    for (int n_seen = 0; n_seen < SEEN;) {
        const struct value *v = mailbox_fetch(&s.box);
        if (v == NULL) {
            sched_yield();
            continue;
        }
        uint64_t first = v->words[0];
        for (int k = 1; k < WORDS; k++) {
            n_torn += v->words[k] != first;
        }
        n_older += first <= last;
        last = first;
        n_seen++;
    }
    atomic_store(&s.stop, true);
    pthread_join(writer, NULL);
    assert_int_equal(n_torn, 0);
    assert_int_equal(n_older, 0);
    /* the last one sent is not lost */
    const struct value *end = mailbox_fetch(&s.box);
    assert_int_equal(end != NULL ? end->words[WORDS - 1] : last, s.n_sent);
    mailbox_clear(&s.box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest_wins),
        cmocka_unit_test(test_like_a_variable),
        cmocka_unit_test(test_two_threads_never_torn_or_older),
    };
    return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
