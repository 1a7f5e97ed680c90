// Where the wanted mounts go, and in which order.
//
// 1. The automatic ones, in the order in which they were collected, each after those that it lies in.
// 2. What somebody asked for, over them: by the depth of where the targets lead, links of the image and of what is
//    mounted by then followed.  So what is asked for is never covered by what is not, and the inner of two lies on
//    the outer.  At one place the later covers the earlier, which is said.
// 3. File systems of --fusemount last: nothing can be mounted in one before its program runs.
//
// A mount may itself bring the links through which a later target leads.  When it has been placed, the targets below
// it are resolved anew, and what is still to be placed is ordered again; what has been placed stays.
#include <map>
#include <set>
#include <tuple>

#include "resolve/resolve_parts.h"
#include "support/path.h"

namespace swrun {
namespace {

using Standing = WantedMount::Standing;

std::string name_of(const WantedMount& want) {
    const MountOp& op = want.op;
    const std::string source = source_of(op);
    return (source.empty() ? op.target : source + ":" + op.target) + " (from " + to_text(op.origin) + ")";
}

// The part of a map by path that is at or below one.
template <class Map>
std::pair<typename Map::iterator, typename Map::iterator> part_below(Map& map, const std::string& path) {
    // '0' follows '/': no other name that begins alike lies between.
    return {map.lower_bound(path + '/'), map.lower_bound(path + '0')};
}

class Placer {
public:
    explicit Placer(Draft& draft) : draft_(draft), tree_(draft.tree) {}

    Status run() {
        place_automatic();
        find_requested();
        place_cwd();
        while (!queue_.empty()) {
            const std::size_t index = std::get<3>(*queue_.begin());
            take(index);
            const WantedMount& want = draft_.wanted[index];
            if (want.standing == Standing::cwd) {
                place_cwd_inside(want);
            } else {
                SWRUN_CHECK(place_requested(index));
            }
        }
        return {};
    }

private:
    // Fuse mounts last; depth; then shorter names, as the tools of the field have it; then the order of asking.
    using Key = std::tuple<bool, std::size_t, std::size_t, std::size_t>;

    [[nodiscard]] Key key_of(std::size_t index, const std::string& place) const {
        const WantedMount& want = draft_.wanted[index];
        if (want.op.is<ServedByProgram>()) return {true, 0, 0, index};
        const std::size_t length = want.standing == Standing::cwd ? 0 : place.size();
        return {false, components(place).size(), length, index};
    }

    void put(std::size_t index) {
        places_[index] = resolve_in(tree_, draft_.wanted[index].op.target).path;
        queue_.insert(key_of(index, places_[index]));
        by_place_.emplace(places_[index], index);
    }

    void take(std::size_t index) {
        queue_.erase(key_of(index, places_[index]));
        auto [at, end] = by_place_.equal_range(places_[index]);
        while (at != end && at->second != index) ++at;
        by_place_.erase(at);
    }

    // A mount has been placed there: what was to lie below it may lead elsewhere now.
    void resolve_anew(const std::string& place) {
        std::vector<std::size_t> below;
        const auto [at, end] = part_below(by_place_, place);
        for (auto one = at; one != end; ++one) below.push_back(one->second);
        for (const std::size_t index : below) {
            take(index);
            put(index);
        }
    }

    void place_automatic() {
        std::map<std::string, std::size_t> at;  // where the image's links lead: the first that wants to be there
        for (std::size_t i = 0; i < draft_.wanted.size(); ++i) {
            if (draft_.wanted[i].standing != Standing::automatic) continue;
            at.emplace(lead_of(i), i);
        }
        std::vector<bool> done(draft_.wanted.size());
        for (std::size_t i = 0; i < draft_.wanted.size(); ++i) {
            if (draft_.wanted[i].standing == Standing::automatic) place_with_outer(i, at, done);
        }
    }

    // One that lies in another of the list before it by name goes through that one, whatever the image has there.
    std::string lead_of(std::size_t index) {
        const std::string& target = draft_.wanted[index].op.target;
        for (std::string_view up = parent_path(target); up.size() > 1; up = parent_path(up)) {
            if (named_.contains(up)) return leads_[index] = target;
        }
        named_.insert(target);
        return leads_[index] = resolve_in(tree_, target).path;
    }

    void place_with_outer(std::size_t index, const std::map<std::string, std::size_t>& at, std::vector<bool>& done) {
        if (done[index]) return;
        done[index] = true;
        std::string up = leads_[index];
        while (up.size() > 1) {
            up = std::string(parent_path(up));
            if (const auto outer = at.find(up); outer != at.end()) place_with_outer(outer->second, at, done);
        }
        place_own(draft_.wanted[index]);
    }

    void place_own(const WantedMount& want) {
        MountOp op = want.op;
        op.warned_of = op.required;
        op.required = false;
        const Result<bool> placed = tree_.place_automatic(std::move(op), want.is_dir);
        if (!placed) {
            draft_.note(Level::warning, "Skipping mount " + want.op.target + ": " + placed.error().message);
        } else if (*placed && want.spoken_for) {
            placed_.emplace(tree_.mounts().back().target, &want);
        }
    }

    void find_requested() {
        for (std::size_t i = 0; i < draft_.wanted.size(); ++i) {
            const Standing standing = draft_.wanted[i].standing;
            if (standing == Standing::site || standing == Standing::requested) put(i);
        }
    }

    [[nodiscard]] bool is_in_requested(const std::string& path) const {
        for (std::string_view up = path; up.size() > 1; up = parent_path(up)) {
            if (by_place_.contains(up)) return true;
        }
        return false;
    }

