#include "runtime/group_files.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "resolve/limits.h"
#include "support/fd.h"
#include "support/io.h"
#include "support/path.h"
#include "support/proc_text.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxText = 1U << 20U;

}  // namespace

Status write_group_file(int directory, const std::string& file, std::string_view value) {
    const Fd fd(::openat(directory, file.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return sys_error(Error::Kind::host, "open", file, errno);
    if (::write(fd.get(), value.data(), value.size()) != static_cast<ssize_t>(value.size())) {
        return sys_error(Error::Kind::host, "write " + std::string(value) + " to", file, errno);
    }
    return {};
}

Result<std::string> read_group_file(int directory, const std::string& file) {
    const Fd fd(::openat(directory, file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd) return sys_error(Error::Kind::host, "open", file, errno);
    return read_all(fd.get(), file, kMaxText);
}

std::vector<std::string> scope_call(const LimitPlan& plan, pid_t pid, const std::string& scope) {
    std::vector<std::string> properties = {
        "Description", "s", "program in a container", "PIDs", "au", "1", std::to_string(pid), "Delegate", "b", "true"};
    std::size_t count = 3;
    // systemd writes these files itself and would write over what it has not been told.
    constexpr std::pair<const char*, const char*> kKnown[] = {{"memory.max", "MemoryMax"},
                                                              {"memory.low", "MemoryLow"},
                                                              {"memory.swap.max", "MemorySwapMax"},
                                                              {"pids.max", "TasksMax"},
                                                              {"cpu.weight", "CPUWeight"}};
    for (const GroupSetting& setting : plan.settings) {
        for (const auto& [file, property] : kKnown) {
            if (setting.file != file) continue;
            const std::string value = setting.value == "max" ? "18446744073709551615" : setting.value;
            properties.insert(properties.end(), {property, "t", value});
            ++count;
        }
        if (setting.file == "cpu.max" && !setting.value.starts_with("max")) {
            const std::vector<std::string_view> parts = split(setting.value, ' ');
            const std::uint64_t quota = parse_decimal(parts.at(0)).value_or(0);
            constexpr std::uint64_t kUsualPeriod = 100000;  // microseconds, as the kernel's own
            const std::uint64_t given = parts.size() > 1 ? parse_decimal(parts[1]).value_or(0) : 0;
            const std::uint64_t period = given != 0 ? given : kUsualPeriod;
            if (quota > UINT64_MAX / 1000000) continue;  // as good as none
            properties.insert(properties.end(), {"CPUQuotaPerSecUSec", "t", std::to_string(quota * 1000000 / period)});
            ++count;
        }
    }
    std::vector<std::string> call = {"/usr/bin/busctl",
                                     ::geteuid() == 0 ? "--system" : "--user",
                                     "--quiet",
                                     "call",
                                     "org.freedesktop.systemd1",
                                     "/org/freedesktop/systemd1",
                                     "org.freedesktop.systemd1.Manager",
                                     "StartTransientUnit",
                                     "ssa(sv)a(sa(sv))",
                                     scope,
                                     "fail",
                                     std::to_string(count)};
    call.insert(call.end(), properties.begin(), properties.end());
    call.emplace_back("0");
    return call;
}

Status write_settings(int group, const LimitPlan& plan) {
    for (const GroupSetting& setting : plan.settings) {
        Status written = write_group_file(group, setting.file, setting.value);
        if (!written && written.error().sys_errno == ENOENT && !setting.other_file.empty()) {
            written = write_group_file(group, setting.other_file, setting.other_value);
        }
        if (!written && written.error().sys_errno == ENOENT) {
            return make_error(Error::Kind::host, "the group has no " + setting.file + ": the controller " +
                                                     std::string(controller_of(setting.file)) + " is not delegated");
        }
        SWRUN_CHECK(written);
    }
    return {};
}

Result<std::string> group_directory_of(int process) {
    struct statfs mount {};
    if (::statfs(kGroupMount, &mount) != 0 || mount.f_type != CGROUP2_SUPER_MAGIC) {
        return make_error(Error::Kind::host, "system is not configured for cgroups v2 in unified mode");
    }
    SWRUN_TRY(const std::string text, read_group_file(process, "cgroup"));
    const std::string group = unified_group(text);
    if (group.empty()) return make_error(Error::Kind::host, "could not find cgroups v2 unified path");
    return clean_path(std::string(kGroupMount) + group);
}

Status enter_group_of(int process) {
    SWRUN_TRY(const std::string path, group_directory_of(process));
    SWRUN_TRY(const Fd directory, open_file(path, O_RDONLY | O_DIRECTORY, Error::Kind::host));
    return write_group_file(directory.get(), "cgroup.procs", "0");
}

}  // namespace swrun
