// Every entry of a tree inside a squashfs image, once, directories before what is in them.  Used to look how
// large a tree is and to unpack it.  Ends on any image: a directory that is met twice is damage (a squashfs
// has no hard links of directories).
#pragma once

#include <string>

#include "squashfs/squash_reader.h"
#include "support/result.h"

namespace swrun {

class TreeVisitor {
public:
    virtual ~TreeVisitor() = default;

    // Before the entries of a directory; `path` is relative to the start, "" for the start itself.
    [[nodiscard]] virtual Status enter(const std::string& path) = 0;
    // An entry of the directory that was entered last.  Its name is a name: not empty, "." or "..", and without
    // '/' (SquashReader::list).
    [[nodiscard]] virtual Status visit(const std::string& name, const SquashNode& node) = 0;
    // After the last entry of a directory.
    [[nodiscard]] virtual Status leave() { return {}; }
};

[[nodiscard]] Status walk_tree(SquashReader& reader, const SquashNode& start, TreeVisitor& visitor);

}  // namespace swrun
