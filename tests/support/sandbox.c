/*
 * sandbox RULE[,RULE...] PROGRAM [ARG...]: runs PROGRAM in a sandbox that refuses something.
 *
 * RULE is "landlock" (every access to files is allowed, which forbids all changes of the mount tree: landlock(7)), or
 * CALL=ERRNO, a seccomp filter that answers CALL with that errno; "kill" in its place ends the process.  Children inherit it.
 * Status 2: it could not be set up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    const char* name;
    unsigned number;
} calls[] = {
    {"mount", SYS_mount},     {"unshare", SYS_unshare}, {"pivot_root", SYS_pivot_root},
    {"umount2", SYS_umount2}, {"open_tree", 428},       {"move_mount", 429},
    {"fsopen", 430},          {"fsmount", 432},         {"mount_setattr", 442},
    {"close_range", 436},     {"getcwd", SYS_getcwd},
};
enum { CALLS = sizeof calls / sizeof calls[0] };

static int errno_of(const char* name) {
    for (int number = 1; number < 134; ++number) {
        const char* one = strerrorname_np(number);
        if (one && !strcmp(one, name)) return number;
    }
    fprintf(stderr, "sandbox: no errno %s\n", name);
    exit(2);
}

static void forbid(const char* call, const char* answer) {
    unsigned verdict = !strcmp(answer, "kill") ? SECCOMP_RET_KILL_PROCESS
                                               : SECCOMP_RET_ERRNO | (unsigned)errno_of(answer);
    int index = 0;
    while (index < CALLS && strcmp(calls[index].name, call)) ++index;
    if (index == CALLS) {
        fprintf(stderr, "sandbox: no call %s\n", call);
        exit(2);
    }
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[index].number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, verdict),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof code[0], code};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("sandbox: seccomp");
        exit(2);
    }
}

/* The numbers are the same on all architectures; headers of older distributions have neither them nor the structures. */
static void confine(void) {
    enum { CREATE = 444, ADD = 445, RESTRICT = 446, PATH_BENEATH = 1 };
    const uint64_t all = (1U << 13) - 1; /* what the first version of Landlock knows */
    struct {
        uint64_t allowed;
        int32_t parent;
    } __attribute__((packed)) rule = {all, open("/", O_PATH | O_CLOEXEC)};
    uint64_t handled = all;
    int rules = (int)syscall(CREATE, &handled, sizeof handled, 0);
    if (rules < 0 || syscall(ADD, rules, PATH_BENEATH, &rule, 0) || syscall(RESTRICT, rules, 0)) {
        perror("sandbox: landlock");
        exit(2);
    }
    close(rules);
    close(rule.parent);
}

int main(int argc, char** argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: sandbox landlock|CALL=ERRNO[,...] PROGRAM [ARG...]\n");
        return 2;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return 2;
    for (char* rule = strtok(argv[1], ","); rule; rule = strtok(NULL, ",")) {
        char* answer = strchr(rule, '=');
        if (!answer) {
            confine();
        } else {
            *answer = 0;
            forbid(rule, answer + 1);
        }
    }
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 2;
}
