/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * band - power of a stream within a frequency band.
 *
 * Pure and pointer-free.  Butterworth high-pass and low-pass of fourth order,
 * two second-order sections each (24 dB per octave), by the bilinear transform
 * with prewarped corners (Oppenheim and Schafer, Discrete-Time Signal
 * Processing, 7.2).  The stream stood at its first value before it began.
 *
 * A sampled stream says nothing at and above half its sampling rate.
 */
#ifndef MODELS_BAND_H
#define MODELS_BAND_H

#include <stdint.h>

/* How much of a band lies under half the sampling rate. */
enum band_sight {
    BAND_WHOLE,
    BAND_PARTLY, /* judged up to half the sampling rate */
    BAND_BLIND,  /* not judged: its rms is NAN */
};

enum { BAND_SECTIONS = 4 };

/* Second-order section, transposed direct form II. */
struct band_section {
    double b0, b1, b2, a1, a2;
    double s1, s2;
};

struct band {
    double from_hz;
    double to_hz;
    double period_s;
    double first;       /* taken off the stream */
    int64_t sight;      /* enum band_sight */
    int64_t n_sections; /* in use */
    int64_t n;          /* values taken in */
    struct band_section sections[BAND_SECTIONS];
    double sum_square;
    double recent_square; /* exponential mean over 60 s */
    double recent_max_square;
};

/* 0 < from_hz < to_hz, period_s > 0 (asserted). */
void band_init(struct band *b, double from_hz, double to_hz, double period_s);

/* As if the stream had stood at 'value' before; what was taken in counts on. */
void band_stand(struct band *b, double value);

/* Takes 'value' in and returns what of it lies in the band; 0 where blind. */
double band_push(struct band *b, double value);

/* rms of all values so far; NAN where blind or without values. */
double band_rms(const struct band *b);

/* Largest rms so far of an exponential mean over 60 s; NAN likewise. */
double band_recent_max(const struct band *b);

#endif
