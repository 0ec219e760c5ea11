/* A virtual powercap tree, for whoever reads /sys/class/powercap: its counters' energy is known at every time.
 *
 *   powercapfs MOUNTPOINT -f       with GREENNB_RIG the folder that holds the files "zones" and "faults"
 *
 * "zones" has lines "key=value"; "[zone]" begins a zone:
 *   path        its folder's name: intel-rapl:0, intel-rapl:0:1 (inside the former), intel-rapl-mmio:0
 *   name        what the kernel would call it: package-0, core, dram, psys, package-0-die-1
 *   trace       power in time, in the rig's trace language (README.md beside this file), watts
 *   unit_auj    the counter's step in attojoule-millions: microjoules times 10^12 (61.03515625 uJ is 61035156250000)
 *   refresh_ns  the counter moves at multiples of this time of the monotonic clock
 *   start       the counter at the clock's zero, in steps      wrap     where it starts again from 0, in steps
 *   limit_uw    the first power limit, 0 for none
 *
 * "faults" has lines "PATH FAULT [ARGUMENT]", in force while they stand there: eacces, eio, empty, garbage, negative,
 * vanish, slow MILLISECONDS, and at a time of the monotonic clock (0: when it is first seen) frozen T_NS, reset T_NS
 * (the counter begins again at 0), wrap T_NS (the counter reaches its end and begins again at 0). It is read
 * again when it has changed.
 */
#define FUSE_USE_VERSION 31
#define _GNU_SOURCE
#include <errno.h>
#include <fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "powercap_trace.h"

enum { COUNTER_MODE = 0400 };

typedef struct {
    int error, empty, vanished;
    const char *instead;
    int64_t slow_ms, frozen_ns, reset_ns, wrap_ns;
} Trouble;

typedef struct { char line[TEXT]; int64_t t_ns; int current; } FirstSeen;

static int zone_count;
static char faults_path[4096];
static Trouble in_force[MAX_ZONES];
static FirstSeen first_seen[256];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t counted(const Zone *zone, int64_t t_ns) {
    if (zone->refresh_ns > 0) t_ns -= t_ns % zone->refresh_ns;
    return (int64_t)(energy(zone, t_ns) * 1000 / zone->unit_auj);
}

/* What energy_uj shows at t_ns. */
static int64_t shown_uj(const Zone *zone, int64_t t_ns, const Trouble *now) {
    if (now->frozen_ns && t_ns > now->frozen_ns) t_ns = now->frozen_ns;
    int64_t raw = zone->start + counted(zone, t_ns);
    if (now->reset_ns && t_ns >= now->reset_ns) raw = counted(zone, t_ns) - counted(zone, now->reset_ns);
    if (now->wrap_ns) raw += zone->wrap - (zone->start + counted(zone, now->wrap_ns)) % zone->wrap;
    return (int64_t)((Wide)(raw % zone->wrap) * zone->unit_auj / 1000000000000);
}

/* ---- the files that describe it ---- */

static void put_zone(Zone *zone, const char *key, const char *value) {
    if (!strcmp(key, "path")) snprintf(zone->path, TEXT, "%s", value);
    if (!strcmp(key, "name")) snprintf(zone->name, TEXT, "%s", value);
    if (!strcmp(key, "trace")) put_trace(zone, value);
    if (!strcmp(key, "unit_auj")) zone->unit_auj = atoll(value);
    if (!strcmp(key, "refresh_ns")) zone->refresh_ns = atoll(value);
    if (!strcmp(key, "start")) zone->start = atoll(value);
    if (!strcmp(key, "wrap")) zone->wrap = atoll(value);
    if (!strcmp(key, "limit_uw")) zone->limit_uw = atoll(value);
}

static int read_zones(const char *folder) {
    static char line[MAX_STEPS * 40], path[4096];
    snprintf(path, sizeof path, "%s/zones", folder);
    snprintf(faults_path, sizeof faults_path, "%s/faults", folder);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "\r\n")] = 0;
        char *value = strchr(line, '=');
        if (!strcmp(line, "[zone]")) {
            if (zone_count == MAX_ZONES) return 0;
            zone_count++;
        }
        else if (value && zone_count) {
            *value++ = 0;
            put_zone(&zones[zone_count - 1], line, value);
        }
    }
    fclose(file);
    return 1;
}

/* When this line of the faults was first seen since it was last missing. */
static int64_t since(const char *line) {
    FirstSeen *found = NULL, *unused = NULL;
    for (FirstSeen *each = first_seen; each < first_seen + sizeof first_seen / sizeof *first_seen; each++) {
        if (each->t_ns && !strcmp(each->line, line)) found = each;
        if (!each->t_ns && !unused) unused = each;
    }
    if (!found) {
        found = unused ? unused : first_seen;
        snprintf(found->line, TEXT, "%s", line);
        found->t_ns = now_ns();
    }
    found->current = 1;
    return found->t_ns;
}

