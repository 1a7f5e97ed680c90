/* What ranks see of each other: who and where they are, whether one may read another's memory, and messages of all
 * sizes whose every byte is looked at.  Rank 0 prints one JSON object on one line.
 *
 *   probe world             per rank: namespaces, the image, variables that change transports, direct reads of memory
 *   probe messages up|down  exchange of verified messages, 8 B to 64 MiB, smallest or largest first
 *   probe speed SECONDS     two ranks: GB/s by size, 64 KiB to 64 MiB, each the best of short windows in that time
 *
 * process_vm_readv and process_vm_writev are the program's own: they count and pass on, so that what the MPI library
 * does with them is seen without any tool.  C11, no dependency but MPI. */
#define _GNU_SOURCE
#include <errno.h>
#include <mpi.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { kLargest = 64 << 20, kText = 8192, kMaxRanks = 64 };

static long reads_done, reads_failed;

/* A library that tries itself, to learn whether the kernel has the call, does not count. */
static ssize_t counted(pid_t pid, ssize_t got) {
    if (pid != getpid()) ++*(got < 0 ? &reads_failed : &reads_done);
    return got;
}

ssize_t process_vm_readv(pid_t pid, const struct iovec* to, unsigned long tos, const struct iovec* from,
                         unsigned long froms, unsigned long flags) {
    return counted(pid, syscall(SYS_process_vm_readv, pid, to, tos, from, froms, flags));
}

ssize_t process_vm_writev(pid_t pid, const struct iovec* from, unsigned long froms, const struct iovec* to,
                          unsigned long tos, unsigned long flags) {
    return counted(pid, syscall(SYS_process_vm_writev, pid, from, froms, to, tos, flags));
}

static int rank, size;

static void fail(const char* what) {
    fprintf(stderr, "probe: rank %d: %s\n", rank, what);
    MPI_Abort(MPI_COMM_WORLD, 3);
}

static void link_of(const char* path, char* text, size_t room) {
    ssize_t got = readlink(path, text, room - 1);
    if (got < 0) fail(path);
    text[got] = '\0';
}

/* ---------------------------------------------------------------------------------------------------- world */
struct Place {
    int64_t pid, address;
    uint64_t secret;
};

/* Space for one rank's text; what does not fit is an error, not cut. */
static char text[kText];
static size_t used;

__attribute__((format(printf, 1, 2))) static void say(const char* format, ...) {
    va_list values;
    va_start(values, format);
    const int wanted = vsnprintf(text + used, sizeof text - used, format, values);
    va_end(values);
    if (wanted < 0 || (size_t)wanted >= sizeof text - used) fail("text too long");
    used += (size_t)wanted;
}

static void say_string(const char* value) {
    say("\"");
    for (; *value != '\0'; ++value) {
        if (*value == '"' || *value == '\\') say("\\");
        if ((unsigned char)*value >= ' ') say("%c", *value);
    }
    say("\"");
}

static void say_variables(void) {
    static const char* const names[] = {"OMPI_MCA_btl",      "OMPI_MCA_smsc", "UCX_",
                                        "MPIR_CVAR_CH4_CMA", "FI_SHM_",       "MV2_"};
    const char* comma = "";
    say("{");
    for (char** entry = environ; *entry != NULL; ++entry) {
        for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
            const char* equals = strchr(*entry, '=');
            if (equals == NULL || strncmp(*entry, names[i], strlen(names[i])) != 0) continue;
            char name[128];
            snprintf(name, sizeof name, "%.*s", (int)(equals - *entry), *entry);
            say("%s", comma);
            say_string(name);
            say(":");
            say_string(equals + 1);
            comma = ",";
        }
    }
    say("}");
}

/* One errno per rank, 0 where its memory could be read and held what it should. */
static void say_reads(const struct Place* places) {
    say("[");
    for (int other = 0; other < size; ++other) {
        uint64_t got = 0;
        struct iovec to = {&got, sizeof got}, from = {(void*)(uintptr_t)places[other].address, sizeof got};
        const long done = syscall(SYS_process_vm_readv, (pid_t)places[other].pid, &to, 1, &from, 1, 0);
        say("%s%d", other ? "," : "", done < 0 ? errno : got == places[other].secret ? 0 : -1);
    }
    say("]");
}

static void world(void) {
    static uint64_t secret;
    struct Place mine, places[kMaxRanks];
    char namespace[64], image[64] = "";
    secret = 0x5eed000000000000ULL + (uint64_t)getpid();
    mine = (struct Place){getpid(), (int64_t)(uintptr_t)&secret, secret};
    MPI_Allgather(&mine, (int)sizeof mine, MPI_BYTE, places, (int)sizeof mine, MPI_BYTE, MPI_COMM_WORLD);
    FILE* name = fopen("/image-name", "r");
    if (name != NULL) {
        if (fgets(image, sizeof image, name) != NULL) image[strcspn(image, "\n")] = '\0';
        fclose(name);
    }
    say("{\"rank\":%d,\"size\":%d,\"pid\":%d,\"image\":", rank, size, getpid());
    say_string(image);
    link_of("/proc/self/ns/user", namespace, sizeof namespace);
    say(",\"user\":\"%s\"", namespace);
    link_of("/proc/self/ns/mnt", namespace, sizeof namespace);
    say(",\"mount\":\"%s\",\"variables\":", namespace);
    say_variables();
    say(",\"reads\":");
    say_reads(places);
    say("}");
    /* Nobody goes while others may still read. */
    MPI_Barrier(MPI_COMM_WORLD);
    char* all = rank == 0 ? malloc((size_t)size * kText) : NULL;
    MPI_Gather(text, kText, MPI_CHAR, all, kText, MPI_CHAR, 0, MPI_COMM_WORLD);
    if (rank != 0) return;
    printf("{\"ranks\":[");
    for (int i = 0; i < size; ++i) printf("%s%s", i ? "," : "", all + (size_t)i * kText);
    printf("]}\n");
    free(all);
}

