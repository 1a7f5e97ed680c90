// SquashXattrs: the extended attributes of an inode.  Called by the FUSE server and by the unpacker.  Only `user.*` is
// given: `trusted.*` the kernel shows to no ordinary user, and what `security.*` says cannot hold in a mount of one
// (no_new_privs is set, capabilities(7)), while a writable layer that has to take it over with the file refuses the file
// (fs/overlayfs/copy_up.c, ovl_must_copy_xattr).  Of links the kernel asks for none (xattr(7)).
// Nothing that an image says is believed; the work for one inode is bounded.  Borrows the metadata; not thread-safe.
// Format: linux/fs/squashfs/xattr.c, xattr_id.c, version 4.0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "squashfs/squash_metadata.h"
#include "support/result.h"

namespace swrun {

class SquashXattrs {
public:
    explicit SquashXattrs(SquashMetadata& metadata) : metadata_(metadata) {}

    // Whether any inode has one: false is certain.  Reads what all inodes share, within limits.
    [[nodiscard]] bool may_exist();

    // Full names, in the order of the image.  E2BIG for more than the kernel passes on (XATTR_LIST_MAX).
    [[nodiscard]] Result<std::vector<std::string>> names(const SquashNode& node);

    // `name` in full; nullopt when the inode has no such attribute.
    [[nodiscard]] Result<std::optional<std::string>> value(const SquashNode& node, std::string_view name);

private:
    struct Table {
        std::uint64_t start = 0;  // of the attributes' metadata
        std::uint32_t lists = 0;
    };
    // Where the length of a value is, and behind it the value or (`elsewhere`) the place of both.
    struct Place {
        MetaCursor cursor;
        bool elsewhere = false;
    };
    // Told the full name; false ends the walk.
    using Use = std::function<Result<bool>(const std::string& name, Place place)>;

    [[nodiscard]] Result<Table> table();
    [[nodiscard]] Result<MetaCursor> find_list(const Table& table, std::uint32_t list, std::uint32_t& count);
    [[nodiscard]] Status walk(const Table& table, std::uint32_t list, std::uint64_t& budget, const Use& use);
    [[nodiscard]] Status skip(MetaCursor& cursor, std::uint64_t bytes, std::uint64_t& budget);
    [[nodiscard]] Result<std::string> read(const Table& table, Place place);

    SquashMetadata& metadata_;
};

}  // namespace swrun
