#include "runtime/id_ranges.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

#include "support/descriptors.h"
#include "support/io.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::uint32_t kUsualCount = 65536;
constexpr std::size_t kMaxFile = 16U << 20U;

std::string find_tool(const char* name) {
    for (const char* directory : {"/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/", "/usr/local/bin/"}) {
        std::string path = directory + std::string(name);
        if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return {};
}

std::vector<std::string> mapper_command(const std::string& tool, pid_t pid, const IdMap& own,
                                        const std::vector<IdMap>& more) {
    std::vector<std::string> words = {tool, std::to_string(pid)};
    const auto add = [&](const IdMap& map) {
        for (const std::uint32_t number : {map.inside, map.outside, map.count}) words.push_back(std::to_string(number));
    };
    add(own);
    for (const IdMap& map : more) add(map);
    return words;
}

int run_mappers(const NamespacePlan& plan, pid_t target) {
    const Result<std::string> uids = capture_output(mapper_command(plan.newuidmap, target, plan.uid, plan.more_uids),
                                                    65536);
    if (!uids) return 1;
    const Result<std::string> gids = capture_output(mapper_command(plan.newgidmap, target, plan.gid, plan.more_gids),
                                                    65536);
    return gids ? 0 : 2;
}

}  // namespace

IdRange range_in_subid(std::string_view text, const UserFacts& user) {
    IdRange best;
    for (const std::string_view line : split(text, '\n')) {
        const std::vector<std::string_view> fields = split(line, ':');
        if (fields.size() != 3 || (fields[0] != user.name && fields[0] != std::to_string(user.uid))) continue;
        const std::uint64_t start = parse_decimal(fields[1]).value_or(0);
        const std::uint64_t count = parse_decimal(fields[2]).value_or(0);
        if (count < kUsualCount || start == 0 || start + count > std::numeric_limits<std::uint32_t>::max()) continue;
        const IdRange range{static_cast<std::uint32_t>(start), static_cast<std::uint32_t>(count)};
        if (range.count == kUsualCount) return range;
        if (range.count > best.count) best = range;
    }
    return best;
}

SubordinateIds probe_subordinate_ids(const UserFacts& user) {
    SubordinateIds ids;
    const IdRange uids = range_in_subid(read_file("/etc/subuid", kMaxFile).value_or(std::string()), user);
    const IdRange gids = range_in_subid(read_file("/etc/subgid", kMaxFile).value_or(std::string()), user);
    ids.uid_start = uids.start;
    ids.uid_count = uids.count;
    ids.gid_start = gids.start;
    ids.gid_count = gids.count;
    ids.newuidmap = find_tool("newuidmap");
    ids.newgidmap = find_tool("newgidmap");
    return ids;
}

Result<RangeMapper> RangeMapper::start(const NamespacePlan& plan) {
    SWRUN_TRY(Pipe pipe, make_pipe());
    const pid_t target = ::getpid();
    SWRUN_TRY(Child child, start_child("the id mapper", [&] {
                  pipe.writer.reset();
                  char go = 0;
                  // End of file without a byte: the launch has failed, nothing is to be mapped.
                  if (::read(pipe.reader.get(), &go, 1) != 1) ::_exit(3);
                  ::_exit(run_mappers(plan, target));
              }));
    return RangeMapper(std::move(child), std::move(pipe.writer));
}

Status RangeMapper::map() {
    SWRUN_CHECK(write_all(go_.get(), "1", "the id mapper"));
    go_.reset();
    SWRUN_TRY(const int status, child_.wait());
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    const bool uids = WIFEXITED(status) && WEXITSTATUS(status) == 1;
    Error error = make_error(Error::Kind::host,
                             std::string(uids ? "newuidmap" : "newgidmap") + " refused to map the ids");
    return error.with_hint(
        "it must be setuid root or have file capabilities, and the range must be in /etc/subuid and "
        "/etc/subgid; --ignore-subuid does without");
}

}  // namespace swrun