static void forget_the_missing(void) {
    for (FirstSeen *each = first_seen; each < first_seen + sizeof first_seen / sizeof *first_seen; each++) {
        if (!each->current) each->t_ns = 0;
        each->current = 0;
    }
}

static void put_fault(Trouble *now, const char *line, const char *fault, int64_t argument) {
    int64_t at_ns = argument > 0 ? argument : since(line);
    if (!strcmp(fault, "eacces")) now->error = EACCES;
    if (!strcmp(fault, "eio")) now->error = EIO;
    if (!strcmp(fault, "vanish")) now->vanished = 1;
    if (!strcmp(fault, "empty")) now->empty = 1;
    if (!strcmp(fault, "garbage")) now->instead = "not a number\n";
    if (!strcmp(fault, "negative")) now->instead = "-61\n";
    if (!strcmp(fault, "slow")) now->slow_ms = argument;
    if (!strcmp(fault, "frozen")) now->frozen_ns = at_ns;
    if (!strcmp(fault, "reset")) now->reset_ns = at_ns;
    if (!strcmp(fault, "wrap")) now->wrap_ns = at_ns;
}

static void read_faults(void) {
    char line[TEXT], path[TEXT], fault[32];
    FILE *file = fopen(faults_path, "r");
    memset(in_force, 0, sizeof in_force);
    while (file && fgets(line, sizeof line, file)) {
        long argument = 0;
        if (sscanf(line, "%127s %31s %ld", path, fault, &argument) < 2) continue;
        for (int i = 0; i < zone_count; i++)
            if (!strcmp(path, zones[i].path)) put_fault(&in_force[i], line, fault, argument);
    }
    forget_the_missing();
    if (file) fclose(file);
}

static Trouble troubles(const Zone *zone) {
    static struct stat seen;
    struct stat now;
    pthread_mutex_lock(&lock);
    if (stat(faults_path, &now)) memset(&now, 0, sizeof now);
    if (now.st_ino != seen.st_ino || now.st_size != seen.st_size
        || memcmp(&now.st_mtim, &seen.st_mtim, sizeof now.st_mtim)) {
        read_faults();
        seen = now;
    }
    Trouble trouble = in_force[zone - zones];
    pthread_mutex_unlock(&lock);
    return trouble;
}

/* ---- the tree: control types, in them zones, in them zones and files; flat links to every zone at the top ---- */

static const char *const FILES[] = { "energy_uj", "max_energy_range_uj", "name", "enabled", "constraint_0_name",
                                     "constraint_0_power_limit_uw", NULL };

static const char *last(const char *path) { return strrchr(path, '/') + 1; }

static Zone *zone_named(const char *name, size_t length) {
    for (int i = 0; i < zone_count; i++)
        if (strlen(zones[i].path) == length && !strncmp(zones[i].path, name, length)) return &zones[i];
    return NULL;
}

static size_t parent_length(const char *path) { return (size_t)(strrchr(path, ':') - path); }

static int is_control(const char *name) {
    for (int i = 0; i < zone_count; i++)
        if (strlen(name) == strcspn(zones[i].path, ":") && !strncmp(zones[i].path, name, strlen(name))) return 1;
    return 0;
}

/* Where a flat link leads: "intel-rapl/intel-rapl:0/intel-rapl:0:1". */
static void target(const Zone *zone, char *text, size_t size) {
    size_t used = strcspn(zone->path, ":");
    snprintf(text, size, "%.*s", (int)used, zone->path);
    for (const char *colon = zone->path + used; colon; ) {
        const char *next = strchr(colon + 1, ':');
        size_t length = next ? (size_t)(next - zone->path) : strlen(zone->path), at = strlen(text);
        snprintf(text + at, size - at, "/%.*s", (int)length, zone->path);
        colon = next;
    }
}

typedef struct { Zone *zone; const char *file; } Place;

/* The zone in whose folder path lies, and the file's name where it is one; zone NULL elsewhere. */
static Place place(const char *path) {
    const char *name = last(path);
    Zone *zone = zone_named(name, strlen(name));
    if (zone) return (Place){ zone, NULL };
    const char *slash = name - 1, *before = slash;
    while (before > path && before[-1] != '/') before--;
    zone = slash > path ? zone_named(before, (size_t)(slash - before)) : NULL;
    return (Place){ zone, zone ? name : NULL };
}

static int known(const char *const *names, const char *name) {
    for (; *names; names++)
        if (!strcmp(*names, name)) return 1;
    return 0;
}

static int vanished(const Zone *zone) {
    if (!zone) return 0;
    Trouble now = troubles(zone);
    return now.vanished;
}

