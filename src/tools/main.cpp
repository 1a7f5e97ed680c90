// swrun-tools: what needs shared libraries that a launch shall not load.
//
//   swrun-tools id [passwd=SERVICES UID...] [group=SERVICES GID...]
//
// asks the name service switch for all of these ids and prints what it has as lines of the database; "[group]" on a
// line of its own begins those of groups.  SERVICES (nsswitch.conf(5)) take the place of those configured where that
// saves asking again what the caller has read himself; empty: as configured.  Called by the launcher for ids that the
// files do not have.
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

void print_user(unsigned long id) {
    const passwd* user = ::getpwuid(static_cast<uid_t>(id));
    if (user == nullptr) return;
    std::printf("%s:x:%lu:%lu:%s:%s:%s\n", user->pw_name, static_cast<unsigned long>(user->pw_uid),
                static_cast<unsigned long>(user->pw_gid), user->pw_gecos, user->pw_dir, user->pw_shell);
}

// Without the members, of whom a group of a directory service may have many thousands.
void print_group(unsigned long id) {
    const group* entry = ::getgrgid(static_cast<gid_t>(id));
    if (entry == nullptr) return;
    std::printf("%s:x:%lu:\n", entry->gr_name, static_cast<unsigned long>(entry->gr_gid));
}

// A cache daemon answers sooner than any service and may know others (NixOS), but is not asked any more once the
// services of a database have been set.
void use_services(const char* database, const std::string& services) {
    if (services.empty() || ::access("/run/nscd/socket", F_OK) == 0) return;
    ::__nss_configure_lookup(database, services.c_str());
}

bool is_number(std::string_view word) {
    return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

// False for what it does not understand.
bool print_ids(int count, char** words) {
    void (*print)(unsigned long) = nullptr;
    for (int i = 0; i < count; ++i) {
        const std::string word = words[i];
        if (word.starts_with("passwd=")) {
            use_services("passwd", word.substr(word.find('=') + 1));
            print = print_user;
        } else if (word.starts_with("group=")) {
            use_services("group", word.substr(word.find('=') + 1));
            std::puts("[group]");
            print = print_group;
        } else if (print != nullptr && is_number(word)) {
            print(std::strtoul(words[i], nullptr, 10));
        } else {
            return false;
        }
    }
    return print != nullptr;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 2 && std::string_view(argv[1]) == "id" && print_ids(argc - 2, argv + 2)) return std::fflush(stdout);
    std::fputs("usage: swrun-tools id [passwd=SERVICES UID...] [group=SERVICES GID...]\n", stderr);
    return 1;
}
