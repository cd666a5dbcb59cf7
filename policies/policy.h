/* SPDX-License-Identifier: GPL-3.0-or-later */
/* policy - which way of steering a controller follows. */
#ifndef POLICIES_POLICY_H
#define POLICIES_POLICY_H

#define POLICY_LIST(X)                                            \
    X(BALLAST, "ballast", "all of it: smooth, plan, shed, share") \
    X(NONE, "none", "batteries idle, nothing throttled")          \
    X(LIMITER, "limiter", "a plain ramp limiter on the batteries")

#define POLICY_ENUM(name, word, text) POLICY_##name,
enum policy { POLICY_LIST(POLICY_ENUM) POLICY_COUNT };
#undef POLICY_ENUM

#endif
