/* SPDX-License-Identifier: GPL-3.0-or-later */
/* historian_price - prices that outlive a restart.  What comes back from the
 * file is checked like any other input. */
#include <math.h>
#include <stdio.h>

#include "controller/historian.h"

enum { KEY_MAX = 64 };

static void key_of(const char *market, char key[KEY_MAX])
{
    snprintf(key, KEY_MAX, "price/%s", market);
}

void historian_keep_price(struct historian *h, const char *market,
                          const struct kept_price *price)
{
    char key[KEY_MAX];
    key_of(market, key);
    historian_keep(h, key, price, sizeof(*price));
}

static bool is_sound(const struct price_in *p)
{
    if (p->n_slots < 0 || p->n_slots > PRICE_SLOTS_MAX) {
        return false;
    }
    if (p->n_slots == 0) {
        return isfinite(p->value_per_kwh);
    }
    if (!(isfinite(p->step_s) && p->step_s > 0.0)) {
        return false;
    }
    for (int64_t i = 0; i < p->n_slots; i++) {
        if (isinf(p->per_kwh[i])) {
            return false; /* NAN is a gap */
        }
    }
    return true;
}

bool historian_kept_price(struct historian *h, const char *market,
                          int64_t mono_ms, int64_t utc_ms,
                          struct kept_price *price)
{
    char key[KEY_MAX];
    key_of(market, key);
    struct kept_price kept = {0};
    size_t size = historian_kept(h, key, &kept, sizeof(kept));
    /* without its instant where an earlier program kept it */
    bool whole = size == sizeof(kept) || size == sizeof(kept.price);
    if (!whole || !is_sound(&kept.price) ||
        utc_ms >= kept.price.expires_at_ms) {
        return false;
    }
    if (kept.heard_at_ms < 0 || kept.heard_at_ms > utc_ms) {
        kept.heard_at_ms = 0;
    }
    kept.price.mono_ms = mono_ms;
    *price = kept;
    return true;
}