/* ------------------------------------------------------------------------------------------------- messages */
static uint64_t next(uint64_t* state) {
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state ^ (*state >> 29);
}

static void fill(uint64_t* data, size_t words, uint64_t seed) {
    for (size_t i = 0; i < words; ++i) data[i] = next(&seed);
}

static void check(const uint64_t* data, size_t words, uint64_t seed) {
    for (size_t i = 0; i < words; ++i) {
        if (data[i] != next(&seed)) fail("a message is not what was sent");
    }
}

static uint64_t* buffer(void) {
    uint64_t* made = NULL;
    if (posix_memalign((void**)&made, 4096, kLargest) != 0) fail("no memory");
    memset(made, 0, kLargest);
    return made;
}

/* Pairs of neighbours; the last of an odd number looks on. */
static void exchange(uint64_t* data, size_t bytes) {
    const int other = rank ^ 1;
    const size_t words = bytes / sizeof *data;
    for (int first = 0; first < 2; ++first) {
        const uint64_t seed = bytes * 2 + (uint64_t)first;
        if ((rank & 1) == first) {
            fill(data, words, seed);
            MPI_Send(data, (int)bytes, MPI_BYTE, other, first, MPI_COMM_WORLD);
        } else {
            memset(data, 0, bytes);
            MPI_Recv(data, (int)bytes, MPI_BYTE, other, first, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            check(data, words, seed);
        }
    }
}

static void messages(int up) {
    uint64_t* data = buffer();
    int sizes = 0;
    for (size_t low = 8; low <= kLargest; low *= 2) {
        const size_t bytes = up ? low : 8 * ((size_t)kLargest / low);
        if ((rank ^ 1) < size) exchange(data, bytes);
        ++sizes;
    }
    long mine[2] = {reads_done, reads_failed}, sum[2] = {0, 0};
    MPI_Reduce(mine, sum, 2, MPI_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0) printf("{\"size\":%d,\"sizes\":%d,\"copies\":%ld,\"failed\":%ld}\n", size, sizes, sum[0], sum[1]);
    free(data);
}

/* ---------------------------------------------------------------------------------------------------- speed */
static void speed(double seconds) {
    uint64_t* data = buffer();
    const char* comma = "";
    if (rank == 0) printf("{\"speed\":{");
    for (size_t bytes = 64 << 10; bytes <= kLargest; bytes *= 4) {
        /* A window is as short as can be, so that some fall between the turns of other work on this machine. */
        const int turns = bytes < (1 << 20) ? (int)((1 << 20) / bytes) : 1;
        double best = 1e9;
        const double start = MPI_Wtime();
        for (int go = 1, window = 0; go; ++window) {
            const double begin = MPI_Wtime();
            for (int i = 0; i < turns; ++i) {
                if (rank == 0) MPI_Send(data, (int)bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
                MPI_Recv(data, (int)bytes, MPI_BYTE, rank ^ 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
                if (rank == 1) MPI_Send(data, (int)bytes, MPI_BYTE, 0, 0, MPI_COMM_WORLD);
            }
            const double took = MPI_Wtime() - begin;
            if (took < best) best = took;
            go = MPI_Wtime() - start < seconds || window < 3;
            MPI_Bcast(&go, 1, MPI_INT, 0, MPI_COMM_WORLD);
        }
        if (rank == 0) printf("%s\"%zu\":%.3f", comma, bytes, 2e-9 * turns * (double)bytes / best);
        comma = ",";
    }
    if (rank == 0) printf("},\"copies\":%ld,\"failed\":%ld}\n", reads_done, reads_failed);
    free(data);
}

int main(int argc, char** argv) {
    const char* mode = argc > 1 ? argv[1] : "";
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (size > kMaxRanks) fail("too many ranks");
    if (strcmp(mode, "world") == 0) {
        world();
    } else if (strcmp(mode, "messages") == 0 && argc > 2) {
        messages(strcmp(argv[2], "up") == 0);
    } else if (strcmp(mode, "speed") == 0 && argc > 2 && size == 2) {
        speed(atof(argv[2]));
    } else {
        fail("world | messages up|down | speed SECONDS (two ranks)");
    }
    /* What was found is told even if the library never comes back from here. */
    fflush(stdout);
    MPI_Finalize();
    return 0;
}
