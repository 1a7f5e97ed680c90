#include "instance/instance_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <memory>

#include "runtime/users.h"
#include "support/io.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxState = 1U << 20U;
constexpr std::size_t kMaxDatabase = 64U << 20U;

std::string variable(const HostFacts& host, std::string_view wanted) {
    for (const auto& [name, value] : host.environment) {
        if (name == wanted) return value;
    }
    return "";
}

std::string host_name() {
    char name[HOST_NAME_MAX + 1] = {};
    return ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

// Every directory on the way that is missing, for the owner alone.
Status make_directories(const std::string& path) {
    std::string at = "/";
    for (const std::string_view part : components(path)) {
        at = join_path(at, part);
        if (::mkdir(at.c_str(), 0700) == 0 || errno == EEXIST) continue;
        const int err = errno;
        struct stat there {};
        // A home below a directory that nobody may write, or that is mounted on demand.
        if (::stat(at.c_str(), &there) == 0 && S_ISDIR(there.st_mode)) continue;
        return sys_error(Error::Kind::host, "mkdir", at, err);
    }
    return {};
}

std::string directory_of(const InstancePlaces& places, const std::string& name) {
    return join_path(places.states, name);
}

Status write_state(const std::string& directory, const InstanceState& state) {
    std::string temporary = join_path(directory, ".state.XXXXXX");
    const Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));  // mode 0600
    if (!fd) return sys_error(Error::Kind::host, "create", temporary, errno);
    Status written = write_all(fd.get(), instance_to_json(state), temporary);
    const std::string target = join_path(directory, state.name + ".json");
    if (written && ::rename(temporary.c_str(), target.c_str()) != 0) {
        written = sys_error(Error::Kind::host, "rename", target, errno);
    }
    if (!written) ::unlink(temporary.c_str());
    return written;
}

// Only files that are the user's own count: who can write into the directory must not be able to send our
// signals elsewhere.
Result<InstanceState> read_state(const InstancePlaces& places, const std::string& directory, const std::string& name) {
    const std::string path = join_path(directory, name + ".json");
    SWRUN_TRY(const Fd fd, open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, Error::Kind::host));
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return sys_error(Error::Kind::host, "fstat", path, errno);
    if (!S_ISREG(status.st_mode) || status.st_uid != places.uid) {
        return make_error(Error::Kind::host, path + " does not belong to " + places.user);
    }
    SWRUN_TRY(const std::string text, read_all(fd.get(), path, kMaxState));
    SWRUN_TRY(InstanceState state, instance_from_json(text));
    if (state.name != name) return make_error(Error::Kind::host, path + " describes another instance");
    return state;
}

// An instance of Apptainer records less: its process has to do.
bool is_running(const InstanceState& state) {
    if (!state.ours) return state.init.pid > 0 && ::kill(state.init.pid, 0) == 0;
    return is_alive(state.supervisor) || (!state.starting && is_alive(state.init));
}

void remove_tree(const std::string& directory, const std::string& name) {
    ::unlink(join_path(directory, name + ".json").c_str());
    if (::rmdir(directory.c_str()) == 0) return;
    // A description that was being written when its writer was killed.
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), ::closedir);
    if (!entries) return;
    while (const dirent* entry = ::readdir(entries.get())) {
        if (std::string_view(entry->d_name).starts_with(".state.")) {
            ::unlink(join_path(directory, entry->d_name).c_str());
        }
    }
    ::rmdir(directory.c_str());
}

