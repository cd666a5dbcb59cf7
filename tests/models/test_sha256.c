/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tests of models/sha256: the published examples of FIPS 180-4, and the
 * lengths around a block's edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "models/sha256.h"

static void hex(const void *bytes, size_t size, char out[65])
{
    unsigned char h[SHA256_SIZE];
    sha256(bytes, size, h);
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        snprintf(out + 2 * i, 3, "%02x", h[i]);
    }
}

static void test_published_examples(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *hash;
    } cases[] = {
        {"",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char out[65];
        hex(cases[i].text, strlen(cases[i].text), out);
        assert_string_equal(out, cases[i].hash);
    }
}

static void test_a_million_letters(void **state)
{
    (void)state;
    static char a[1000000];
    memset(a, 'a', sizeof(a));
    char out[65];
    hex(a, sizeof(a), out);
    assert_string_equal(
        out,
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_examples),
        cmocka_unit_test(test_a_million_letters),
    };
    return cmocka_run_group_tests_name("sha256", tests, NULL, NULL);
}
