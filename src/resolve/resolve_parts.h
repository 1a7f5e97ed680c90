// The parts of resolve, one per question.  Internal to the room.
#pragma once

#include "resolve/container_tree.h"
#include "resolve/resolve.h"
#include "resolve/wanted_mount.h"

namespace swrun {

// The state that the parts share while a plan grows.
struct Draft {
    const ResolveInput& in;
    ContainerTree tree;
    UserFacts user;  // who the program is inside
    LaunchPlan plan;
    std::string home;                       // destination: HOME inside
    std::vector<std::string> bind_targets;  // for *_BIND, as asked
    std::vector<WantedMount> wanted;        // in the order in which they are collected
    bool cwd_hidden = false;                // the working directory is not in the container

    // The further image of a bind or overlay; nullopt when the caller opened none for it.
    [[nodiscard]] std::optional<std::size_t> image_of(const std::string& argument,
                                                      std::optional<std::uint32_t> id) const;

    // Plans a mount of an image, 0 being the root's and N + 1 the further one N; gives its index.  An image
    // that swrun does not read itself asks for a driver of the host.
    [[nodiscard]] Result<std::size_t> mount_image(std::size_t image, const std::string& part, bool is_directory,
                                                  bool writable, const Origin& origin);

    explicit Draft(const ResolveInput& input)
        : in(input), tree(input.host_tree, input.image_tree), user(input.host.user) {}

    void note(Level level, std::string text) { plan.notes.push_back({level, std::move(text)}); }
    [[nodiscard]] bool contained() const { return in.request.contain.value || in.request.containall.value; }
    // --no-mount WORD, or a PATH of it.
    [[nodiscard]] bool unmounted(std::string_view word) const;
    [[nodiscard]] bool root_inside() const { return user.uid == 0; }
};

[[nodiscard]] Status resolve_root(Draft& draft);         // resolve_root.cpp: layers and what they exclude
void resolve_unpacked(Draft& draft);                     // resolve_root.cpp: where to, once the owners are known
[[nodiscard]] Status resolve_namespaces(Draft& draft);   // resolve_namespaces.cpp: ids and capabilities too
[[nodiscard]] Status resolve_home(Draft& draft);         // resolve_home.cpp: decides HOME; /tmp and scratch
[[nodiscard]] Status resolve_mounts(Draft& draft);       // resolve_mounts.cpp: everything but user binds
[[nodiscard]] Status resolve_binds(Draft& draft);        // resolve_binds.cpp: user and site binds, the cwd
[[nodiscard]] Status resolve_fuse_mounts(Draft& draft);  // resolve_fuse_mounts.cpp: --fusemount
[[nodiscard]] Status place_wanted(Draft& draft);         // place_wanted.cpp: where and in which order they all go
[[nodiscard]] Status resolve_limits(Draft& draft);       // resolve_limits.cpp: the control group
[[nodiscard]] Status resolve_process(Draft& draft);      // resolve_process.cpp: environment, program, directory

}  // namespace swrun
