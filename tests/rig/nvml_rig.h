/* What the virtual boards of nvml_stub.c are: their description, their energy and power in time, their faults.
 *
 * The description is the file that GREENNB_NVML_STUB names, lines "key=value"; "[gpu]" begins a board, "[mig]" an
 * instance of the board before it.
 *   before the first [gpu]:  driver, init (a return code), count_fault (a return code)
 *   [gpu]:  uuid, name
 *           trace=TRACE              power in time, in the rig's trace language (README.md beside this file), watts
 *           power=T_NS:MILLIWATTS    the same as steps: from T_NS on this power, until the next one's T_NS
 *           start_mj                 the counter at the clock's zero (of steps: at the first step)
 *           refresh_ns               energy and power change only at ticks: tick k comes at k times this ...
 *           jitter_ns, seed          ... moved by up to jitter_ns either way, as jitter() says (under half a refresh)
 *           average_ns, lag_ns       power is the mean over average_ns, ending lag_ns before the last tick
 *                                    (average_ns 0: the power then)
 *           frozen_ns                the counter stands still from this time on (0: never); power goes on
 *           delay_us                 every read of energy or power takes this long
 *           limit_mw, max_limit_mw   0: not supported
 *           sm_mhz, max_sm_mhz, capability (90 for 9.0)       0: not supported
 *           temperature_c, sm_util, memory_util (percent), memory_total, memory_used (bytes)
 *           process=PID:BYTES:SM:MEMORY   who computes on it (PID 0: who asks), with its shares in percent
 *           mig                      -1: not supported, 0: off, 1: on
 *           fault, handle_fault, energy_fault, power_fault     return codes: of every call about the board, of finding
 *                                    it, of its energy, of its power
 *   [mig]:  uuid
 *
 * Faults are lines "gpuN FAULT [ARGUMENT]" in $GREENNB_RIG/faults, while they stand there: lost, no_counter, no_power,
 * no_permission, unknown (a return code that nobody knows), slow MILLISECONDS, frozen [T_NS], reset [T_NS]: the counter
 * stands still, or began again at 0, from that time of the monotonic clock on (left out: when the process first sees
 * the line, so that two processes may differ by some ticks).
 *
 * Both files may be replaced while processes run, which each of them sees within a millisecond. Energy is a pure
 * function of them and of CLOCK_MONOTONIC (but for the trace "load", whose CPU time is read with the first call after a
 * tick, and with which "frozen" and "reset" make no sense), so every process sees the same counter, and a test can compute the truth.
 */
#ifndef NVML_RIG_H
#define NVML_RIG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6,
       INSUFFICIENT_SIZE = 7, DRIVER_NOT_LOADED = 9, GPU_IS_LOST = 15, UNKNOWN = 999 };
enum { MAX_GPUS = 64, MAX_POWERS = 256, MAX_MIGS = 8, MAX_PROCESSES = 16, TEXT = 128 };
enum { CHECK_NS = 1000000, MS_NS = 1000000 };

/* ---- what the files say ---- */

typedef enum { STEPS, SQUARE, RAMP, LOAD } Shape; /* a constant is one step */

typedef struct { int64_t t_ns; int64_t mw; } Power;
typedef struct { unsigned pid; unsigned long long bytes; unsigned sm, memory; } Process;

typedef struct {
    char uuid[TEXT], name[TEXT];
    Shape shape;
    Power powers[MAX_POWERS];
    int power_count;
    int64_t low_mw, high_mw, period_ns, phase_ns; /* of a load: idle and one core's */
    int pid;
    int64_t start_mj, refresh_ns, jitter_ns, seed, average_ns, lag_ns, frozen_ns, delay_us, limit_mw, max_limit_mw;
    int64_t temperature_c, sm_util, memory_util, memory_total, memory_used;
    int64_t sm_mhz, max_sm_mhz, capability;
    int64_t reset_ns;
    int mig, fault, handle_fault, energy_fault, power_fault;
    Process processes[MAX_PROCESSES];
    int process_count;
    char migs[MAX_MIGS][TEXT];
    int mig_count;
    int number;
} Gpu;

typedef struct {
    char driver[TEXT];
    int init, count_fault, gpu_count;
    Gpu gpus[MAX_GPUS];
} Config;

typedef struct { int fault, energy_fault, power_fault; int64_t delay_us, frozen_ns, reset_ns; } Trouble;

static Config config;
static Trouble troubles[MAX_GPUS];
static struct stat config_stat, troubles_stat;
static int64_t checked_ns;

