// probe: prints the world it sees as one JSON object, for tests that compare facts instead of shell output.
//
//   probe [ARGS...]          everything below
//   probe --exit N           exits with status N
//   probe --kill SIGNAL      ends itself by that signal (a number)
//   probe --sleep SECONDS    prints "ready" and sleeps
//   probe --fork SECONDS     leaves a child that sleeps behind, prints its pid and exits
//   probe --hold FILE        opens FILE, prints "ready", waits for end of file on stdin, reads FILE again, prints "same"
//   probe --xattrs FILE      its extended attributes, as one JSON object
//
// Static, so that it runs in an image that holds nothing else.  Needs /proc only for what /proc alone knows: a fact
// that cannot be read is null.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

extern char** environ;

static int g_first = 1;

static void string(const char* text) {
    putchar('"');
    for (; *text; ++text) {
        const unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            printf("\\%c", c);
        } else if (c < 0x20 || c >= 0x7f) {
            printf("\\u%04x", c);  // bytes as Latin-1: the reader encodes back
        } else {
            putchar(c);
        }
    }
    putchar('"');
}

static void key(const char* name) {
    printf(g_first ? "{" : ",\n ");
    g_first = 0;
    string(name);
    printf(": ");
}

static void text(const char* name, const char* value) {
    key(name);
    if (value) {
        string(value);
    } else {
        printf("null");
    }
}

static void number(const char* name, long long value) {
    key(name);
    printf("%lld", value);
}

static void list(const char* name, char** values) {
    key(name);
    printf("[");
    for (int i = 0; values[i]; ++i) {
        if (i) printf(", ");
        string(values[i]);
    }
    printf("]");
}

static char* slurp(const char* path) {
    FILE* in = fopen(path, "re");
    if (!in) return NULL;
    size_t size = 0, room = 65536;
    char* data = malloc(room);
    for (size_t n; data && (n = fread(data + size, 1, room - size - 1, in)) > 0;) {
        size += n;
        if (room - size < 4096) data = realloc(data, room *= 2);
    }
    fclose(in);
    if (data) data[size] = 0;
    return data;
}

static char* link_of(const char* path) {
    static char target[PATH_MAX + 1];
    const ssize_t n = readlink(path, target, PATH_MAX);
    if (n < 0) return NULL;
    target[n] = 0;
    return target;
}

static void links(const char* name, const char* directory, const char* const* entries) {
    key(name);
    printf("{");
    for (int i = 0, some = 0; entries[i]; ++i) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s", directory, entries[i]);
        const char* target = link_of(path);
        if (!target) continue;
        if (some++) printf(", ");
        string(entries[i]);
        printf(": ");
        string(target);
    }
    printf("}");
}

static void status_fields(void) {
    static const char* const wanted[] = {"CapInh", "CapPrm",  "CapEff",  "CapBnd",
                                         "CapAmb", "Seccomp", "Threads", "TracerPid"};
    char* data = slurp("/proc/self/status");
    key("status");
    printf("{");
    for (size_t i = 0, some = 0; data && i < sizeof wanted / sizeof *wanted; ++i) {
        char head[32];
        snprintf(head, sizeof head, "\n%s:\t", wanted[i]);
        char* at = strstr(data, head);
        if (!at) continue;
        at += strlen(head);
        char value[64];
        snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\n"), at);
        if (some++) printf(", ");
        string(wanted[i]);
        printf(": ");
        string(value);
    }
    printf("}");
    free(data);
}

static void lines(const char* name, const char* path) {
    char* data = slurp(path);
    key(name);
    if (!data) {
        printf("null");
        return;
    }
    printf("[");
    int some = 0;
    for (char* line = strtok(data, "\n"); line; line = strtok(NULL, "\n")) {
        if (some++) printf(",\n  ");
        string(line);
    }
    printf("]");
    free(data);
}

// Descriptors by fcntl, not by listing /proc/self/fd: the listing itself opens one.
static void descriptors(void) {
    key("fds");
    printf("{");
    for (int fd = 0, some = 0; fd < 4096; ++fd) {
        if (fcntl(fd, F_GETFD) < 0) continue;
        char path[64], digits[16];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        snprintf(digits, sizeof digits, "%d", fd);
        if (some++) printf(", ");
        string(digits);
        printf(": ");
        const char* target = link_of(path);
        string(target ? target : "?");
    }
    printf("}");
}

static void signals(void) {
    sigset_t blocked, pending;
    sigprocmask(SIG_SETMASK, NULL, &blocked);
    sigpending(&pending);
    for (int what = 0; what < 3; ++what) {
        key(what == 0 ? "blocked" : what == 1 ? "ignored" : "pending");
        printf("[");
        for (int sig = 1, some = 0; sig < NSIG; ++sig) {
            struct sigaction old;
            const int in = what == 0   ? sigismember(&blocked, sig) == 1
                           : what == 1 ? sigaction(sig, NULL, &old) == 0 && old.sa_handler == SIG_IGN
                                       : sigismember(&pending, sig) == 1;
            if (in) printf("%s%d", some++ ? ", " : "", sig);
        }
        printf("]");
    }
}

