/* A libnvidia-ml.so.1 without a GPU, for the unmodified pynvml and for anybody else who loads NVML.
 *
 * It describes its boards by the file that GREENNB_NVML_STUB names, and reads that file again whenever it changes:
 * boards and faults can be switched while a process runs. Energy is a pure function of the file and of
 * CLOCK_MONOTONIC, so every process that reads the same file sees the same counter, and a test can compute the truth.
 *
 * The file: lines "key=value"; "[gpu]" begins a board, "[mig]" an instance of the board before it.
 *   before the first [gpu]:  driver, init (a return code), count_fault (a return code)
 *   [gpu]:  uuid, name
 *           power=T_NS:MILLIWATTS    from T_NS on this power, until the next one's T_NS (in order; repeatable)
 *           start_mj                 the counter at the first power's T_NS
 *           refresh_ns               energy and power change only at multiples of this
 *           average_ns               power is the mean over this time before the last refresh (0: the power then)
 *           frozen_ns                the counter stands still from this time on (0: never)
 *           delay_us                 every read of energy or power takes this long
 *           limit_mw, max_limit_mw   0: not supported
 *           mig                      -1: not supported, 0: off, 1: on
 *           fault, handle_fault, energy_fault, power_fault     return codes: of every call about the board, of finding
 *                                    it, of its energy, of its power
 *   [mig]:  uuid
 *
 * As a strict NVML would, it answers "uninitialized" in a forked child until the child initialises it.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7,
       DRIVER_NOT_LOADED = 9 };
enum { MAX_GPUS = 64, MAX_POWERS = 256, MAX_MIGS = 8, TEXT = 128 };

/* ---- what the file says ---- */

typedef struct { int64_t t_ns; int64_t mw; } Power;

typedef struct {
    char uuid[TEXT], name[TEXT];
    Power powers[MAX_POWERS];
    int power_count;
    int64_t start_mj, refresh_ns, average_ns, frozen_ns, delay_us, limit_mw, max_limit_mw;
    int mig, fault, handle_fault, energy_fault, power_fault;
    char migs[MAX_MIGS][TEXT];
    int mig_count;
} Gpu;

typedef struct {
    char driver[TEXT];
    int init, count_fault, gpu_count;
    Gpu gpus[MAX_GPUS];
} Config;

static Config config;
static struct stat config_stat;
static int references;
static pid_t owner;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

typedef struct { const char *key; size_t offset; int wide; } Field;
#define NUMBER(key) { #key, offsetof(Gpu, key), sizeof(((Gpu *)0)->key) == sizeof(int64_t) }
static const Field NUMBERS[] = {
    NUMBER(start_mj), NUMBER(refresh_ns), NUMBER(average_ns), NUMBER(frozen_ns), NUMBER(delay_us), NUMBER(limit_mw),
    NUMBER(max_limit_mw), NUMBER(mig), NUMBER(fault), NUMBER(handle_fault), NUMBER(energy_fault), NUMBER(power_fault),
};

static void put_text(char *target, const char *value) { snprintf(target, TEXT, "%s", value); }

static void put_gpu(Gpu *gpu, const char *key, const char *value) {
    if (!strcmp(key, "uuid")) put_text(gpu->uuid, value);
    if (!strcmp(key, "name")) put_text(gpu->name, value);
    if (!strcmp(key, "power") && gpu->power_count < MAX_POWERS) {
        Power *power = &gpu->powers[gpu->power_count++];
        sscanf(value, "%ld:%ld", &power->t_ns, &power->mw);
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
    char line[512];
    Gpu *gpu = NULL;
    int in_mig = 0;
    memset(&config, 0, sizeof config);
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        char *value = strchr(line, '=');
        if (value) *value++ = 0;
        if (!strcmp(line, "[gpu]") && config.gpu_count < MAX_GPUS) {
            gpu = &config.gpus[config.gpu_count++];
            gpu->mig = -1;
            in_mig = 0;
        } else if (!strcmp(line, "[mig]")) in_mig = 1;
        else if (!value) continue;
        else if (!gpu) put_global(line, value);
        else if (!in_mig) put_gpu(gpu, line, value);
        else if (!strcmp(line, "uuid") && gpu->mig_count < MAX_MIGS) put_text(gpu->migs[gpu->mig_count++], value);
    }
}

