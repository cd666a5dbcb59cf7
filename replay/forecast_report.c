/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/forecast_report.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "models/units.h"

enum { CELL_MAX = 32 };

/* A difference of pinball loss that nobody would notice. */
static const double same_pu = 0.0005;

const char *forecast_amount_text(const struct observed *o, double x, char *out,
                                 size_t size)
{
    bool watt = strcmp(o->unit, "W") == 0;
    double size_w = watt ? fabs(x) : 0.0;
    if (!isfinite(x)) {
        snprintf(out, size, "-");
    } else if (size_w >= 1e6) {
        snprintf(out, size, "%.4g MW", x / 1e6);
    } else if (size_w >= 1e3) {
        snprintf(out, size, "%.4g kW", x / 1e3);
    } else {
        snprintf(out, size, "%.4g %s", x, o->unit);
    }
    return out;
}

/* "0.101 s", "142 s", "24 h" */
static const char *time_text(double s, char *out, size_t size)
{
    if (s < 3600.0) {
        snprintf(out, size, "%.4g s", s);
    } else if (s <= 168.0 * 3600.0) {
        snprintf(out, size, "%.4g h", s / 3600.0);
    } else {
        snprintf(out, size, "%.4g days", s / 86400.0);
    }
    return out;
}

static const char *share_text(double x, int digits, char *out, size_t size)
{
    if (isfinite(x)) {
        snprintf(out, size, "%.*f %%", digits, 100.0 * x);
    } else {
        snprintf(out, size, "-");
    }
    return out;
}

const char *forecast_figures_text(const struct forecast_report *r, char *out,
                                  size_t size)
{
    const struct backtest_score *s = r->results[0].score;
    const struct observed *o = r->cfg->series;
    char error[2][CELL_MAX];
    bool relative = isfinite(s[BACKTEST_OURS].mape_pu);
    for (int w = BACKTEST_OURS; w <= BACKTEST_PERSISTENCE; w++) {
        if (relative) {
            share_text(s[w].mape_pu, 2, error[w], CELL_MAX);
        } else {
            forecast_amount_text(o, s[w].mae_w, error[w], CELL_MAX);
        }
    }
    snprintf(out, size,
             "mean error %s (persistence %s), the 80 %% band covers %.1f %%",
             error[BACKTEST_OURS], error[BACKTEST_PERSISTENCE],
             100.0 * s[BACKTEST_OURS].in80_pu);
    return out;
}

static bool shown(const struct forecast_report *r, enum backtest_way w)
{
    return w != BACKTEST_SEASONAL_LONG || r->cfg->season_long_s > 0.0;
}

/* Season of a way; 0 where it has none. */
static double season_s(const struct forecast_report *r, enum backtest_way w)
{
    const struct backtest_cfg *c = r->cfg;
    if (w == BACKTEST_SEASONAL_LONG) {
        return c->season_long_s;
    }
    if (w == BACKTEST_SEASONAL) {
        return c->season_s > 0.0 ? c->season_s
                                 : (r->periods.n > 0 ? r->periods.s[0] : 0.0);
    }
    return 0.0;
}

/* JSON has no NaN: what is not known is null. */
static void put(cJSON *to, const char *key, double x)
{
    if (isfinite(x)) {
        cJSON_AddNumberToObject(to, key, x);
    } else {
        cJSON_AddNullToObject(to, key);
    }
}

static void put_score(cJSON *to, const struct backtest_score *s)
{
    put(to, "mape_pu", s->mape_pu);
    put(to, "rmse_w", s->rmse_w);
    put(to, "mae_w", s->mae_w);
    put(to, "coverage_p10_p90_pu", s->in80_pu);
    put(to, "coverage_p01_p99_pu", s->in98_pu);
    put(to, "mean_width_w", s->mean_width_w);
    put(to, "pinball_w", s->pinball_w);
}

static void put_season(cJSON *to, const struct forecast_report *r,
                       const struct backtest_result *x, enum backtest_way w)
{
    cJSON *s = cJSON_AddObjectToObject(
        to, w == BACKTEST_SEASONAL ? "seasonal" : "seasonal_long");
    double period_s = season_s(r, w);
    put(s, "period_s", period_s > 0.0 ? period_s : NAN);
    put_score(s, &x->score[w]);
}

