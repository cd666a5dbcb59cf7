/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "controller/step/carry.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "controller/step/carry_layout.h"
#include "controller/step/carry_unit.h"
#include "models/life_check.h"
#include "models/sha256.h"
#include "policies/guard_resume.h"

static const double HOME_HOURS = 1.0; /* a restart; later it is another day */

const char *carry_text(enum carry c)
{
#define CARRY_TEXT(name, text) text,
    static const char *const texts[CARRY_COUNT] = {CARRY_LIST(CARRY_TEXT)};
#undef CARRY_TEXT
    assert((unsigned)c < CARRY_COUNT);
    return texts[c];
}

static struct node_state *nodes_of(const struct step_cfg *cfg,
                                   struct step_state *state,
                                   const struct carry_unit *u)
{
    return &state->nodes[cfg->site.fleets[u->fleet].first_node + u->first];
}

static const void *series_in(const struct step_cfg *cfg,
                             const struct step_state *state, int64_t series)
{
    return foresee_series_in(&cfg->site, foresee_in(cfg, state), series);
}

static size_t save_site(const struct step_cfg *cfg,
                        const struct step_state *state, unsigned char *to)
{
    struct carry_site c = {.month = state->month,
                           .interval_ws = state->interval_ws,
                           .interval_s = state->interval_s,
                           .interval = state->interval,
                           .incumbent_w = cfg->site.grid.billing_peak_w};
    memcpy(to, &c, sizeof(c));
    return sizeof(c);
}

static size_t save_battery(const struct step_state *state, int i,
                           unsigned char *to)
{
    struct carry_battery c = {.age = state->age[i],
                              .home_pu = state->soc_home_pu[i]};
    memcpy(to, &c, sizeof(c));
    memcpy(to + offsetof(struct carry_battery, life), &state->life[i],
           sizeof(struct life));
    return sizeof(c);
}

static size_t save_nodes(const struct node_state *nodes, int64_t n,
                         unsigned char *to)
{
    for (int64_t i = 0; i < n; i++) {
        struct carry_node c = {.age = nodes[i].age};
        memcpy(&c.guard, &nodes[i].guard, sizeof(c.guard));
        memcpy(&c.life, &nodes[i].life, sizeof(c.life));
        memcpy(to, &c, sizeof(c));
        to += sizeof(c);
    }
    return (size_t)n * sizeof(struct carry_node);
}

size_t carry_save(const struct step_cfg *cfg, const struct step_state *state,
                  int64_t unit, const struct carry_now *now,
                  unsigned char *blob)
{
    struct carry_unit u = carry_unit_at(cfg, unit);
    struct carry_head head = {.layout = carry_layout(u.kind),
                              .utc_ms = now->utc_ms,
                              .mono_ms = now->mono_ms,
                              .kind = (int64_t)u.kind,
                              .chemistry = (int64_t)u.chemistry,
                              .n = u.n};
    carry_name(cfg, unit, head.name);
    unsigned char *to = blob + sizeof(head);
    size_t size = 0;
    switch (u.kind) {
    case CARRY_SITE:
        size = save_site(cfg, state, to);
        break;
    case CARRY_BATTERY:
        size = save_battery(state, u.battery, to);
        break;
    case CARRY_FLEET: {
        int64_t first = cfg->site.fleets[u.fleet].first_node + u.first;
        size = save_nodes(&state->nodes[first], u.n, to);
        break;
    }
    case CARRY_QUEUE:
        size = carry_unit_size(u.kind);
        memcpy(to, &state->queues[u.class_id], size);
        break;
    case CARRY_SOON:
    case CARRY_OUTLOOK:
    case CARRY_CARS:
        size = carry_unit_size(u.kind);
        memcpy(to, series_in(cfg, state, u.series), size);
        break;
    }
    head.size = (int64_t)size;
    memcpy(blob, &head, sizeof(head));
    return sizeof(head) + size;
}

static void hash(const unsigned char *blob, size_t size,
                 unsigned char out[SHA256_SIZE])
{
    sha256(blob + SHA256_SIZE, size - SHA256_SIZE, out);
}

void carry_seal(unsigned char *blob, size_t size)
{
    assert(size >= sizeof(struct carry_head));
    hash(blob, size, blob);
}

const char *carry_asset(const unsigned char *blob, char out[CARRY_NAME_MAX])
{
    struct carry_head head;
    memcpy(&head, blob, sizeof(head));
    memcpy(out, head.name, CARRY_NAME_MAX);
    return out;
}

