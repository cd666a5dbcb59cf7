/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "replay/bench_peers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replay/mps.h"

enum { COMMAND_MAX = 3 * BENCH_PATH_MAX, LINE_MAX_BYTES = 512 };

/* Reads the free MPS that mps.c writes. */
static const char script[] =
    "import sys, time, numpy as np\n"
    "from scipy.optimize import linprog\n"
    "from scipy.sparse import coo_matrix\n"
    "rows, kinds, cols, part = {}, [], {}, ''\n"
    "cost, at, rhs, rng, lo, hi = {}, [], {}, {}, {}, {}\n"
    "for line in open(sys.argv[1]):\n"
    "    f = line.split()\n"
    "    if line[0] != ' ':\n"
    "        part = f[0]\n"
    "    elif part == 'ROWS' and f[0] != 'N':\n"
    "        rows[f[1]] = len(kinds); kinds.append(f[0])\n"
    "    elif part == 'COLUMNS':\n"
    "        c = cols.setdefault(f[0], len(cols))\n"
    "        if f[1] == 'cost': cost[c] = float(f[2])\n"
    "        else: at.append((rows[f[1]], c, float(f[2])))\n"
    "    elif part == 'RHS': rhs[rows[f[1]]] = float(f[2])\n"
    "    elif part == 'RANGES': rng[rows[f[1]]] = float(f[2])\n"
    "    elif part == 'BOUNDS':\n"
    "        c, x = cols[f[2]], float(f[3])\n"
    "        if f[0] in ('LO', 'FX'): lo[c] = x\n"
    "        if f[0] in ('UP', 'FX'): hi[c] = x\n"
    "n = len(cols)\n"
    "i, j, v = zip(*at)\n"
    "A = coo_matrix((v, (i, j)), shape=(len(kinds), n)).tocsr()\n"
    "b = np.array([rhs.get(r, 0.0) for r in range(len(kinds))])\n"
    "k = np.array(kinds)\n"
    "le, ge, eq = k == 'L', k == 'G', k == 'E'\n"
    "r = np.array([rng.get(x, np.inf) for x in range(len(kinds))])\n"
    "two = np.isfinite(r)\n"
    "from scipy.sparse import vstack\n"
    "ub = vstack([A[le], -A[le & two], -A[ge], A[ge & two]]).tocsr()\n"
    "bu = np.concatenate([b[le], (r - b)[le & two], -b[ge],\n"
    "                     (b + r)[ge & two]])\n"
    "c = [cost.get(x, 0.0) for x in range(n)]\n"
    "bounds = [(lo.get(x, 0.0), hi.get(x)) for x in range(n)]\n"
    "t = time.process_time()\n"
    "s = linprog(c, ub, bu, A[eq], b[eq], bounds, method='highs-ds')\n"
    "t = time.process_time() - t\n"
    "if s.status == 0: print('result %.12g %.6f' % (s.fun, t))\n";

static bool make_file(char *path, const char *text)
{
    snprintf(path, BENCH_PATH_MAX, "/tmp/ballast-bench-XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0) {
        path[0] = '\0';
        return false;
    }
    size_t n = strlen(text);
    bool ok = write(fd, text, n) == (ssize_t)n;
    return close(fd) == 0 && ok;
}

bool bench_peers_open(struct bench_peers *b)
{
    memset(b, 0, sizeof(*b));
    if (!make_file(b->mps, "") || !make_file(b->script, script)) {
        bench_peers_close(b);
        return false;
    }
    b->clp = system("command -v clp >/dev/null 2>&1") == 0;
    b->highs = system("/usr/bin/python3 -c 'import scipy.optimize' "
                      ">/dev/null 2>&1") == 0;
    return true;
}

void bench_peers_close(struct bench_peers *b)
{
    if (b->mps[0] != '\0') {
        unlink(b->mps);
    }
    if (b->script[0] != '\0') {
        unlink(b->script);
    }
}

bool bench_peers_pose(const struct bench_peers *b,
                      const struct schedule_problem *p)
{
    FILE *f = fopen(b->mps, "w");
    if (f == NULL) {
        return false;
    }
    enum err e = mps_write(f, p);
    return fclose(f) == 0 && e == ERR_NONE;
}

/* The result in a line that 'format' reads: objective, then seconds. */
static struct bench_peer ask(const char *command, const char *format)
{
    struct bench_peer got = {NAN, NAN};
    FILE *f = popen(command, "r");
    if (f == NULL) {
        return got;
    }
    char line[LINE_MAX_BYTES];
    while (fgets(line, sizeof(line), f) != NULL) {
        double objective;
        double solve_s;
        if (sscanf(line, format, &objective, &solve_s) == 2) {
            got = (struct bench_peer){solve_s, objective};
        }
    }
    return pclose(f) == 0 ? got : (struct bench_peer){NAN, NAN};
}

struct bench_peer bench_clp(const struct bench_peers *b)
{
    static const char *const presolve[] = {"off", "on"};
    struct bench_peer best = {NAN, NAN};
    for (int i = 0; i < 2; i++) {
        char command[COMMAND_MAX];
        snprintf(command, sizeof(command),
                 "clp %s -presolve %s -dualsimplex </dev/null 2>/dev/null",
                 b->mps, presolve[i]);
        struct bench_peer got =
            ask(command, "Optimal objective %lf - %*d iterations time %lf");
        if (!(best.solve_s <= got.solve_s) && isfinite(got.solve_s)) {
            best = got;
        }
    }
    return best;
}

struct bench_peer bench_highs(const struct bench_peers *b)
{
    char command[COMMAND_MAX];
    snprintf(command, sizeof(command),
             "OMP_NUM_THREADS=1 /usr/bin/python3 %s %s </dev/null 2>/dev/null",
             b->script, b->mps);
    return ask(command, "result %lf %lf");
}