static void put_horizon(cJSON *to, const struct forecast_report *r, int i)
{
    const struct backtest_result *x = &r->results[i];
    put(to, "horizon_s", r->horizon_s[i]);
    put(to, "lead_s", (double)r->cfg->lead[i] * r->cfg->series->step_s);
    put(to, "n", (double)x->n);
    put(to, "n_unscored", (double)x->n_unscored);
    put_score(to, &x->score[BACKTEST_OURS]);
    put(to, "mase", backtest_mase(r->cfg, x));
    put_score(cJSON_AddObjectToObject(to, "persistence"),
              &x->score[BACKTEST_PERSISTENCE]);
    put_season(to, r, x, BACKTEST_SEASONAL);
    if (shown(r, BACKTEST_SEASONAL_LONG)) {
        put_season(to, r, x, BACKTEST_SEASONAL_LONG);
    }
}

static void put_series(cJSON *to, const struct forecast_report *r)
{
    const struct observed *o = r->cfg->series;
    cJSON *periods = cJSON_AddArrayToObject(to, "period_s");
    for (int i = 0; i < r->periods.n; i++) {
        cJSON_AddItemToArray(periods, cJSON_CreateNumber(r->periods.s[i]));
    }
    cJSON_AddStringToObject(to, "load", o->name);
    cJSON_AddStringToObject(to, "unit", o->unit);
    put(to, "step_s", o->step_s);
    put(to, "duration_s", (double)o->n * o->step_s);
    put(to, "warmup_s", r->cfg->warmup_s);
    put(to, "n_rows", (double)o->n_rows);
    put(to, "n_dropped", (double)o->n_dropped);
    put(to, "n_gaps", (double)o->n_gaps);
    put(to, "n_parts", (double)o->n_parts);
    put(to, "memory_bytes", (double)r->cfg->model.bytes);
}

enum err forecast_report_json(const struct forecast_report *r, FILE *out)
{
    cJSON *o = cJSON_CreateObject();
    put_horizon(o, r, 0);
    put_series(o, r);
    cJSON *all = cJSON_AddArrayToObject(o, "horizons");
    for (int i = 0; i < r->cfg->n_leads; i++) {
        cJSON *one = cJSON_CreateObject();
        put_horizon(one, r, i);
        cJSON_AddItemToArray(all, one);
    }
    char *text = cJSON_PrintUnformatted(o);
    cJSON_Delete(o);
    if (text == NULL) {
        return ERR_MEMORY;
    }
    bool ok = fprintf(out, "%s\n", text) > 0 && fflush(out) == 0;
    cJSON_free(text);
    return ok ? ERR_NONE : ERR_IO;
}

static void print_head(const struct forecast_report *r, FILE *out)
{
    const struct observed *o = r->cfg->series;
    char step[CELL_MAX];
    char length[CELL_MAX];
    fprintf(out, "%s: %zu values, one every %s, %s\n", o->name, o->n,
            time_text(o->step_s, step, sizeof(step)),
            time_text((double)o->n * o->step_s, length, sizeof(length)));
    if (r->cfg->season_s > 0.0) {
        return;
    }
    fprintf(out, "learned periods:");
    for (int i = 0; i < r->periods.n; i++) {
        char period[16];
        fprintf(out, "%s %s", i > 0 ? "," : "",
                time_text(r->periods.s[i], period, sizeof(period)));
    }
    fprintf(out, "%s\n", r->periods.n == 0 ? " none" : "");
}

enum row {
    ROW_MAPE,
    ROW_MAE,
    ROW_RMSE,
    ROW_PINBALL,
    ROW_IN80,
    ROW_WIDTH,
    ROW_IN98,
    ROW_COUNT
};

static const char *const row_names[ROW_COUNT] = {
    [ROW_MAPE] = "mean error, relative",
    [ROW_MAE] = "mean error",
    [ROW_RMSE] = "rms error",
    [ROW_PINBALL] = "pinball loss",
    [ROW_IN80] = "80 % band covers",
    [ROW_WIDTH] = "  its mean width",
    [ROW_IN98] = "98 % band covers",
};