// Out of the way first, and then looked at again: between the look and the rename the name may have become
// somebody's who is alive.
void remove_if_same(const InstancePlaces& places, const InstanceState& state) {
    std::string aside = join_path(places.states, "." + state.name + ".XXXXXX");
    if (::mkdtemp(aside.data()) == nullptr) return;
    const std::string directory = directory_of(places, state.name);
    if (::rename(directory.c_str(), aside.c_str()) != 0) {  // over an empty directory: allowed
        ::rmdir(aside.c_str());
        return;
    }
    const Result<InstanceState> moved = read_state(places, aside, state.name);
    const bool other = moved && !(moved->supervisor == state.supervisor && moved->init == state.init);
    if (other && ::rename(aside.c_str(), directory.c_str()) == 0) return;
    remove_tree(aside, state.name);
}

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), ::closedir);
    if (!entries) return names;
    while (const dirent* entry = ::readdir(entries.get())) {
        if (instance_name_valid(entry->d_name) && entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

Result<UserFacts> find_user(const std::string& name) {
    const std::string text = read_file("/etc/passwd", kMaxDatabase).value_or(std::string());
    for (const std::string_view line : split(text, '\n')) {
        if (line.size() <= name.size() || !line.starts_with(name) || line[name.size()] != ':') continue;
        const std::vector<std::string_view> fields = split(line, ':');
        const std::optional<std::uint64_t> uid = fields.size() == 7 ? parse_decimal(fields[2]) : std::nullopt;
        if (!uid) continue;
        if (auto user = user_in_passwd(text, static_cast<uid_t>(*uid))) return *std::move(user);
    }
    return make_error(Error::Kind::request, "user: unknown user " + printable(name));
}

}  // namespace

Result<InstancePlaces> instance_places(const HostFacts& host, const std::string& user) {
    UserFacts who = host.user;
    std::string base = variable(host, "APPTAINER_CONFIGDIR");
    if (!user.empty() && user != who.name) {
        SWRUN_TRY(who, find_user(user));
        base.clear();
    }
    if (!base.starts_with('/')) base = join_path(who.home, ".apptainer");
    const std::string below = host_name() + "/" + who.name;
    return InstancePlaces{join_path(base, "instances/app/" + below), join_path(base, "instances/logs/" + below),
                          who.name, who.uid};
}

ProcessMark mark_process(pid_t pid) {
    constexpr std::size_t kMaxStat = 4096;
    ProcessMark mark;
    const Result<std::string> stat = read_file("/proc/" + std::to_string(pid) + "/stat", kMaxStat);
    const std::optional<std::uint64_t> start = stat ? start_time_in(*stat) : std::nullopt;
    if (!start) return mark;
    mark.pid = pid;
    mark.start_time = *start;
    const Result<std::string> boot = read_file("/proc/sys/kernel/random/boot_id", kMaxStat);
    if (boot) mark.boot = trim(*boot);
    return mark;
}

bool is_alive(const ProcessMark& mark) {
    if (mark.pid <= 0) return false;
    const ProcessMark now = mark_process(mark.pid);
    return now.pid == mark.pid && now.start_time == mark.start_time && now.boot == mark.boot;
}

Result<Fd> open_process(const ProcessMark& mark, uid_t uid) {
    const std::string path = "/proc/" + std::to_string(mark.pid);
    SWRUN_TRY(Fd directory, open_file(path, O_PATH | O_DIRECTORY, Error::Kind::host));
    struct stat status {};
    if (::fstat(directory.get(), &status) != 0) return sys_error(Error::Kind::host, "fstat", path, errno);
    if (status.st_uid != uid) {
        return make_error(Error::Kind::host, "instance process owned by " + std::to_string(status.st_uid) +
                                                 " instead of " + std::to_string(uid));
    }
    if (mark.start_time != 0 && !is_alive(mark)) {
        return make_error(Error::Kind::host, "the instance's process has ended");
    }
    return directory;
}

std::vector<InstanceState> list_instances(const InstancePlaces& places, const std::string& pattern) {
    std::vector<InstanceState> list;
    for (const std::string& name : names_in(places.states)) {
        if (::fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) != 0) continue;
        Result<InstanceState> state = read_state(places, directory_of(places, name), name);
        if (!state) continue;
        // What another user has written is believed only of processes of his, and nothing of his is cleaned up:
        // root would follow his names.
        if (places.uid != ::geteuid()) {
            if (!state->starting && open_process(state->init, places.uid)) list.push_back(*std::move(state));
            continue;
        }
        if (is_running(*state)) {
            if (!state->starting) list.push_back(*std::move(state));
        } else if (state->ours) {
            remove_if_same(places, *state);
        }
    }
    return list;
}

Status reserve_instance(const InstancePlaces& places, const InstanceState& state) {
    SWRUN_CHECK(make_directories(places.states));
    std::string prepared = join_path(places.states, "." + state.name + ".XXXXXX");
    if (::mkdtemp(prepared.data()) == nullptr) return sys_error(Error::Kind::host, "mkdtemp", prepared, errno);
    Status done = write_state(prepared, state);
    const std::string directory = directory_of(places, state.name);
    for (int attempt = 0; done && attempt < 8; ++attempt) {
        if (::rename(prepared.c_str(), directory.c_str()) == 0) return {};
        const int err = errno;
        if (err != ENOTEMPTY && err != EEXIST) {
            done = sys_error(Error::Kind::host, "rename", directory, err);
            break;
        }
        const Result<InstanceState> other = read_state(places, directory, state.name);
        if (!other && other.error().sys_errno == ENOENT) continue;  // gone in between
        if (!other || is_running(*other) || !other->ours) break;
        remove_if_same(places, *other);
    }
    remove_tree(prepared, state.name);
    if (!done) return done;
    return make_error(Error::Kind::request, "instance " + state.name + " already exists");
}

Status update_instance(const InstancePlaces& places, const InstanceState& state) {
    return write_state(directory_of(places, state.name), state);
}

void remove_instance(const InstancePlaces& places, const InstanceState& state) {
    const Result<InstanceState> now = read_state(places, directory_of(places, state.name), state.name);
    if (now && now->supervisor == state.supervisor) remove_if_same(places, *now);
}

Result<Fd> open_log(const InstancePlaces& places, const std::string& path) {
    SWRUN_CHECK(make_directories(places.logs));
    return open_file(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY, Error::Kind::host, 0600);
}

}  // namespace swrun