typedef struct { const char *key; size_t offset; int wide; } Field;
#define NUMBER(key) { #key, offsetof(Gpu, key), sizeof(((Gpu *)0)->key) == sizeof(int64_t) }
static const Field NUMBERS[] = {
    NUMBER(start_mj), NUMBER(refresh_ns), NUMBER(jitter_ns), NUMBER(seed), NUMBER(average_ns), NUMBER(lag_ns),
    NUMBER(frozen_ns), NUMBER(delay_us), NUMBER(limit_mw), NUMBER(max_limit_mw), NUMBER(temperature_c),
    NUMBER(sm_util), NUMBER(memory_util), NUMBER(memory_total), NUMBER(memory_used), NUMBER(mig), NUMBER(fault),
    NUMBER(handle_fault), NUMBER(energy_fault), NUMBER(power_fault), NUMBER(sm_mhz), NUMBER(max_sm_mhz),
    NUMBER(capability),
};

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t rounded(double value) { return (int64_t)(value < 0 ? value - 0.5 : value + 0.5); }

static void put_text(char *target, const char *value) { snprintf(target, TEXT, "%s", value); }

static void add_power(Gpu *gpu, int64_t t_ns, int64_t mw) {
    if (gpu->power_count < MAX_POWERS) gpu->powers[gpu->power_count++] = (Power){ t_ns, mw };
}

static void put_steps(Gpu *gpu, const char *steps) {
    long t_ns;
    double w;
    int used;
    while (sscanf(steps, " %ld:%lf%n", &t_ns, &w, &used) == 2) {
        add_power(gpu, t_ns, rounded(w * 1e3));
        steps += used;
    }
}

static void put_trace(Gpu *gpu, const char *text) {
    char shape[16] = "";
    double a = 0, b = 0, c = 0, d = 0;
    int used = 0;
    sscanf(text, "%15s%n", shape, &used);
    gpu->power_count = 0;
    if (!strcmp(shape, "steps")) { put_steps(gpu, text + used); return; }
    sscanf(text + used, "%lf %lf %lf %lf", &a, &b, &c, &d);
    gpu->low_mw = rounded(a * 1e3);
    gpu->high_mw = rounded(b * 1e3);
    gpu->period_ns = rounded(c * 1e9);
    gpu->phase_ns = rounded(d * 1e9);
    gpu->pid = (int)c;
    if (!strcmp(shape, "constant")) add_power(gpu, 0, gpu->low_mw);
    if (!strcmp(shape, "square")) gpu->shape = SQUARE;
    if (!strcmp(shape, "ramp")) gpu->shape = RAMP;
    if (!strcmp(shape, "load")) gpu->shape = LOAD;
}

static void put_gpu(Gpu *gpu, const char *key, const char *value) {
    if (!strcmp(key, "uuid")) put_text(gpu->uuid, value);
    if (!strcmp(key, "name")) put_text(gpu->name, value);
    if (!strcmp(key, "trace")) put_trace(gpu, value);
    if (!strcmp(key, "power")) {
        long t_ns, mw;
        if (sscanf(value, "%ld:%ld", &t_ns, &mw) == 2) add_power(gpu, t_ns, mw);
    }
    if (!strcmp(key, "process") && gpu->process_count < MAX_PROCESSES) {
        Process *process = &gpu->processes[gpu->process_count++];
        sscanf(value, "%u:%llu:%u:%u", &process->pid, &process->bytes, &process->sm, &process->memory);
    }
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        if (strcmp(key, NUMBERS[i].key)) continue;
        void *field = (char *)gpu + NUMBERS[i].offset;
        if (NUMBERS[i].wide) *(int64_t *)field = atoll(value);
        else *(int *)field = atoi(value);
    }
}

static void put_global(const char *key, const char *value) {
    if (!strcmp(key, "driver")) put_text(config.driver, value);
    if (!strcmp(key, "init")) config.init = atoi(value);
    if (!strcmp(key, "count_fault")) config.count_fault = atoi(value);
}

static void parse(FILE *file) {
    static char line[MAX_POWERS * 40]; /* a trace of steps is one line */
    Gpu *gpu = NULL;
    int in_mig = 0;
    memset(&config, 0, sizeof config);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        char *value = strchr(line, '=');
        if (value) *value++ = 0;
        if (!strcmp(line, "[gpu]") && config.gpu_count < MAX_GPUS) {
            gpu = &config.gpus[config.gpu_count];
            gpu->number = config.gpu_count++;
            gpu->mig = -1;
            in_mig = 0;
        } else if (!strcmp(line, "[mig]")) in_mig = 1;
        else if (!value) continue;
        else if (!gpu) put_global(line, value);
        else if (!in_mig) put_gpu(gpu, line, value);
        else if (!strcmp(line, "uuid") && gpu->mig_count < MAX_MIGS) put_text(gpu->migs[gpu->mig_count++], value);
    }
}