static const char *cell(const struct observed *o, enum row row,
                        const struct backtest_score *s, char *out)
{
    switch (row) {
    case ROW_MAPE:
        return share_text(s->mape_pu, 2, out, CELL_MAX);
    case ROW_MAE:
        return forecast_amount_text(o, s->mae_w, out, CELL_MAX);
    case ROW_RMSE:
        return forecast_amount_text(o, s->rmse_w, out, CELL_MAX);
    case ROW_PINBALL:
        return forecast_amount_text(o, s->pinball_w, out, CELL_MAX);
    case ROW_IN80:
        return share_text(s->in80_pu, 1, out, CELL_MAX);
    case ROW_WIDTH:
        return forecast_amount_text(o, s->mean_width_w, out, CELL_MAX);
    case ROW_IN98:
        return share_text(s->in98_pu, 1, out, CELL_MAX);
    case ROW_COUNT:
        break;
    }
    return "";
}

static void print_table(const struct forecast_report *r,
                        const struct backtest_result *x, FILE *out)
{
    char text[CELL_MAX];
    fprintf(out, "%-22s", "");
    for (int w = 0; w < BACKTEST_WAYS; w++) {
        double s = season_s(r, (enum backtest_way)w);
        if (!shown(r, (enum backtest_way)w)) {
            continue;
        }
        if (s > 0.0) {
            char period[16];
            snprintf(text, sizeof(text), "%s ago",
                     time_text(s, period, sizeof(period)));
        } else {
            snprintf(text, sizeof(text), "%s",
                     backtest_way_name((enum backtest_way)w));
        }
        fprintf(out, "%16s", text);
    }
    fputc('\n', out);
    for (int row = 0; row < ROW_COUNT; row++) {
        fprintf(out, "%-22s", row_names[row]);
        for (int w = 0; w < BACKTEST_WAYS; w++) {
            if (shown(r, (enum backtest_way)w)) {
                fprintf(
                    out, "%16s",
                    cell(r->cfg->series, (enum row)row, &x->score[w], text));
            }
        }
        fputc('\n', out);
    }
}

/* "12 % below" */
static const char *against(double ours, double theirs, char *out, size_t size)
{
    double ratio = ours / theirs;
    if (!isfinite(ratio) || fabs(ratio - 1.0) <= same_pu) {
        snprintf(out, size, "equal to");
    } else {
        snprintf(out, size, "%.1f %% %s", 100.0 * fabs(ratio - 1.0),
                 ratio < 1.0 ? "below" : "ABOVE");
    }
    return out;
}

static void print_verdict(const struct forecast_report *r,
                          const struct backtest_result *x, FILE *out)
{
    const struct backtest_score *s = x->score;
    double in80 = s[BACKTEST_OURS].in80_pu;
    fprintf(out, "pinball loss");
    for (int w = BACKTEST_PERSISTENCE; w < BACKTEST_WAYS; w++) {
        double period_s = season_s(r, (enum backtest_way)w);
        char text[CELL_MAX];
        char period[16];
        if (!shown(r, (enum backtest_way)w)) {
            continue;
        }
        fprintf(out, "%s %s %s%s", w > BACKTEST_PERSISTENCE ? "," : "",
                against(s[BACKTEST_OURS].pinball_w, s[w].pinball_w, text,
                        sizeof(text)),
                period_s > 0.0 ? "a copy of "
                               : backtest_way_name((enum backtest_way)w),
                period_s > 0.0 ? time_text(period_s, period, sizeof(period))
                               : "");
    }
    fprintf(out, "; MASE %.3f; the 80 %% band is %s\n",
            backtest_mase(r->cfg, x),
            in80 > 0.83   ? "wider than it says"
            : in80 < 0.77 ? "narrower than it says"
                          : "honest");
}

void forecast_report_text(const struct forecast_report *r, FILE *out)
{
    const struct observed *o = r->cfg->series;
    print_head(r, out);
    for (int i = 0; i < r->cfg->n_leads; i++) {
        const struct backtest_result *x = &r->results[i];
        char lead[CELL_MAX];
        char warmup[CELL_MAX];
        fprintf(
            out, "\n%s ahead, %lld forecasts scored after %s",
            time_text((double)r->cfg->lead[i] * o->step_s, lead, sizeof(lead)),
            (long long)x->n,
            units_duration_text(r->cfg->warmup_s, warmup, sizeof(warmup)));
        if (x->n_unscored > 0) {
            fprintf(out, ", %lld not for gaps", (long long)x->n_unscored);
        }
        fprintf(out, "\n\n");
        print_table(r, x, out);
        print_verdict(r, x, out);
    }
}
