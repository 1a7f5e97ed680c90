/* Prints a tree as the kernel shows it, one line of NAME=VALUE fields per path, in the order of readdir(3):

       tree_facts DIR

   path, entry (type in the directory), mode, uid, gid, size, nlink, rdev, mtime, ctime, atime, blocks, ino, target,
   sum (of a file's bytes read in sequence), parts (of pieces read from all over it), xattrs (their names, or the error).
   The bytes of a name beyond ASCII, space, = and \ are \xNN.  Another file system below DIR is not entered.  Status 1
   when anything could not be read; what it was is in the line. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PIECES = 24, BUFFER = 1 << 17 };

static int failed;
static dev_t device;
static unsigned char buffer[BUFFER];

static void show(const char* text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte > ' ' && byte < 0x7f && byte != '\\' && byte != '=' && byte != ';')
            putchar(byte);
        else
            printf("\\x%02x", byte);
    }
}

static void failure(const char* what) {
    failed = 1;
    printf(" %s=failed:%s", what, strerrorname_np(errno));
}

/* FNV-1a. */
static uint64_t add(uint64_t sum, const unsigned char* bytes, size_t count) {
    for (size_t i = 0; i < count; i++) sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
    return sum;
}

static const uint64_t START = UINT64_C(0xcbf29ce484222325);

static void show_content(int directory, const char* name, off_t size) {
    int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        failure("sum");
        return;
    }
    /* In pieces first: from a cache that has not read ahead. */
    uint64_t parts = START;
    uint64_t state = (uint64_t)size;
    for (int i = 0; i < PIECES && size > 0; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        off_t at = (off_t)((state >> 16) % (uint64_t)size);
        ssize_t count = pread(fd, buffer, i % 3 == 0 ? 1 : i % 3 == 1 ? 5000 : BUFFER, at);
        if (count < 0) {
            failure("parts");
            break;
        }
        parts = add(parts, buffer, (size_t)count);
    }
    uint64_t sum = START;
    ssize_t count;
    while ((count = read(fd, buffer, BUFFER)) > 0) sum = add(sum, buffer, (size_t)count);
    if (count < 0)
        failure("sum");
    else
        printf(" sum=%016llx parts=%016llx", (unsigned long long)sum, (unsigned long long)parts);
    close(fd);
}

static void show_xattrs(int directory, const char* name) {
    char path[64];
    char names[4096];
    int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t size = fd < 0 ? -1 : listxattr(path, names, sizeof names);
    if (size < 0) {
        printf(" xattrs=%s", strerrorname_np(errno));
    } else {
        printf(" xattrs=");
        for (char* at = names; at < names + size; at += strlen(at) + 1) {
            char value[4096];
            ssize_t length = getxattr(path, at, value, sizeof value);
            show(at, strlen(at));
            putchar(':');
            if (length < 0)
                printf("%s", strerrorname_np(errno));
            else
                show(value, (size_t)length);
            putchar(';');
        }
    }
    if (fd >= 0) close(fd);
}

static void show_one(int directory, const char* name, const char* path, int type, struct stat* st) {
    printf("path=");
    show(path, strlen(path));
    if (fstatat(directory, name, st, AT_SYMLINK_NOFOLLOW)) {
        failure("mode");
        memset(st, 0, sizeof *st);
        putchar('\n');
        return;
    }
    printf(
        " entry=%d mode=%o uid=%u gid=%u size=%lld nlink=%lu rdev=%u:%u mtime=%lld.%09ld ctime=%lld.%09ld "
        "atime=%lld.%09ld "
        "blocks=%lld ino=%llu",
        type, st->st_mode, st->st_uid, st->st_gid, (long long)st->st_size, (unsigned long)st->st_nlink,
        major(st->st_rdev), minor(st->st_rdev), (long long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
        (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec, (long long)st->st_atim.tv_sec, st->st_atim.tv_nsec,
        (long long)st->st_blocks, (unsigned long long)st->st_ino);
    if (S_ISLNK(st->st_mode)) {
        ssize_t length = readlinkat(directory, name, (char*)buffer, BUFFER);
        if (length < 0) {
            failure("target");
        } else {
            printf(" target=");
            show((char*)buffer, (size_t)length);
        }
    }
    if (S_ISREG(st->st_mode)) show_content(directory, name, st->st_size);
    show_xattrs(directory, name);
    putchar('\n');
}

static void walk(int directory, const char* path) {
    DIR* stream = fdopendir(directory);
    if (!stream) {
        failed = 1;
        close(directory);
        return;
    }
    for (;;) {
        errno = 0;
        struct dirent* entry = readdir(stream);
        if (!entry) {
            if (errno) {
                printf("path=");
                show(path, strlen(path));
                failure("entries");
                putchar('\n');
            }
            break;
        }
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        size_t room = strlen(path) + strlen(entry->d_name) + 2;
        char* child = malloc(room);
        snprintf(child, room, "%s/%s", path, entry->d_name);
        struct stat st;
        show_one(dirfd(stream), entry->d_name, child, entry->d_type, &st);
        if (S_ISDIR(st.st_mode) && st.st_dev == device) {
            int below = openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (below < 0) {
                printf("path=");
                show(child, strlen(child));
                failure("entries");
                putchar('\n');
            } else {
                walk(below, child);
            }
        }
        free(child);
    }
    closedir(stream);
}

int main(int argc, char** argv) {
    struct stat st;
    if (argc != 2 || stat(argv[1], &st)) {
        fprintf(stderr, "usage: tree_facts DIR\n");
        return 2;
    }
    device = st.st_dev;
    int top = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (top < 0) return 2;
    show_one(top, ".", "", DT_DIR, &st);
    walk(top, "");
    return failed || fflush(stdout) != 0;
}
