// A FUSE file system of one file, for --fusemount: hello_fuse [OPTION...] /dev/fd/N [-f].
//   --text=TEXT      what /hello says (default "hello")
//   --end=FILE       written when it ends in order
//   --say=TEXT       printed on both streams before it serves
//   --fail=STATUS    ends with it instead of serving
//   --stubborn       goes on after its file system has gone, whatever signal comes
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char* text = "hello";
static const char* end_file;

static int attributes(const char* path, struct stat* status, struct fuse_file_info* file) {
    (void)file;
    memset(status, 0, sizeof *status);
    status->st_uid = getuid();
    status->st_gid = getgid();
    status->st_nlink = 1;
    if (strcmp(path, "/") == 0) {
        status->st_mode = S_IFDIR | 0755;
        return 0;
    }
    if (strcmp(path, "/hello") != 0) return -ENOENT;
    status->st_mode = S_IFREG | 0444;
    status->st_size = (off_t)strlen(text);
    return 0;
}

static int list(const char* path, void* into, fuse_fill_dir_t fill, off_t offset, struct fuse_file_info* file,
                enum fuse_readdir_flags flags) {
    (void)offset;
    (void)file;
    (void)flags;
    if (strcmp(path, "/") != 0) return -ENOENT;
    fill(into, "hello", NULL, 0, 0);
    return 0;
}

static int read_file(const char* path, char* into, size_t size, off_t offset, struct fuse_file_info* file) {
    (void)path;
    (void)file;
    const size_t length = strlen(text);
    if ((size_t)offset >= length) return 0;
    if (size > length - (size_t)offset) size = length - (size_t)offset;
    memcpy(into, text + offset, size);
    return (int)size;
}

static void destroy(void* data) {
    (void)data;
    const int fd = end_file ? open(end_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : -1;
    if (fd >= 0 && write(fd, "ended\n", 6) == 6) close(fd);
}

static const struct fuse_operations operations = {
    .getattr = attributes, .readdir = list, .read = read_file, .destroy = destroy};

int main(int argc, char** given) {
    // One thread: libfuse 3.14 warns about its own default for more.
    char* argv[64] = {given[0], "-s"};
    for (int i = 1; i < argc && i < 62; ++i) argv[i + 1] = given[i];
    char** kept = argv + 1;
    int stubborn = 0;
    for (char** word = argv + 1; *word; ++word) {
        if (strncmp(*word, "--text=", 7) == 0) {
            text = *word + 7;
        } else if (strncmp(*word, "--end=", 6) == 0) {
            end_file = *word + 6;
        } else if (strncmp(*word, "--say=", 6) == 0) {
            dprintf(1, "%s on stdout\n", *word + 6);
            dprintf(2, "%s on stderr\n", *word + 6);
        } else if (strncmp(*word, "--fail=", 7) == 0) {
            return atoi(*word + 7);
        } else if (strcmp(*word, "--stubborn") == 0) {
            stubborn = 1;
        } else {
            *kept++ = *word;
        }
    }
    *kept = NULL;
    if (stubborn) signal(SIGTERM, SIG_IGN);
    const int status = fuse_main((int)(kept - argv), argv, &operations, NULL);
    while (stubborn) pause();
    return status;
}