    void place_cwd() {
        for (std::size_t i = 0; i < draft_.wanted.size(); ++i) {
            const WantedMount& want = draft_.wanted[i];
            if (want.standing != Standing::cwd) continue;
            const ResolvedPath where = resolve_in(tree_, want.op.target);
            if (is_in_requested(where.path)) return put(i);
            if (!is_there(want, where)) show_cwd(want);
        }
    }

    // The same directory, and not only one of that name.
    [[nodiscard]] bool is_there(const WantedMount& want, const ResolvedPath& where) const {
        if (!where.exists()) return false;
        const Node outside = draft_.in.host_tree.look(source_of(want.op));
        return where.node.device == outside.device && where.node.inode == outside.inode;
    }

    // What was asked for may have another directory of that name: relative names have to mean inside what they
    // mean outside, so it is covered, but never anything that was asked for by itself.
    void place_cwd_inside(const WantedMount& want) {
        const ResolvedPath where = resolve_in(tree_, want.op.target);
        const bool taken = by_place_.contains(where.path) || covers_requested(where.path);
        if (!taken && !is_there(want, where)) show_cwd(want);
    }

    void show_cwd(const WantedMount& want) {
        const Result<bool> placed = tree_.place_automatic(want.op, true);
        if (!placed) return leave_cwd_out(want, placed.error());
        if (!*placed) return;
        resolve_anew(tree_.mounts().back().target);
        if (draft_.in.request.no_home.value && is_below(source_of(want.op), draft_.home)) {
            draft_.note(Level::verbose,
                        "the working directory is in the home directory and is shown: --no-mount home,cwd "
                        "hides both");
        }
    }

    void leave_cwd_out(const WantedMount& want, const Error& error) {
        draft_.cwd_hidden = true;
        // Who names a directory to start in does not miss this one.
        const bool missed = !draft_.in.request.cwd.value;
        draft_.note(missed ? Level::warning : Level::verbose, "the working directory " + source_of(want.op) +
                                                                  " is not shown: " + error.message + "; -B " +
                                                                  source_of(want.op) + " asks for it");
    }

    [[nodiscard]] bool covers_requested(const std::string& place) {
        const auto [at, end] = part_below(placed_, place);
        return placed_.contains(place) || at != end;
    }

    Status place_requested(std::size_t index) {
        const WantedMount& want = draft_.wanted[index];
        MountOp op = want.op;
        if (is_own_device(want, places_[index])) op.flags.no_dev = false;
        Status placed = check_fuse(op, places_[index]);
        if (placed) placed = tree_.place(std::move(op), want.is_dir);
        if (placed) {
            const std::string place = tree_.mounts().back().target;
            say_covered(want, place);
            placed_[place] = &want;
            resolve_anew(place);
            return {};
        }
        if (want.standing == Standing::site) {
            draft_.note(Level::verbose, "bind " + name_of(want) + " skipped: " + placed.error().message);
            return {};
        }
        if (draft_.plan.root.writable && placed.error().sys_errno == ENOENT)
            placed.error().with_hint("with --writable the image must have the destination: make it there");
        placed.error().add_context(want.context);
        return placed;
    }

    // Looking up a mount point in such a file system would wait for a program that runs only later.
    [[nodiscard]] Status check_fuse(const MountOp& op, const std::string& place) const {
        if (!op.is<ServedByProgram>()) return {};
        for (const MountOp& other : tree_.mounts()) {
            if (other.is<ServedByProgram>() && is_below(place, other.target)) {
                return make_error(Error::Kind::request,
                                  "another FUSE file system is mounted at " + other.target + " already");
            }
        }
        return {};
    }

    // What is bound at its own place at or below /dev stays a device; elsewhere devices do not work (nodev).
    [[nodiscard]] bool is_own_device(const WantedMount& want, const std::string& place) const {
        const MountOp& op = want.op;
        if (!op.is<BindMount>()) return false;
        if (source_of(op) == op.target && is_below(op.target, "/dev")) return true;
        return is_below(place, "/dev") && resolve_in(draft_.in.host_tree, source_of(op)).path == place;
    }

    void say_covered(const WantedMount& want, const std::string& place) {
        if (const auto same = placed_.find(place); same != placed_.end()) say_covered_one(want, *same);
        const auto [at, end] = part_below(placed_, place);
        for (auto one = at; one != end; ++one) say_covered_one(want, *one);
        placed_.erase(at, end);
    }

    void say_covered_one(const WantedMount& want, const std::pair<const std::string, const WantedMount*>& covered) {
        const WantedMount& other = *covered.second;
        const Node seen = resolve_in(tree_, covered.first).node;
        const Node meant = resolve_in(draft_.in.host_tree, source_of(other.op)).node;
        const bool shown = other.op.is<BindMount>() && seen.inode != 0 && seen.inode == meant.inode &&
                           seen.device == meant.device;
        if (shown) return;
        draft_.note(other.standing == Standing::site ? Level::verbose : Level::warning,
                    name_of(want) + " covers " + name_of(other) + ": both lead to " + covered.first);
    }

    Draft& draft_;
    ContainerTree& tree_;
    std::map<std::size_t, std::string> places_;  // of those in the queue, and of the one that was taken last
    std::set<Key> queue_;
    std::multimap<std::string, std::size_t, std::less<>> by_place_;
    std::map<std::size_t, std::string> leads_;
    std::set<std::string, std::less<>> named_;
    std::map<std::string, const WantedMount*> placed_;  // what was asked for or brought, by its place
};

}  // namespace

Status place_wanted(Draft& draft) { return Placer(draft).run(); }

}  // namespace swrun
