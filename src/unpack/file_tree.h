// Making and removing what is in a directory that nobody else can reach: all by *at() calls below its
// descriptor, never following a link, never in place of something that is there.  Used by unpack and
// kept_tree; reads no image.
#pragma once

#include <span>
#include <string>

#include "plan/launch_plan.h"
#include "squashfs/squash_node.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// A directory of a relative path below `root`, one component at a time; "" is the root itself.
[[nodiscard]] Result<Fd> open_directory_below(int root, const std::string& path);

// A new file for writing, for its owner only until its attributes are set.
[[nodiscard]] Result<Fd> create_file(int directory, const std::string& name);

// Anything but a regular file.  Directories are open to their owner until their attributes are set.  False: an
// ordinary user cannot make it (a device).
[[nodiscard]] Result<bool> create_node(int directory, const std::string& name, const SquashNode& node,
                                       const std::string& link_target);

// Owner (as stored, where the namespace has that id; else whoever makes it), mode and time of modification.
[[nodiscard]] Status set_attributes(int file, const SquashNode& node, const OwnerView& owners);
[[nodiscard]] Status set_attributes_at(int directory, const std::string& name, const SquashNode& node,
                                       const OwnerView& owners);

// A second name for a file; both paths are relative to `root`.
[[nodiscard]] Status add_link(int root, const std::string& from, const std::string& to);

// What a launch adds to its image, in place of the files and links that the image has there.
[[nodiscard]] Status add_ghosts(int root, std::span<const Ghost> ghosts);

// A directory with everything in it, whatever its modes; an absent one is a success.
[[nodiscard]] Status remove_tree(int parent, const std::string& name);

}  // namespace swrun
