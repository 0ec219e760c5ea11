/* A zone's power in time: the rig's trace language (README.md beside this file), and its energy in whole numbers. */
#ifndef POWERCAP_TRACE_H
#define POWERCAP_TRACE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_ZONES = 64, MAX_STEPS = 4096, TEXT = 128 };

typedef __int128 Wide;
typedef enum { CONSTANT, SQUARE, RAMP, STEPS, LOAD } Shape;
typedef struct { int64_t t_ns, uw; } Step;

typedef struct {
    char path[TEXT], name[TEXT];
    Shape shape;
    int64_t a_uw, b_uw, c, d_ns; /* the trace's numbers: powers, then a period in ns or a process, then a phase */
    Step *steps;
    int step_count;
    int64_t unit_auj, refresh_ns, start, wrap, limit_uw;
} Zone;

static Zone zones[MAX_ZONES];

/* ---- energy in time; attojoule-millions (1e-18 J * 1e6 = 1e-12 uJ) are microwatts times nanoseconds times 1e3 ---- */

static Wide square(const Zone *zone, Wide t_ns) {
    Wide period = zone->c, half = period / 2, whole = t_ns / period - (t_ns % period < 0);
    Wide into = t_ns - whole * period, low = into < half ? into : half;
    return whole * (zone->a_uw * half + zone->b_uw * (period - half)) + zone->a_uw * low + zone->b_uw * (into - low);
}

static Wide ramp(const Zone *zone, Wide t_ns) {
    Wide period = zone->c, whole = t_ns / period, into = t_ns % period;
    Wide doubled = whole * period * (zone->a_uw + zone->b_uw) + 2 * zone->a_uw * into
                   + (Wide)(zone->b_uw - zone->a_uw) * into * into / period;
    return doubled / 2;
}

static Wide steps(const Zone *zone, Wide t_ns) {
    Wide sum = 0;
    for (int i = 0; i < zone->step_count && t_ns > zone->steps[i].t_ns; i++) {
        Wide end = i + 1 < zone->step_count ? zone->steps[i + 1].t_ns : t_ns;
        sum += zone->steps[i].uw * ((t_ns < end ? t_ns : end) - zone->steps[i].t_ns);
    }
    return sum;
}

/* CPU time of a process and its threads; of one that ended, what was seen last. */
static int64_t cpu_ns(const Zone *zone) {
    static int64_t last[MAX_ZONES];
    clockid_t clock;
    struct timespec t;
    int64_t *known = &last[zone - zones];
    if (!clock_getcpuclockid((pid_t)zone->c, &clock) && !clock_gettime(clock, &t))
        *known = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    return *known;
}

/* Microwatts times nanoseconds from the clock's zero to t_ns. */
static Wide energy(const Zone *zone, int64_t t_ns) {
    switch (zone->shape) {
    case CONSTANT: return (Wide)zone->a_uw * t_ns;
    case SQUARE: return square(zone, (Wide)t_ns - zone->d_ns) - square(zone, -(Wide)zone->d_ns);
    case RAMP: return ramp(zone, t_ns);
    case STEPS: return steps(zone, t_ns);
    default: return (Wide)zone->a_uw * t_ns + (Wide)zone->b_uw * cpu_ns(zone);
    }
}

static int64_t micro(double watts) { return (int64_t)(watts * 1e6 + 0.5); }

static void put_steps(Zone *zone, const char *text) {
    long t_ns;
    double watts;
    int used;
    zone->steps = calloc(MAX_STEPS, sizeof *zone->steps);
    while (zone->step_count < MAX_STEPS && sscanf(text, " %ld:%lf%n", &t_ns, &watts, &used) == 2) {
        zone->steps[zone->step_count++] = (Step){ t_ns, micro(watts) };
        text += used;
    }
}

static void put_trace(Zone *zone, const char *text) {
    char shape[16] = "";
    double a = 0, b = 0, c = 0, d = 0;
    int used = 0;
    sscanf(text, "%15s%n", shape, &used);
    if (!strcmp(shape, "steps")) {
        zone->shape = STEPS;
        put_steps(zone, text + used);
        return;
    }
    sscanf(text + used, "%lf %lf %lf %lf", &a, &b, &c, &d);
    zone->shape = !strcmp(shape, "square") ? SQUARE : !strcmp(shape, "ramp") ? RAMP : !strcmp(shape, "load") ? LOAD : CONSTANT;
    zone->a_uw = micro(a);
    zone->b_uw = micro(b);
    zone->c = zone->shape == LOAD ? (int64_t)c : (int64_t)(c * 1e9 + 0.5);
    zone->d_ns = (int64_t)(d * 1e9 + 0.5);
}

#endif
