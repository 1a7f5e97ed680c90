/*
 * no_new_mount_calls KERNEL PROGRAM [ARG...]: runs PROGRAM on an old kernel, as far as system calls tell.
 *
 * A seccomp filter answers ENOSYS for what that kernel lacks of the calls that swrun could use: 4.18 lacks all of the list
 * below, 5.4 and 5.10 what came later, "fsopen" (any name of the list) that one call.  Children inherit it.  It says
 * nothing about how an old kernel's remaining calls differ.  Sources: seccomp(2), and for the years the man pages.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All of them have the same number on all architectures. */
static const struct {
    const char* name;
    unsigned number;
    int since; /* 504 is Linux 5.4 */
} calls[] = {
    {"open_tree", 428, 502},   {"move_mount", 429, 502}, {"fsopen", 430, 502},     {"fsconfig", 431, 502},
    {"fsmount", 432, 502},     {"fspick", 433, 502},     {"pidfd_open", 434, 503}, {"clone3", 435, 503},
    {"close_range", 436, 509}, {"openat2", 437, 506},    {"faccessat2", 439, 508}, {"mount_setattr", 442, 512},
};
enum { CALLS = sizeof calls / sizeof calls[0] };

static int lacks(const char* kernel, int index) {
    int major = 0, minor = 0;
    if (sscanf(kernel, "%d.%d", &major, &minor) == 2) return major * 100 + minor < calls[index].since;
    return strcmp(kernel, calls[index].name) == 0;
}

int main(int argc, char** argv) {
    struct sock_filter code[2 * CALLS + 2];
    unsigned short length = 0;
    code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    if (argc < 3) {
        fprintf(stderr, "usage: no_new_mount_calls KERNEL|CALL PROGRAM [ARG...]\n");
        return 2;
    }
    for (int i = 0; i < CALLS; ++i) {
        if (!lacks(argv[1], i)) continue;
        code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i].number, 0, 1);
        code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    }
    if (length == 1) {
        fprintf(stderr, "no_new_mount_calls: %s lacks nothing\n", argv[1]);
        return 2;
    }
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = {length, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
        perror("no_new_mount_calls: seccomp");
        return 2;
    }
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 2;
}
