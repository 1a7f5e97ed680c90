// swrun-tools: what needs shared libraries that a launch shall not load.  "id passwd|group ID" asks the
// name service switch and prints the entry as a line of the database; status 2 when it has none, as
// getent(1).  Called by the launcher for ids that the files do not have.
#include <grp.h>
#include <pwd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace {

int print_user(unsigned long id) {
    const passwd* user = ::getpwuid(static_cast<uid_t>(id));
    if (user == nullptr) return 2;
    std::printf("%s:x:%lu:%lu:%s:%s:%s\n", user->pw_name, static_cast<unsigned long>(user->pw_uid),
                static_cast<unsigned long>(user->pw_gid), user->pw_gecos, user->pw_dir, user->pw_shell);
    return 0;
}

int print_group(unsigned long id) {
    const group* entry = ::getgrgid(static_cast<gid_t>(id));
    if (entry == nullptr) return 2;
    std::printf("%s:x:%lu:\n", entry->gr_name, static_cast<unsigned long>(entry->gr_gid));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 4 && std::string_view(argv[1]) == "id") {
        const unsigned long id = std::strtoul(argv[3], nullptr, 10);
        if (std::string_view(argv[2]) == "passwd") return print_user(id);
        if (std::string_view(argv[2]) == "group") return print_group(id);
    }
    std::fputs("usage: swrun-tools id passwd|group ID\n", stderr);
    return 1;
}
