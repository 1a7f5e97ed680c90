#include "unpack/xattrs.h"

#include <sys/xattr.h>

#include <optional>
#include <string>
#include <vector>

namespace swrun {

Result<std::size_t> copy_xattrs(SquashReader& reader, const SquashNode& node, int file) {
    SWRUN_TRY(const std::vector<std::string> names, reader.xattrs().names(node));
    std::size_t refused = 0;
    for (const std::string& name : names) {
        SWRUN_TRY(const std::optional<std::string> value, reader.xattrs().value(node, name));
        if (value && ::fsetxattr(file, name.c_str(), value->data(), value->size(), 0) != 0) ++refused;
    }
    return refused;
}

}  // namespace swrun