static void put_trouble(Trouble *now, const Trouble *before, const char *fault, double argument) {
    int64_t since_ns = argument > 0 ? (int64_t)argument : now_ns();
    if (!strcmp(fault, "lost")) now->fault = GPU_IS_LOST;
    if (!strcmp(fault, "no_permission")) now->energy_fault = now->power_fault = NO_PERMISSION;
    if (!strcmp(fault, "unknown")) now->energy_fault = now->power_fault = UNKNOWN;
    if (!strcmp(fault, "no_counter")) now->energy_fault = NOT_SUPPORTED;
    if (!strcmp(fault, "no_power")) now->power_fault = NOT_SUPPORTED;
    if (!strcmp(fault, "slow")) now->delay_us = rounded(argument * 1e3);
    if (!strcmp(fault, "frozen")) now->frozen_ns = before->frozen_ns && argument <= 0 ? before->frozen_ns : since_ns;
    if (!strcmp(fault, "reset")) now->reset_ns = before->reset_ns && argument <= 0 ? before->reset_ns : since_ns;
}

static void parse_troubles(FILE *file) {
    static Trouble before[MAX_GPUS];
    char line[256], fault[32];
    memcpy(before, troubles, sizeof before);
    memset(troubles, 0, sizeof troubles);
    while (file && fgets(line, sizeof line, file)) {
        int number;
        double argument = 0; /* exact for times up to 2^53 ns: 104 days of uptime */
        if (sscanf(line, "gpu%d %31s %lf", &number, fault, &argument) < 2) continue;
        if (number >= 0 && number < MAX_GPUS) put_trouble(&troubles[number], &before[number], fault, argument);
    }
}

static int same_file(const struct stat *a, const struct stat *b) {
    return a->st_ino == b->st_ino && a->st_size == b->st_size && !memcmp(&a->st_mtim, &b->st_mtim, sizeof a->st_mtim);
}

/* Read the descriptions again where they changed; looks at most once a millisecond. The caller holds the lock. */
static void refresh_config(void) {
    int64_t t_ns = now_ns();
    if (checked_ns && t_ns - checked_ns < CHECK_NS) return;
    checked_ns = t_ns;
    const char *path = getenv("GREENNB_NVML_STUB"), *rig = getenv("GREENNB_RIG");
    char faults[4096];
    struct stat now;
    if (path && !stat(path, &now) && !same_file(&now, &config_stat)) {
        FILE *file = fopen(path, "r");
        if (file) {
            parse(file);
            fclose(file);
            config_stat = now;
        }
    }
    if (!rig) return;
    snprintf(faults, sizeof faults, "%s/faults", rig);
    if (stat(faults, &now)) memset(&now, 0, sizeof now);
    if (same_file(&now, &troubles_stat)) return;
    FILE *file = now.st_ino ? fopen(faults, "r") : NULL;
    parse_troubles(file);
    if (file) fclose(file);
    troubles_stat = now;
}

/* Lay the faults of the moment over a copy of its board. */
static void trouble(Gpu *gpu) {
    const Trouble *now = &troubles[gpu->number];
    if (now->fault) gpu->fault = now->fault;
    if (now->energy_fault) gpu->energy_fault = now->energy_fault;
    if (now->power_fault) gpu->power_fault = now->power_fault;
    if (now->frozen_ns) gpu->frozen_ns = now->frozen_ns;
    gpu->delay_us += now->delay_us;
    gpu->reset_ns = now->reset_ns;
}

/* ---- energy and power as functions of time; picojoules are milliwatts times nanoseconds ---- */

typedef __int128 Pj;

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* Low for the first half of a period (rounded down), high for the rest; the period's own zero is at 0. */
static Pj square_pj(const Gpu *gpu, int64_t t_ns) {
    int64_t half_ns = gpu->period_ns / 2, periods = floor_div(t_ns, gpu->period_ns);
    int64_t into_ns = t_ns - periods * gpu->period_ns, low_ns = into_ns < half_ns ? into_ns : half_ns;
    Pj whole = (Pj)gpu->low_mw * half_ns + (Pj)gpu->high_mw * (gpu->period_ns - half_ns);
    return whole * periods + (Pj)gpu->low_mw * low_ns + (Pj)gpu->high_mw * (into_ns - low_ns);
}

static Pj ramp_pj(const Gpu *gpu, int64_t t_ns) {
    Pj s = gpu->period_ns, periods = t_ns / gpu->period_ns, x = t_ns % gpu->period_ns;
    return (periods * (gpu->low_mw + gpu->high_mw) * s * s + 2 * s * gpu->low_mw * x
            + (gpu->high_mw - gpu->low_mw) * x * x) / (2 * s);
}

static Pj steps_pj(const Gpu *gpu, int64_t t_ns) {
    Pj sum = 0;
    for (int i = 0; i < gpu->power_count; i++) {
        int64_t begin = gpu->powers[i].t_ns;
        int64_t end = i + 1 < gpu->power_count ? gpu->powers[i + 1].t_ns : INT64_MAX;
        if (t_ns <= begin) break;
        sum += (Pj)gpu->powers[i].mw * ((t_ns < end ? t_ns : end) - begin);
    }
    return sum;
}