static int get_attributes(const char *path, struct stat *st, struct fuse_file_info *info) {
    (void)info;
    memset(st, 0, sizeof *st);
    const char *name = last(path);
    Place at = place(path);
    st->st_nlink = 1;
    if (vanished(at.zone)) return -ENOENT;
    if (!strcmp(path, "/") || is_control(name)) st->st_mode = S_IFDIR | 0555;
    else if (!strcmp(name, "subsystem")) st->st_mode = S_IFLNK | 0777;
    else if (at.zone && !at.file) st->st_mode = (name == path + 1 ? S_IFLNK | 0777 : S_IFDIR | 0555);
    else if (at.zone && known(FILES, at.file)) {
        st->st_mode = S_IFREG | (strcmp(at.file, "energy_uj") ? 0444 : COUNTER_MODE);
        st->st_size = 4096;
    } else if (!at.zone && !strcmp(name, "enabled")) {
        st->st_mode = S_IFREG | 0444;
        st->st_size = 4096;
    } else return -ENOENT;
    return 0;
}

static int read_link(const char *path, char *text, size_t size) {
    Place at = place(path);
    if (!strcmp(last(path), "subsystem")) snprintf(text, size, "..");
    else if (at.zone && !at.file) target(at.zone, text, size);
    else return -EINVAL;
    return 0;
}

static int list(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info *info,
                enum fuse_readdir_flags flags) {
    (void)offset, (void)info, (void)flags;
    const char *name = last(path);
    Place at = place(path);
    fill(buffer, ".", NULL, 0, 0);
    fill(buffer, "..", NULL, 0, 0);
    for (int i = 0; i < zone_count; i++) {
        const char *zone = zones[i].path;
        int top = !strchr(strchr(zone, ':') + 1, ':');
        int here = !strcmp(path, "/") || (strlen(name) == parent_length(zone) && !strncmp(name, zone, strlen(name)));
        if (here && !vanished(&zones[i])) fill(buffer, zone, NULL, 0, 0);
        size_t length = strcspn(zone, ":");
        int first = top;
        for (int j = 0; j < i; j++) first &= strncmp(zones[j].path, zone, length + 1) != 0;
        if (!strcmp(path, "/") && first) {
            char control[TEXT];
            snprintf(control, sizeof control, "%.*s", (int)length, zone);
            fill(buffer, control, NULL, 0, 0);
        }
    }
    for (const char *const *file = FILES; at.zone && *file; file++) fill(buffer, *file, NULL, 0, 0);
    if (!at.zone && strcmp(path, "/")) {
        fill(buffer, "enabled", NULL, 0, 0);
        fill(buffer, "subsystem", NULL, 0, 0);
    }
    return 0;
}

static int open_file(const char *path, struct fuse_file_info *info) {
    Place at = place(path);
    if (at.zone && at.file && !strcmp(at.file, "energy_uj")) {
        Trouble now = troubles(at.zone);
        if (now.error == EACCES) return -EACCES;
    }
    info->direct_io = 1;
    return 0;
}

static int energy_text(const Zone *zone, char *text, size_t size) {
    Trouble now = troubles(zone);
    if (now.slow_ms) usleep((useconds_t)now.slow_ms * 1000);
    if (now.vanished) return -ENODEV;
    if (now.error) return -now.error;
    if (now.empty) return 0;
    if (now.instead) return snprintf(text, size, "%s", now.instead);
    return snprintf(text, size, "%ld\n", (long)shown_uj(zone, now_ns(), &now));
}

static int read_file(const char *path, char *buffer, size_t size, off_t offset, struct fuse_file_info *info) {
    (void)info;
    char text[256] = "";
    Place at = place(path);
    int length;
    if (!at.zone || !strcmp(at.file, "enabled")) length = snprintf(text, sizeof text, "1\n");
    else if (!strcmp(at.file, "energy_uj")) length = offset ? 0 : energy_text(at.zone, text, sizeof text);
    else if (!strcmp(at.file, "name")) length = snprintf(text, sizeof text, "%s\n", at.zone->name);
    else if (!strcmp(at.file, "constraint_0_name")) length = snprintf(text, sizeof text, "long_term\n");
    else if (!strcmp(at.file, "constraint_0_power_limit_uw"))
        length = snprintf(text, sizeof text, "%ld\n", (long)at.zone->limit_uw);
    else length = snprintf(text, sizeof text, "%ld\n", (long)((Wide)at.zone->wrap * at.zone->unit_auj / 1000000000000));
    if (length < 0) return length;
    if (offset >= length) return 0;
    size_t left = (size_t)(length - offset), count = left < size ? left : size;
    memcpy(buffer, text + offset, count);
    return (int)count;
}

static void *begin(struct fuse_conn_info *connection, struct fuse_config *config) {
    (void)connection;
    config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
    return NULL;
}

int main(int count, char **arguments) {
    static const struct fuse_operations operations = {
        .init = begin, .getattr = get_attributes, .readlink = read_link, .readdir = list, .open = open_file,
        .read = read_file,
    };
    const char *folder = getenv("GREENNB_RIG");
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* the launcher that is killed takes the tree with it */
    if (!folder || !read_zones(folder)) {
        fprintf(stderr, "powercapfs: set GREENNB_RIG to a folder with a file \"zones\" of at most %d\n", MAX_ZONES);
        return 2;
    }
    return fuse_main(count, arguments, &operations, NULL);
}
