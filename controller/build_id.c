/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/build_id.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "controller/recording_format.h"

static uint64_t program_sum(void)
{
    FILE *f = fopen("/proc/self/exe", "rb");
    if (f == NULL) {
        return 0;
    }
    unsigned char bytes[1 << 16];
    uint64_t sum = RECORDING_SUM_START;
    size_t n = 0;
    while ((n = fread(bytes, 1, sizeof(bytes), f)) > 0) {
        sum = recording_sum(sum, bytes, n);
    }
    fclose(f);
    return sum;
}

/* The C library picks other code for its functions where these are present. */
static const char *cpu_class(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2")) {
        return "x86_64 fma avx2";
    }
    return "x86_64";
#elif defined(__aarch64__)
    return "aarch64";
#else
    return "other";
#endif
}

static const char *c_library(void)
{
#ifdef __GLIBC__
    return gnu_get_libc_version();
#else
    return "unknown";
#endif
}

void build_id(char out[BUILD_ID_MAX])
{
    snprintf(out, BUILD_ID_MAX, "program %016" PRIx64 ", C library %s, %s",
             program_sum(), c_library(), cpu_class());
}
