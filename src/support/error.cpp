#include "support/error.h"

#include <cctype>
#include <cerrno>
#include <cstring>

#include "support/errno_hint.h"

namespace swrun {

Error make_error(Error::Kind kind, std::string message) {
    Error error;
    error.kind = kind;
    error.message = std::move(message);
    return error;
}

Error sys_error(Error::Kind kind, std::string_view call, std::string_view object, int err) {
    Error error;
    error.kind = kind;
    error.sys_errno = err;
    error.message = std::string(call);
    if (!object.empty()) error.message.append(" ").append(object);
    error.message.append(": ").append(errno_text(err)).append(" (").append(errno_name(err)).append(")");
    // EIO of an image is damage that we have found ourselves, mostly.
    if (kind != Error::Kind::image || err != EIO) error.hint = errno_hint(err);
    return error;
}

std::string_view errno_hint(int err) {
    switch (err) {
        case EMFILE:
            return "the limit of open files is reached: raise it with 'ulimit -n' (the batch system or the "
                   "administrator "
                   "sets the hard one, ulimit -Hn)";
        case ENFILE: return "the host's table of open files is full (fs.file-max): ask the administrator";
        case ELOOP: return "a symbolic link on the way leads back to itself, or through more than 40 others";
        case ENAMETOOLONG: return "a name may have 255 bytes, a path 4095";
        case ESTALE:
            return "the server of that network file system has replaced or removed it: enter the directory anew, or "
                   "ask "
                   "the administrator to mount it again";
        case ENOTCONN:
            return "the program that serves that FUSE file system has ended: unmount it (fusermount -u) and start it "
                   "again";
        case EIO: return "the disk or the network file system that it lies on reports an error: ask the administrator";
        default: return {};
    }
}

std::string errno_text(int err) {
    const char* known = ::strerrordesc_np(err);  // unlike strerror: no locale, no shared buffer
    std::string text = known != nullptr ? known : "unknown error";
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
    return text;
}

std::string errno_name(int err) {
    const char* name = ::strerrorname_np(err);
    return name != nullptr ? name : std::to_string(err);
}

int exit_code(const Error& error) {
    switch (error.kind) {
        case Error::Kind::usage: return 1;
        case Error::Kind::status: return error.exit_status;
        case Error::Kind::request:
        case Error::Kind::image:
        case Error::Kind::host:
        case Error::Kind::program:
        case Error::Kind::internal: return 255;
    }
    return 255;
}

std::string format_error(const Error& error) {
    std::string text = error.message;
    for (const std::string& line : error.context) text.append("\n  while ").append(line);
    if (!error.hint.empty()) text.append("\n  hint: ").append(error.hint);
    return text;
}

}  // namespace swrun