/* Read the file again if it is another one, or another version, than last time. The lock is held. */
static void refresh_config(void) {
    const char *path = getenv("GREENNB_NVML_STUB");
    struct stat now;
    if (!path || stat(path, &now)) return;
    if (now.st_ino == config_stat.st_ino && now.st_size == config_stat.st_size &&
        !memcmp(&now.st_mtim, &config_stat.st_mtim, sizeof now.st_mtim)) return;
    FILE *file = fopen(path, "r");
    if (!file) return;
    parse(file);
    fclose(file);
    config_stat = now;
}

/* ---- energy and power as functions of time ---- */

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Picojoules (milliwatts times nanoseconds) up to t_ns, without refresh: exact for any time a test lasts. */
static __int128 energy_pj(const Gpu *gpu, int64_t t_ns) {
    __int128 sum = 0;
    for (int i = 0; i < gpu->power_count; i++) {
        int64_t begin = gpu->powers[i].t_ns;
        int64_t end = i + 1 < gpu->power_count ? gpu->powers[i + 1].t_ns : INT64_MAX;
        if (t_ns <= begin) break;
        sum += (__int128)gpu->powers[i].mw * ((t_ns < end ? t_ns : end) - begin);
    }
    return sum;
}

static int64_t power_mw(const Gpu *gpu, int64_t t_ns) {
    int64_t mw = 0;
    for (int i = 0; i < gpu->power_count && gpu->powers[i].t_ns <= t_ns; i++) mw = gpu->powers[i].mw;
    return mw;
}

/* The time of the last refresh, at which the sensor stands. */
static int64_t sensor_ns(const Gpu *gpu) {
    int64_t t_ns = now_ns();
    if (gpu->frozen_ns && t_ns > gpu->frozen_ns) t_ns = gpu->frozen_ns;
    return gpu->refresh_ns > 0 ? t_ns - t_ns % gpu->refresh_ns : t_ns;
}

/* ---- handles: board i is i + 1; instance k of board i is (i + 1) * 256 + k + 1 ---- */

typedef struct handle_s *Handle;

static Handle handle_of(int gpu, int mig) {
    return (Handle)(intptr_t)(mig < 0 ? gpu + 1 : (gpu + 1) * 256 + mig + 1);
}

static int is_mig(Handle handle) { return (intptr_t)handle >= 256; }

/* Enter a call: OK with the lock held, or the return code with it released. */
static int enter(void) {
    pthread_mutex_lock(&lock);
    int code = references > 0 && owner == getpid() ? OK : UNINITIALIZED;
    if (code == OK) refresh_config();
    else pthread_mutex_unlock(&lock);
    return code;
}

static int leave(int code) {
    pthread_mutex_unlock(&lock);
    return code;
}

/* Copy the board of a handle, so that slow calls hold no lock. */
static int gpu_of(Handle handle, Gpu *gpu) {
    int code = enter();
    if (code) return code;
    intptr_t number = is_mig(handle) ? (intptr_t)handle / 256 : (intptr_t)handle;
    if (number < 1 || number > config.gpu_count) return leave(INVALID_ARGUMENT);
    *gpu = config.gpus[number - 1];
    return leave(gpu->fault);
}

static int copy_text(char *target, unsigned size, const char *text) {
    if (strlen(text) >= size) return INSUFFICIENT_SIZE;
    strcpy(target, text);
    return OK;
}

/* ---- NVML ---- */

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    pthread_mutex_lock(&lock);
    refresh_config();
    if (!config_stat.st_ino) return leave(DRIVER_NOT_LOADED);
    if (config.init) return leave(config.init);
    if (owner != getpid()) references = 0;
    owner = getpid();
    references++;
    return leave(OK);
}

int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }

int nvmlShutdown(void) {
    int code = enter();
    if (code) return code;
    references--;
    return leave(OK);
}