int64_t carry_saved_at_ms(const unsigned char *blob)
{
    struct carry_head head;
    memcpy(&head, blob, sizeof(head));
    return head.utc_ms;
}

/* Of the blob as such: that it is whole, ours and of this asset. */
static enum carry judge(const struct step_cfg *cfg, int64_t unit,
                        const unsigned char *blob, size_t size)
{
    struct carry_unit u = carry_unit_at(cfg, unit);
    struct carry_head head;
    unsigned char sum[SHA256_SIZE];
    char name[CARRY_NAME_MAX];
    if (size < sizeof(head) || size > CARRY_SIZE_MAX) {
        return CARRY_DAMAGED;
    }
    memcpy(&head, blob, sizeof(head));
    hash(blob, size, sum);
    if (memcmp(sum, head.sha256, sizeof(sum)) != 0) {
        return CARRY_DAMAGED;
    }
    size_t size_of = carry_unit_size(u.kind);
    bool counts = head.n >= 0 && head.n <= CARRY_NODES;
    size_t n = u.kind != CARRY_FLEET ? 1 : counts ? (size_t)head.n : 0;
    if (head.layout != carry_layout(u.kind) || head.kind != (int64_t)u.kind ||
        size != sizeof(head) + n * size_of) {
        return CARRY_VERSION;
    }
    carry_name(cfg, unit, name);
    if (memchr(head.name, '\0', sizeof(head.name)) == NULL ||
        strcmp(head.name, name) != 0) {
        return CARRY_NAME;
    }
    if (head.chemistry != (int64_t)u.chemistry) {
        return CARRY_CHEMISTRY;
    }
    return carry_time_valid(head.mono_ms) && carry_time_valid(head.utc_ms)
               ? CARRY_TAKEN
               : CARRY_IMPOSSIBLE;
}

/* What passed since. */
struct since {
    const struct carry_now *now;
    struct carry_head head;
    double gap_s;
    double guard_s; /* the same, for who must not take it for too short */
};

static struct since since_of(const unsigned char *blob,
                             const struct carry_now *now)
{
    struct since s = {.now = now};
    memcpy(&s.head, blob, sizeof(s.head));
    double gap_s = (double)(now->utc_ms - s.head.utc_ms) / 1e3;
    s.gap_s = fmax(gap_s, 0.0);
    s.guard_s = gap_s < 0.0 ? LIFE_GAP_MAX_S : gap_s;
    return s;
}

/* A gap in the life is not a gap in time: it is lived by the next sample. */
static double gap_of(double gap_s, int64_t mono_ms, const struct since *s)
{
    double own_s = mono_ms > 0 ? (double)(s->head.mono_ms - mono_ms) / 1e3 : 0;
    return fmin(gap_s + fmax(own_s, 0.0) + s->gap_s, LIFE_GAP_MAX_S);
}

/* The peak of the site's file is of the month in which it was written there:
 * what came since goes before it. */
static enum carry load_site(const struct step_cfg *cfg,
                            struct step_state *state, const struct since *s,
                            const unsigned char *from)
{
    struct carry_site c;
    memcpy(&c, from, sizeof(c));
    if (!carry_site_valid(&c)) {
        return CARRY_IMPOSSIBLE;
    }
    double file_w = state->month.peak_w;
    bool goes_on = month_resume(&state->month, &c.month, s->head.utc_ms,
                                s->now->month_at_ms);
    if (!(fabs(c.incumbent_w - cfg->site.grid.billing_peak_w) <= 0.0)) {
        state->month.peak_w = fmax(file_w, state->month.peak_w);
    }
    if (goes_on) {
        state->interval = c.interval;
        state->interval_ws = c.interval_ws;
        state->interval_s = c.interval_s;
    }
    return CARRY_TAKEN;
}

static enum carry load_battery(const struct step_cfg *cfg,
                               struct step_state *state, int i,
                               const struct since *s, const unsigned char *from)
{
    const struct site_battery *b = &cfg->site.batteries[i];
    struct carry_battery c;
    memcpy(&c, from, sizeof(c));
    if (!life_valid(&c.life, b->chemistry) || !carry_age_valid(&c.age)) {
        return CARRY_IMPOSSIBLE;
    }
    memcpy(&state->life[i], &c.life, sizeof(c.life));
    c.age.gap_s = gap_of(c.age.gap_s, c.age.mono_ms, s);
    c.age.mono_ms = s->now->mono_ms;
    state->age[i] = c.age;
    if (c.home_pu >= b->soc_min_pu && c.home_pu <= b->soc_max_pu &&
        s->gap_s <= HOME_HOURS * 3600.0) {
        state->soc_home_pu[i] = c.home_pu;
    }
    return CARRY_TAKEN;
}

