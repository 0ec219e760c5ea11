/* A libnvidia-ml.so.1 without a GPU, for the unmodified pynvml and for anybody else who loads NVML.
 *
 * nvml_rig.h says what its boards are and how they are described. As a strict NVML would, it answers "uninitialized" in
 * a forked child until the child initialises it.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <unistd.h>

#include "nvml_rig.h"

static int references;
static pid_t owner;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

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
    trouble(gpu);
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
    checked_ns = 0;
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
    return leave(config.gpus[index].handle_fault ? config.gpus[index].handle_fault : troubles[index].fault);
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

/* A board whose sensor is to be read, after the time that this takes. */
static int sensor_of(Handle handle, Gpu *gpu) {
    int code = gpu_of(handle, gpu);
    if (!code && gpu->delay_us) usleep(gpu->delay_us);
    return code;
}

int nvmlDeviceGetTotalEnergyConsumption(Handle handle, unsigned long long *mj) {
    Gpu gpu;
    int code = sensor_of(handle, &gpu);
    if (code || (code = gpu.energy_fault)) return code;
    pthread_mutex_lock(&lock); /* the load's CPU time is shared */
    *mj = counter_mj(&gpu, now_ns());
    return leave(OK);
}

static int read_power(Handle handle, unsigned *mw, int instant) {
    Gpu gpu;
    int code = sensor_of(handle, &gpu);
    if (code || (code = gpu.power_fault)) return code;
    pthread_mutex_lock(&lock);
    *mw = (unsigned)power_mw(&gpu, now_ns(), instant ? 0 : gpu.average_ns);
    return leave(OK);
}

int nvmlDeviceGetPowerUsage(Handle handle, unsigned *mw) { return read_power(handle, mw, 0); }

typedef struct {
    unsigned field, scope;
    long long timestamp_us, latency_us;
    unsigned type;
    int code;
    union { unsigned number; unsigned long long wide; } value;
} FieldValue;

/* The fields that meters ask for: power, as mean and of the moment. */
int nvmlDeviceGetFieldValues(Handle handle, int count, FieldValue *values) {
    enum { POWER_AVERAGE = 185, POWER_INSTANT = 186, UNSIGNED_INT = 1 };
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    for (int i = 0; !code && i < count; i++) {
        unsigned field = values[i].field;
        values[i].type = UNSIGNED_INT;
        values[i].code = field != POWER_AVERAGE && field != POWER_INSTANT
                             ? NOT_SUPPORTED : read_power(handle, &values[i].value.number, field == POWER_INSTANT);
    }
    return code;
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

int nvmlDeviceGetEnforcedPowerLimit(Handle handle, unsigned *mw) {
    return nvmlDeviceGetPowerManagementLimit(handle, mw);
}

int nvmlDeviceGetPowerManagementDefaultLimit(Handle handle, unsigned *mw) {
    unsigned low;
    return nvmlDeviceGetPowerManagementLimitConstraints(handle, &low, mw);
}

static int read_clock(Handle handle, int clock, unsigned *mhz, int highest) {
    enum { GRAPHICS = 0, SM = 1 };
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    if (code) return code;
    *mhz = (unsigned)(highest ? gpu.max_sm_mhz : gpu.sm_mhz);
    return *mhz && (clock == GRAPHICS || clock == SM) ? OK : NOT_SUPPORTED;
}

int nvmlDeviceGetClockInfo(Handle handle, int clock, unsigned *mhz) { return read_clock(handle, clock, mhz, 0); }

int nvmlDeviceGetMaxClockInfo(Handle handle, int clock, unsigned *mhz) { return read_clock(handle, clock, mhz, 1); }

int nvmlDeviceGetCudaComputeCapability(Handle handle, int *major, int *minor) {
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    if (code) return code;
    *major = (int)gpu.capability / 10;
    *minor = (int)gpu.capability % 10;
    return gpu.capability ? OK : NOT_SUPPORTED;
}

int nvmlDeviceGetTemperature(Handle handle, int sensor, unsigned *celsius) {
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    if (!code) *celsius = (unsigned)gpu.temperature_c;
    return code ? code : sensor ? INVALID_ARGUMENT : OK;
}

typedef struct { unsigned gpu, memory; } Utilization;

int nvmlDeviceGetUtilizationRates(Handle handle, Utilization *rates) {
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    if (!code) *rates = (Utilization){ (unsigned)gpu.sm_util, (unsigned)gpu.memory_util };
    return code;
}

typedef struct { unsigned long long total, free, used; } Memory;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } MemoryV2;

