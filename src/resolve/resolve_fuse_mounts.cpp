// --fusemount: FUSE file systems that programs of the user's serve, in the container or on the host.
#include <algorithm>
#include <array>
#include <string_view>

#include "resolve/mount_ops.h"
#include "resolve/resolve_parts.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

// libfuse takes the device from this descriptor, which the launcher has mounted already (since libfuse 3.3,
// fuse_session_mount).
constexpr const char* kDeviceName = "/dev/fd/3";

struct FuseType {
    std::string_view name;
    bool inside;
    bool daemon;
};

constexpr std::array<FuseType, 4> kTypes = {{{"container", true, false},
                                             {"container-daemon", true, true},
                                             {"host", false, false},
                                             {"host-daemon", false, true}}};

Error bad_spec(std::string why, const Asked<std::string>& asked) {
    return make_error(Error::Kind::request, std::move(why) + " (from " + to_text(asked.origin) + ")")
        .with_hint(
            "TYPE:COMMAND [ARGUMENT...] /DIRECTORY, where TYPE is container, host, container-daemon or "
            "host-daemon; a comma ends the value unless \"all of it\" is in double quotes");
}

std::vector<std::string> words_of(std::string_view text) {
    constexpr std::string_view kSpace = " \t\n\v\f\r";
    std::vector<std::string> words;
    for (std::size_t at = text.find_first_not_of(kSpace); at != text.npos; at = text.find_first_not_of(kSpace, at)) {
        const std::size_t end = std::min(text.find_first_of(kSpace, at), text.size());
        words.emplace_back(text.substr(at, end - at));
        at = end;
    }
    return words;
}

struct FuseSpec {
    FuseMount mount;
    std::string target;
};

// The sentences of the first two errors are those of the field.
Result<FuseSpec> parse_spec(const Asked<std::string>& asked) {
    std::vector<std::string> words = words_of(asked.value);
    if (words.size() < 2) {
        return bad_spec("no whitespace separators found in command \"" + printable(asked.value) + "\"", asked);
    }
    const std::string prefix = words[0].substr(0, words[0].find(':'));
    const auto* type = std::find_if(kTypes.begin(), kTypes.end(), [&](const FuseType& t) { return t.name == prefix; });
    if (type == kTypes.end() || prefix.size() == words[0].size()) {
        return bad_spec("fusemount spec begin with an unknown prefix " + printable(prefix), asked);
    }
    FuseSpec spec;
    spec.target = std::move(words.back());
    words.pop_back();
    words[0].erase(0, prefix.size() + 1);
    if (words[0].empty()) return bad_spec("no command in \"" + printable(asked.value) + "\"", asked);
    if (!spec.target.starts_with('/')) {
        return bad_spec("the mount point " + printable(spec.target) + " is not an absolute path", asked);
    }
    words.emplace_back(kDeviceName);
    if (!type->daemon) words.emplace_back("-f");
    spec.mount = {std::move(words), type->inside, type->daemon, asked.origin};
    return spec;
}

}  // namespace

Status resolve_fuse_mounts(Draft& draft) {
    for (const Asked<std::string>& asked : draft.in.request.fusemounts) {
        SWRUN_TRY(FuseSpec spec, parse_spec(asked));
        MountOp op;
        op.shows = ServedByProgram{draft.plan.fuse_mounts.size()};
        op.target = spec.target;
        op.origin = asked.origin;
        want_asked(draft, std::move(op), true,
                   "mounting a FUSE file system at " + spec.target + " (from " + to_text(asked.origin) + ")");
        draft.plan.fuse_mounts.push_back(std::move(spec.mount));
    }
    return {};
}

}  // namespace swrun