/* CPU time of the load's process, as read with the first call after each tick; a process that ended adds no more. */
typedef struct { int64_t tick_ns, cpu_ns, tick_before_ns, cpu_before_ns; } Load;

static Load *load_at(const Gpu *gpu, int64_t tick_ns) {
    static Load loads[MAX_GPUS];
    Load *load = &loads[gpu->number];
    struct timespec cpu;
    clockid_t clock = CLOCK_PROCESS_CPUTIME_ID;
    if (tick_ns <= load->tick_ns) return load;
    load->tick_before_ns = load->tick_ns;
    load->cpu_before_ns = load->cpu_ns;
    load->tick_ns = tick_ns;
    if ((gpu->pid <= 0 || !clock_getcpuclockid(gpu->pid, &clock)) && !clock_gettime(clock, &cpu))
        load->cpu_ns = (int64_t)cpu.tv_sec * 1000000000 + cpu.tv_nsec;
    return load;
}

/* Picojoules from the clock's zero to t_ns. */
static Pj energy_pj(const Gpu *gpu, int64_t t_ns) {
    if (gpu->shape == STEPS || t_ns < 0) return steps_pj(gpu, t_ns);
    if (gpu->shape == SQUARE) return square_pj(gpu, t_ns - gpu->phase_ns) - square_pj(gpu, -gpu->phase_ns);
    if (gpu->shape == RAMP) return ramp_pj(gpu, t_ns);
    return (Pj)gpu->low_mw * t_ns + (Pj)gpu->high_mw * load_at(gpu, t_ns)->cpu_ns;
}

static uint64_t mixed(uint64_t x) { /* the finaliser of splitmix64 (Steele, Lea and Flood 2014) */
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* How much later than on the grid tick k comes: -jitter_ns to jitter_ns, evenly. */
static int64_t jitter(const Gpu *gpu, int64_t k) {
    if (!gpu->jitter_ns) return 0;
    uint64_t drawn = mixed((uint64_t)gpu->seed * 0x9e3779b97f4a7c15u + (uint64_t)k);
    return (int64_t)(drawn % (uint64_t)(2 * gpu->jitter_ns + 1)) - gpu->jitter_ns;
}

/* The time of the last tick at t_ns. */
static int64_t tick_ns(const Gpu *gpu, int64_t t_ns) {
    if (gpu->refresh_ns <= 0) return t_ns;
    int64_t k = t_ns / gpu->refresh_ns + 1;
    while (k > 0 && k * gpu->refresh_ns + jitter(gpu, k) > t_ns) k--;
    return k * gpu->refresh_ns + jitter(gpu, k);
}

static int64_t counter_mj(const Gpu *gpu, int64_t t_ns) {
    if (gpu->frozen_ns && t_ns > gpu->frozen_ns) t_ns = gpu->frozen_ns;
    Pj pj = energy_pj(gpu, tick_ns(gpu, t_ns)) + (Pj)gpu->start_mj * 1000000000;
    if (gpu->reset_ns && t_ns >= gpu->reset_ns) pj -= energy_pj(gpu, gpu->reset_ns) + (Pj)gpu->start_mj * 1000000000;
    return pj < 0 ? 0 : (int64_t)(pj / 1000000000);
}

/* The power of one moment: of steps exactly, else the mean of the microsecond before it. */
static int64_t moment_mw(const Gpu *gpu, int64_t t_ns) {
    int64_t mw = 0;
    if (gpu->shape != STEPS) return (int64_t)((energy_pj(gpu, t_ns) - energy_pj(gpu, t_ns - 1000)) / 1000);
    for (int i = 0; i < gpu->power_count && gpu->powers[i].t_ns <= t_ns; i++) mw = gpu->powers[i].mw;
    return mw;
}

static int64_t load_mw(const Gpu *gpu, int64_t t_ns) {
    const Load *load = load_at(gpu, t_ns);
    int64_t span_ns = load->tick_before_ns ? load->tick_ns - load->tick_before_ns : 0;
    return gpu->low_mw + (span_ns ? gpu->high_mw * (load->cpu_ns - load->cpu_before_ns) / span_ns : 0);
}

static int64_t power_mw(const Gpu *gpu, int64_t t_ns, int64_t average_ns) {
    int64_t end_ns = tick_ns(gpu, t_ns) - gpu->lag_ns;
    if (gpu->shape == LOAD) return load_mw(gpu, tick_ns(gpu, t_ns));
    if (!average_ns) return moment_mw(gpu, end_ns);
    return (int64_t)((energy_pj(gpu, end_ns) - energy_pj(gpu, end_ns - average_ns)) / average_ns);
}

#endif