/* The whole of it, or as it was. */
static enum carry load_series(const struct step_cfg *cfg,
                              struct step_state *state,
                              const struct carry_unit *u, const struct since *s,
                              const unsigned char *from)
{
    struct foresee *f = foresee_of(cfg, state);
    memcpy(foresee_series(&cfg->site, f, u->series), from,
           carry_unit_size(u->kind));
    foresee_adopt(cfg, f, u->series);
    if (!foresee_series_valid(cfg, f, u->series)) {
        foresee_series_init(cfg, f, u->series);
        return CARRY_IMPOSSIBLE;
    }
    foresee_resume(cfg, f, u->series, s->gap_s);
    return CARRY_TAKEN;
}

static enum carry load_queue(const struct step_cfg *cfg,
                             struct step_state *state, int class_id,
                             const struct since *s, const unsigned char *from)
{
    struct queue q;
    memcpy(&q, from, sizeof(q));
    if (!queue_valid(&q)) {
        return CARRY_IMPOSSIBLE;
    }
    queue_resume(cfg, &q, class_id, s->gap_s);
    state->queues[class_id] = q;
    return CARRY_TAKEN;
}

static bool load_node(const struct guard_cfg *guard, struct node_state *n,
                      const struct since *s, struct carry_node *c)
{
    guard_refit(guard, &c->guard);
    if (!life_pack_valid(&c->life, guard->terms.chemistry) ||
        !guard_valid(guard, &c->guard) || !carry_node_age_valid(&c->age)) {
        guard_distrust(guard, &n->guard);
        return false;
    }
    struct guard_gap gap = {.then_mono_ms = s->head.mono_ms,
                            .now_mono_ms = s->now->mono_ms,
                            .gap_s = s->guard_s,
                            .blind_s = s->now->blind_s};
    guard_resume(guard, &c->guard, &gap);
    memcpy(&n->guard, &c->guard, sizeof(n->guard));
    memcpy(&n->life, &c->life, sizeof(n->life));
    n->age.gap_s = gap_of(c->age.gap_s, c->age.mono_ms, s);
    n->age.mono_ms = s->now->mono_ms;
    return true;
}

static enum carry load_nodes(const struct step_cfg *cfg,
                             struct step_state *state,
                             const struct carry_unit *u, const struct since *s,
                             const unsigned char *from)
{
    struct node_state *nodes = nodes_of(cfg, state, u);
    enum carry result = CARRY_TAKEN;
    for (int64_t i = 0; i < u->n && i < s->head.n; i++) {
        struct carry_node c;
        memcpy(&c, from + (size_t)i * sizeof(c), sizeof(c));
        if (!load_node(&cfg->guards[u->fleet], &nodes[i], s, &c)) {
            result = CARRY_IMPOSSIBLE;
        }
    }
    return result;
}

static void distrust(const struct step_cfg *cfg, struct step_state *state,
                     const struct carry_unit *u)
{
    for (int64_t i = 0; u->kind == CARRY_FLEET && i < u->n; i++) {
        guard_distrust(&cfg->guards[u->fleet],
                       &nodes_of(cfg, state, u)[i].guard);
    }
}

enum carry carry_load(const struct step_cfg *cfg, struct step_state *state,
                      int64_t unit, const struct carry_now *now,
                      const unsigned char *blob, size_t size)
{
    struct carry_unit u = carry_unit_at(cfg, unit);
    enum carry result = judge(cfg, unit, blob, size);
    if (result != CARRY_TAKEN) {
        distrust(cfg, state, &u);
        return result;
    }
    struct since s = since_of(blob, now);
    const unsigned char *from = blob + sizeof(s.head);
    switch (u.kind) {
    case CARRY_SITE:
        return load_site(cfg, state, &s, from);
    case CARRY_BATTERY:
        return load_battery(cfg, state, u.battery, &s, from);
    case CARRY_FLEET:
        return load_nodes(cfg, state, &u, &s, from);
    case CARRY_QUEUE:
        return load_queue(cfg, state, u.class_id, &s, from);
    case CARRY_SOON:
    case CARRY_OUTLOOK:
    case CARRY_CARS:
        break;
    }
    return load_series(cfg, state, &u, &s, from);
}