const char *nvmlErrorString(int code) { return code ? "an error of the stub" : "Success"; }

int nvmlSystemGetDriverVersion(char *text, unsigned size) {
    int code = enter();
    return code ? code : leave(copy_text(text, size, config.driver));
}

int nvmlSystemGetNVMLVersion(char *text, unsigned size) { return copy_text(text, size, "12.0"); }

int nvmlDeviceGetCount_v2(unsigned *count) {
    int code = enter();
    if (code) return code;
    *count = config.gpu_count;
    return leave(config.count_fault);
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, Handle *handle) {
    int code = enter();
    if (code) return code;
    if (index >= (unsigned)config.gpu_count) return leave(INVALID_ARGUMENT);
    *handle = handle_of(index, -1);
    return leave(config.gpus[index].handle_fault);
}

int nvmlDeviceGetHandleByUUID(const char *uuid, Handle *handle) {
    int code = enter();
    if (code) return code;
    for (int i = 0; uuid && i < config.gpu_count; i++) {
        const Gpu *gpu = &config.gpus[i];
        int mig = strcmp(uuid, gpu->uuid) ? 0 : -1;
        while (mig >= 0 && mig < gpu->mig_count && strcmp(uuid, gpu->migs[mig])) mig++;
        if (mig >= gpu->mig_count) continue;
        *handle = handle_of(i, mig);
        return leave(gpu->handle_fault);
    }
    return leave(NOT_FOUND);
}

int nvmlDeviceGetUUID(Handle handle, char *text, unsigned size) {
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    if (code) return code;
    return copy_text(text, size, is_mig(handle) ? gpu.migs[(intptr_t)handle % 256 - 1] : gpu.uuid);
}

int nvmlDeviceGetName(Handle handle, char *text, unsigned size) {
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    return code ? code : copy_text(text, size, gpu.name);
}

int nvmlDeviceGetIndex(Handle handle, unsigned *index) {
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    if (!code) *index = (unsigned)((intptr_t)handle - 1);
    return code;
}

int nvmlDeviceGetTotalEnergyConsumption(Handle handle, unsigned long long *mj) {
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    if (code || (code = gpu.energy_fault)) return code;
    if (gpu.delay_us) usleep(gpu.delay_us);
    *mj = gpu.start_mj + (int64_t)(energy_pj(&gpu, sensor_ns(&gpu)) / 1000000000);
    return OK;
}

int nvmlDeviceGetPowerUsage(Handle handle, unsigned *mw) {
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    if (code || (code = gpu.power_fault)) return code;
    if (gpu.delay_us) usleep(gpu.delay_us);
    int64_t t_ns = sensor_ns(&gpu);
    if (!gpu.average_ns) *mw = power_mw(&gpu, t_ns);
    else *mw = (energy_pj(&gpu, t_ns) - energy_pj(&gpu, t_ns - gpu.average_ns)) / gpu.average_ns;
    return OK;
}

int nvmlDeviceGetPowerManagementLimit(Handle handle, unsigned *mw) {
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    if (!code) *mw = gpu.limit_mw;
    return code ? code : gpu.limit_mw ? OK : NOT_SUPPORTED;
}

int nvmlDeviceGetPowerManagementLimitConstraints(Handle handle, unsigned *low, unsigned *high) {
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    if (code) return code;
    *low = 0;
    *high = gpu.max_limit_mw;
    return gpu.max_limit_mw ? OK : NOT_SUPPORTED;
}

int nvmlDeviceGetMigMode(Handle handle, unsigned *current, unsigned *pending) {
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    if (code || (code = gpu.mig < 0 ? NOT_SUPPORTED : OK)) return code;
    *current = *pending = gpu.mig;
    return OK;
}

int nvmlDeviceIsMigDeviceHandle(Handle handle, unsigned *answer) {
    *answer = is_mig(handle);
    return OK;
}

int nvmlDeviceGetDeviceHandleFromMigDeviceHandle(Handle instance, Handle *board) {
    if (!is_mig(instance)) return INVALID_ARGUMENT;
    *board = (Handle)((intptr_t)instance / 256);
    return OK;
}
