// cache list and clean, for swrun's own cache directory: the files of its folder `hot` (squashfs/hot_cache), which are one
// entry each, and whatever else lies there.  Other programs' caches are never looked at, and
// nothing outside the directory is ever removed: links in it are removed themselves, not followed.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "commands/commands.h"
#include "support/log.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

namespace fs = std::filesystem;

struct Entry {
    std::string path;
    std::string name;
    std::uint64_t bytes = 0;
    std::time_t modified = 0;
    const char* type = "swrun";
};

std::uint64_t size_below(const std::string& path, const struct stat& status) {
    if (!S_ISDIR(status.st_mode)) return static_cast<std::uint64_t>(status.st_size);
    std::uint64_t sum = 0;
    std::error_code failed;
    fs::recursive_directory_iterator at(path, fs::directory_options::skip_permission_denied, failed);
    for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed)) {
        struct stat one {};
        if (::lstat(at->path().c_str(), &one) == 0 && S_ISREG(one.st_mode)) {
            sum += static_cast<std::uint64_t>(one.st_size);
        }
    }
    return sum;
}

// What lies directly in the directory; one that does not exist is empty.
Status add_entries(const std::string& directory, const char* type, std::vector<Entry>& entries) {
    std::error_code failed;
    fs::directory_iterator at(directory, failed);
    for (; !failed && at != fs::directory_iterator(); at.increment(failed)) {
        struct stat status {};
        if (::lstat(at->path().c_str(), &status) != 0) continue;  // gone meanwhile
        const std::string path = at->path().string();
        entries.push_back({path, at->path().filename().string(), size_below(path, status), status.st_mtime, type});
    }
    const int err = failed.value();
    if (err != 0 && err != ENOENT) return sys_error(Error::Kind::host, "read the directory", directory, err);
    return {};
}

Result<std::vector<Entry>> entries_of(const std::string& directory) {
    std::vector<Entry> entries;
    SWRUN_CHECK(add_entries(directory, "swrun", entries));
    const std::string hot = join_path(directory, "hot");
    struct stat status {};
    if (::lstat(hot.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return entries;
    std::erase_if(entries, [&](const Entry& entry) { return entry.path == hot; });
    SWRUN_CHECK(add_entries(hot, "hot blocks", entries));
    return entries;
}

// "0.00 KiB", "1.50 MiB"
std::string size_text(std::uint64_t bytes) {
    double amount = static_cast<double>(bytes) / 1024;
    const char* unit = "KiB";
    for (const char* larger : {"MiB", "GiB", "TiB"}) {
        if (amount < 1024) break;
        amount /= 1024;
        unit = larger;
    }
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.2f %s", amount, unit);
    return text.data();
}

std::string date_text(std::time_t when) {
    struct tm parts {};
    std::array<char, 32> text{};
    if (::localtime_r(&when, &parts) != nullptr) std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
    return text.data();
}

int list_cache(const CacheRequest& request) {
    Result<std::vector<Entry>> entries = std::vector<Entry>{};
    if (request.all_types && !request.directory.empty()) entries = entries_of(request.directory);
    if (!entries) return report(entries.error());
    std::uint64_t bytes = 0;
    if (request.verbose) std::printf("%-24s %-22s %-16s %s\n", "NAME", "DATE CREATED", "SIZE", "TYPE");
    for (const Entry& entry : *entries) {
        bytes += entry.bytes;
        if (!request.verbose) continue;
        std::printf("%-24.22s %-22s %-16s %s\n", printable(entry.name).c_str(), date_text(entry.modified).c_str(),
                    size_text(entry.bytes).c_str(), entry.type);
    }
    if (request.verbose) std::puts("");
    const std::string size = size_text(bytes);
    std::printf("There are %zu container file(s) using %s and 0 oci blob file(s) using 0.00 KiB of space\n",
                entries->size(), size.c_str());
    std::printf("Total space used: %s\n", size.c_str());
    return 0;
}

// The answer of somebody who was asked; nothing but "y" is a yes.
Result<bool> confirmed() {
    std::fputs(
        "This will delete everything in swrun's cache.\n"
        "Hint: You can see exactly what would be deleted by canceling and using the --dry-run option.\n"
        "Do you want to continue? [N/y] ",
        stdout);
    std::fflush(stdout);
    std::array<char, 64> answer{};
    if (std::fgets(answer.data(), static_cast<int>(answer.size()), stdin) == nullptr) {
        return make_error(Error::Kind::request,
                          "Handle clean failed: could not prompt user: could not read user's input: EOF")
            .with_hint("use --force where nobody can answer");
    }
    const std::string_view word = trim(answer.data());
    return word == "y" || word == "Y";
}

int clean_cache(const CacheRequest& request) {
    if (request.dry_run) std::puts("User requested a dry run. Not actually deleting any data!");
    if (!request.force && !request.dry_run) {
        const Result<bool> yes = confirmed();
        if (!yes) return report(yes.error());
        if (!*yes) {
            log_info("Handle cleanup canceled");
            return 0;
        }
    }
    if (!request.all_types || request.directory.empty()) return 0;
    const Result<std::vector<Entry>> entries = entries_of(request.directory);
    if (!entries) return report(entries.error());
    const std::time_t newest = std::time(nullptr) - static_cast<std::time_t>(request.days) * 86400;
    int status = 0;
    for (const Entry& entry : *entries) {
        if (request.days > 0 && entry.modified > newest) continue;
        log_info("Removing cache entry: " + printable(entry.path));
        if (request.dry_run) continue;
        std::error_code failed;
        fs::remove_all(entry.path, failed);
        if (failed) status = report(sys_error(Error::Kind::host, "remove", entry.path, failed.value()));
    }
    if (!request.dry_run) ::rmdir(join_path(request.directory, "hot").c_str());  // unless something is left in it
    return status;
}

}  // namespace

int cache_command(const Invocation& invocation) {
    return invocation.command == Command::cache_clean ? clean_cache(invocation.cache) : list_cache(invocation.cache);
}

}  // namespace swrun