static void limits(void) {
    static const struct {
        const char* name;
        int id;
    } all[] = {{"core", RLIMIT_CORE},   {"nofile", RLIMIT_NOFILE}, {"stack", RLIMIT_STACK},    {"nproc", RLIMIT_NPROC},
               {"fsize", RLIMIT_FSIZE}, {"as", RLIMIT_AS},         {"memlock", RLIMIT_MEMLOCK}};
    key("limits");
    printf("{");
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i) {
        struct rlimit limit;
        if (getrlimit((__rlimit_resource_t)all[i].id, &limit)) continue;
        printf("%s\"%s\": [%lld, %lld]", i ? ", " : "", all[i].name, (long long)limit.rlim_cur,
               (long long)limit.rlim_max);
    }
    printf("}");
}

static void ids(void) {
    uid_t uid[3];
    gid_t gid[3], groups[256];
    if (getresuid(&uid[0], &uid[1], &uid[2]) == 0) {
        key("uid");
        printf("[%u, %u, %u]", uid[0], uid[1], uid[2]);
    }
    if (getresgid(&gid[0], &gid[1], &gid[2]) == 0) {
        key("gid");
        printf("[%u, %u, %u]", gid[0], gid[1], gid[2]);
    }
    const int count = getgroups(256, groups);
    key("groups");
    printf("[");
    for (int i = 0; i < count; ++i) printf("%s%u", i ? ", " : "", groups[i]);
    printf("]");
}

static void everything(char** argv) {
    static const char* const spaces[] = {"user", "mnt", "pid", "ipc", "uts", "net", "cgroup", NULL};
    char cwd[PATH_MAX];
    struct utsname name;
    list("argv", argv);
    text("exe", link_of("/proc/self/exe"));
    number("pid", getpid());
    number("ppid", getppid());
    number("pgid", getpgid(0));
    number("sid", getsid(0));
    ids();
    status_fields();
    number("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    text("cwd", getcwd(cwd, sizeof cwd));
    text("hostname", uname(&name) == 0 ? name.nodename : NULL);
    const mode_t mask = umask(0);
    umask(mask);
    number("umask", mask);
    cpu_set_t cpus;
    number("cpus", sched_getaffinity(0, sizeof cpus, &cpus) == 0 ? CPU_COUNT(&cpus) : -1);
    number("nice", getpriority(PRIO_PROCESS, 0));
    number("wait_any_errno", waitpid(-1, NULL, WNOHANG) < 0 ? errno : 0);
    descriptors();
    signals();
    limits();
    links("namespaces", "/proc/self/ns", spaces);
    lines("uid_map", "/proc/self/uid_map");
    lines("gid_map", "/proc/self/gid_map");
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    lines("children", path);
    lines("mounts", "/proc/self/mountinfo");
    list("env", environ);
    printf("}\n");
}

static int hold(const char* path) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    static char before[65536], after[65536];
    const ssize_t n = fd < 0 ? -1 : pread(fd, before, sizeof before, 0);
    if (n < 0) return perror(path), 1;
    printf("ready\n");
    fflush(stdout);
    for (char byte; read(0, &byte, 1) > 0;) {}
    const int again = open(path, O_RDONLY | O_CLOEXEC);
    if (again < 0 || pread(again, after, sizeof after, 0) != n || memcmp(before, after, (size_t)n))
        return perror(path), 1;
    printf("same\n");
    return 0;
}

// The extended attributes of a file, as {"name": "value"}, or the error.
static int xattrs(const char* path) {
    static char names[65536], value[65536];
    const ssize_t size = listxattr(path, names, sizeof names);
    if (size < 0) return perror(path), 1;
    for (const char* name = names; name < names + size; name += strlen(name) + 1) {
        const ssize_t length = getxattr(path, name, value, sizeof value - 1);
        if (length < 0) return perror(name), 1;
        value[length] = 0;
        text(name, value);
    }
    printf(g_first ? "{}\n" : "}\n");
    return 0;
}

int main(int argc, char** argv) {
    const char* what = argc > 1 ? argv[1] : "";
    const int value = argc > 2 ? atoi(argv[2]) : 0;
    if (!strcmp(what, "--exit")) return value;
    if (!strcmp(what, "--kill")) {
        signal(value, SIG_DFL);
        raise(value);
        return 1;
    }
    if (!strcmp(what, "--sleep")) {
        printf("ready\n");
        fflush(stdout);
        sleep((unsigned)value);
        return 0;
    }
    if (!strcmp(what, "--fork")) {
        const pid_t child = fork();
        if (child == 0) {
            for (int fd = 0; fd < 3; ++fd) close(fd);
            sleep((unsigned)value);
            _exit(0);
        }
        printf("%d\n", (int)child);
        return child < 0;
    }
    if (!strcmp(what, "--hold") && argc > 2) return hold(argv[2]);
    if (!strcmp(what, "--xattrs") && argc > 2) return xattrs(argv[2]);
    everything(argv);
    return 0;
}