int nvmlDeviceGetMemoryInfo(Handle handle, Memory *memory) {
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    if (!code) *memory = (Memory){ gpu.memory_total, gpu.memory_total - gpu.memory_used, gpu.memory_used };
    return code;
}

int nvmlDeviceGetMemoryInfo_v2(Handle handle, MemoryV2 *memory) {
    Memory plain;
    int code = nvmlDeviceGetMemoryInfo(handle, &plain);
    if (!code) *memory = (MemoryV2){ memory->version, plain.total, 0, plain.free, plain.used };
    return code;
}

int nvmlDeviceGetComputeMode(Handle handle, int *mode) {
    Gpu gpu;
    *mode = 0;
    return gpu_of(handle, &gpu);
}

int nvmlDeviceGetArchitecture(Handle handle, unsigned *architecture) {
    enum { HOPPER = 9 };
    Gpu gpu;
    *architecture = HOPPER;
    return gpu_of(handle, &gpu);
}

typedef struct { unsigned pid; unsigned long long bytes; unsigned gpu_instance, compute_instance; } ProcessInfo;

int nvmlDeviceGetComputeRunningProcesses_v3(Handle handle, unsigned *count, ProcessInfo *infos) {
    Gpu gpu;
    int code = gpu_of(handle, &gpu);
    if (code) return code;
    unsigned room = infos ? *count : 0;
    *count = (unsigned)gpu.process_count;
    if (room < *count) return INSUFFICIENT_SIZE;
    for (unsigned i = 0; i < *count; i++) {
        const Process *process = &gpu.processes[i];
        infos[i] = (ProcessInfo){ process->pid ? process->pid : (unsigned)getpid(), process->bytes, -1u, -1u };
    }
    return OK;
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(Handle handle, unsigned *count, ProcessInfo *infos) {
    Gpu gpu;
    (void)infos;
    *count = 0;
    return gpu_of(handle, &gpu);
}

typedef struct { unsigned pid; unsigned long long t_us; unsigned sm, memory, encoder, decoder; } ProcessShare;

/* Shares of the last tick; NOT_FOUND where there is none newer than last_us (microseconds since 1970). */
int nvmlDeviceGetProcessUtilization(Handle handle, ProcessShare *shares, unsigned *count, unsigned long long last_us) {
    Gpu gpu;
    struct timespec wall;
    int code = gpu_of(handle, &gpu);
    if (code) return code;
    clock_gettime(CLOCK_REALTIME, &wall);
    int64_t t_ns = now_ns(), age_ns = t_ns - tick_ns(&gpu, t_ns);
    unsigned long long t_us = ((unsigned long long)wall.tv_sec * 1000000000 + wall.tv_nsec - age_ns) / 1000;
    unsigned room = shares ? *count : 0;
    *count = t_us > last_us ? (unsigned)gpu.process_count : 0;
    if (!*count) return NOT_FOUND;
    if (room < *count) return INSUFFICIENT_SIZE;
    for (unsigned i = 0; i < *count; i++) {
        const Process *process = &gpu.processes[i];
        unsigned pid = process->pid ? process->pid : (unsigned)getpid();
        shares[i] = (ProcessShare){ pid, t_us, process->sm, process->memory, 0, 0 };
    }
    return OK;
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
