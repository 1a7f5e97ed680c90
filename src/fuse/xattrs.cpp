#include "fuse/xattrs.h"

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swrun {
namespace {

bool has_any(ImageService& service) {
    if (service.xattrs == Xattrs::unknown) {
        const bool any = service.readers.borrow()->xattrs().may_exist();
        service.xattrs = any ? Xattrs::some : Xattrs::none;
    }
    return service.xattrs == Xattrs::some;
}

void reply(fuse_req_t request, std::string_view bytes, std::size_t size) {
    if (size == 0) {
        fuse_reply_xattr(request, bytes.size());
    } else if (bytes.size() > size) {
        fuse_reply_err(request, ERANGE);
    } else {
        fuse_reply_buf(request, bytes.data(), bytes.size());
    }
}

}  // namespace

void get_xattr(fuse_req_t request, fuse_ino_t ino, const char* name, std::size_t size) {
    if (!has_any(service_of(request))) {
        fuse_reply_err(request, ENOSYS);
        return;
    }
    if (is_ghost(ino)) {
        fuse_reply_err(request, ENODATA);
        return;
    }
    with_node(request, ino, [&](ImageService&, SquashReader& reader, const SquashNode& node) {
        const Result<std::optional<std::string>> value = reader.xattrs().value(node, name);
        if (!value) {
            fuse_reply_err(request, errno_of(value.error()));
        } else if (!*value) {
            fuse_reply_err(request, ENODATA);
        } else {
            reply(request, **value, size);
        }
    });
}

void list_xattrs(fuse_req_t request, fuse_ino_t ino, std::size_t size) {
    if (!has_any(service_of(request))) {
        fuse_reply_err(request, ENOSYS);
        return;
    }
    if (is_ghost(ino)) {
        reply(request, "", size);
        return;
    }
    with_node(request, ino, [&](ImageService&, SquashReader& reader, const SquashNode& node) {
        const Result<std::vector<std::string>> names = reader.xattrs().names(node);
        if (!names) {
            fuse_reply_err(request, errno_of(names.error()));
            return;
        }
        std::string list;
        for (const std::string& name : *names) list.append(name).push_back('\0');
        reply(request, list, size);
    });
}

}  // namespace swrun
