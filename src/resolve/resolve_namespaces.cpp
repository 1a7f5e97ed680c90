// Which namespaces a launch gets, who the program is in them, and what it may do there.
#include <algorithm>
#include <numeric>
#include <optional>

#include "plan/capabilities.h"
#include "resolve/resolve_parts.h"
#include "support/text.h"

namespace swrun {
namespace {

struct Ids {
    std::optional<std::uint32_t> uid;
    std::optional<std::uint32_t> gid;
};

std::optional<std::uint32_t> parse_id(std::string_view text) {
    const std::optional<std::uint64_t> number = parse_decimal(text);
    // (uid_t)-1 means "no change" to the kernel and can be nobody's id.
    if (!number || *number >= 0xffffffffU) return std::nullopt;
    return static_cast<std::uint32_t>(*number);
}

Result<Ids> security_ids(const Draft& draft) {
    Ids ids;
    for (const Asked<std::string>& asked : draft.in.request.security) {
        const std::string by = " (from " + to_text(asked.origin) + ")";
        const bool is_uid = asked.value.starts_with("uid:");
        if (!is_uid && !asked.value.starts_with("gid:")) {
            return make_error(Error::Kind::request, "security feature " + asked.value + " is not supported" + by)
                .with_hint("only uid:N and gid:N are; set a context with runcon or aa-exec around swrun");
        }
        const std::string_view text = std::string_view(asked.value).substr(4);
        const std::optional<std::uint32_t> id = parse_id(text);
        if (!id && text.find(':') != std::string_view::npos) {
            return make_error(Error::Kind::request, "only one gid can be shown inside: " + asked.value + by)
                .with_hint("an ordinary user may map one group; your other groups stay yours for access checks");
        }
        if (!id) return make_error(Error::Kind::request, "bad id in " + asked.value + by);
        std::optional<std::uint32_t>& wanted = is_uid ? ids.uid : ids.gid;
        if (!wanted) wanted = id;  // of several the first counts
    }
    return ids;
}

// uid 0 inside.  With a range of ids granted by the administrator everything in an image can have its own
// owner; else only the caller exists inside, under the name of root.
void resolve_fakeroot(Draft& draft) {
    NamespacePlan& names = draft.plan.namespaces;
    const SubordinateIds& sub = draft.in.host.subordinate;
    names.uid.inside = names.gid.inside = 0;
    draft.user.uid = draft.user.gid = 0;
    const bool granted = sub.uid_count > 0 && sub.gid_count > 0;
    if (draft.in.request.ignore_subuid.value || !granted) {
        draft.note(Level::info, "User not listed in /etc/subuid, trying root-mapped namespace");
        return;
    }
    if (sub.newuidmap.empty() || sub.newgidmap.empty()) {
        draft.note(Level::warning,
                   "newuidmap and newgidmap are not installed (package uidmap): only one id exists inside");
        return;
    }
    names.more_uids = {{1, sub.uid_start, sub.uid_count}};
    names.more_gids = {{1, sub.gid_start, sub.gid_count}};
    names.newuidmap = sub.newuidmap;
    names.newgidmap = sub.newgidmap;
    draft.plan.root.owners.as_stored = true;
}

// "all" stands for every capability, whatever else is in the list.
std::vector<int> numbers_of(Draft& draft, const Text& asked, const char* verb) {
    std::vector<int> numbers;
    if (!asked.value) return numbers;
    for (const std::string_view part : split(*asked.value, ',')) {
        const std::string_view name = trim(part);
        if (name.empty()) continue;
        if (is_every_capability(name)) {
            numbers.resize(capability_names().size());
            std::iota(numbers.begin(), numbers.end(), 0);
            return numbers;
        }
        if (const std::optional<int> number = capability_number(name)) {
            numbers.push_back(*number);
        } else {
            draft.note(Level::warning, "won't " + std::string(verb) + " unknown capability: " + printable(name));
        }
    }
    return numbers;
}

void resolve_rights(Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    ProcessPlan& process = draft.plan.process;
    // Somebody who is root here, also of an outer user namespace, keeps what that means inside; an id that
    // --security shows is a name and gives no rights.
    const bool root = draft.in.host.user.uid == 0 || request.fakeroot.value;
    const bool keep = root && draft.root_inside() && !request.no_privs.value;
    process.drop_capabilities = !keep;
    // Without a range of ids setuid programs of the image can only become the caller himself.
    process.no_new_privs = !keep || !draft.plan.namespaces.more_uids.empty();
    const std::vector<int> removed = numbers_of(draft, request.drop_caps, "drop");
    const std::vector<int> added = numbers_of(draft, request.add_caps, "add");
    if (keep) {
        process.capabilities = removed;
        return;
    }
    for (const int number : added) {
        if (std::find(removed.begin(), removed.end(), number) == removed.end()) process.capabilities.push_back(number);
    }
}

}  // namespace

Status resolve_namespaces(Draft& draft) {
    const LaunchRequest& request = draft.in.request;
    const UserFacts& user = draft.in.host.user;
    NamespacePlan& names = draft.plan.namespaces;
    names.uid = {user.uid, user.uid, 1};
    names.gid = {user.gid, user.gid, 1};
    names.pid = (request.pid.value || request.containall.value) && !request.no_pid.value;
    if (!request.instance.empty() || !request.fusemounts.empty()) names.pid = true;
    names.init = !request.no_init.value || !request.instance.empty();
    names.ipc = request.ipc.value || request.containall.value;
    names.uts = request.uts.value || request.hostname.value.has_value();
    names.hostname = request.hostname.value.value_or("");
    names.net = request.net.value;
    SWRUN_TRY(const Ids ids, security_ids(draft));
    if (request.keep_privs.value && user.uid != 0) {
        return make_error(Error::Kind::request,
                          "--keep-privs requires root privileges (from " + to_text(request.keep_privs.origin) + ")")
            .with_hint("leave it out; --fakeroot makes you root inside, --add-caps gives single capabilities");
    }
    if (request.fakeroot.value && (ids.uid || ids.gid)) {
        return make_error(Error::Kind::request, "--security uid:N and gid:N do not go together with --fakeroot")
            .with_hint("--fakeroot makes you root inside; leave one of the two out");
    }
    if (request.fakeroot.value && user.uid != 0) resolve_fakeroot(draft);
    if (ids.uid) names.uid.inside = draft.user.uid = *ids.uid;
    if (ids.gid) names.gid.inside = draft.user.gid = *ids.gid;
    draft.plan.root.owners.uid = names.uid.inside;
    draft.plan.root.owners.gid = names.gid.inside;
    draft.plan.process.umask = request.no_umask.value ? 022 : draft.in.host.umask;
    resolve_rights(draft);
    return {};
}

}  // namespace swrun
