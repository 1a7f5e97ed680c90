// sif list, header, info, dump: what stands in a SIF, in the bytes that scripts parse.  Never writes to one.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

#include "commands/commands.h"
#include "image/image_file.h"
#include "sif/sif_text.h"
#include "support/io.h"

namespace swrun {
namespace {

Result<const SifObject*> find_object(const Sif& sif, std::uint32_t id) {
    if (sif.objects.empty()) return make_error(Error::Kind::usage, "no objects in image");
    if (id == 0) return make_error(Error::Kind::usage, "invalid object ID");
    for (const SifObject& object : sif.objects) {
        if (object.id == id) return &object;
    }
    return make_error(Error::Kind::usage, "object not found");
}

// The object's bytes to standard output; a file that ends before the object does is an error afterwards.
Status dump_object(const OpenedImage& image, const SifObject& object) {
    if (object.size == 0) return Unit{};
    struct stat status {};
    if (::fstat(image.fd.get(), &status) != 0) {
        return sys_error(Error::Kind::image, "fstat", image.facts.path, errno);
    }
    SWRUN_TRY(const SifExtent extent, sif_extent(object, static_cast<std::uint64_t>(status.st_size)));
    std::vector<std::byte> buffer(std::size_t{1} << 20U);
    std::uint64_t done = 0;
    while (done < extent.size) {
        const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), extent.size - done));
        const std::span<std::byte> part = std::span(buffer).first(step);
        SWRUN_TRY(const std::size_t count, read_at(image.fd.get(), part, extent.offset + done));
        if (count == 0) break;
        const std::string_view text(reinterpret_cast<const char*>(buffer.data()), count);
        SWRUN_CHECK(write_all(STDOUT_FILENO, text, "standard output"));
        done += count;
    }
    if (done == static_cast<std::uint64_t>(object.size)) return Unit{};
    return make_error(Error::Kind::image, "unexpected EOF: the file ends inside object " + std::to_string(object.id));
}

Result<std::string> text_of_file(const Invocation& invocation, const HostFacts& host) {
    const std::string cwd = host.cwd.base();
    SWRUN_TRY(const OpenedImage image, open_sif(invocation.sif.file, cwd));
    if (invocation.command == Command::sif_header) return format_sif_header(image.sif->header);
    if (invocation.command == Command::sif_list) return format_sif_list(*image.sif);
    SWRUN_TRY(const SifObject* object, find_object(*image.sif, invocation.sif.id));
    if (invocation.command == Command::sif_info) return format_sif_info(*object);
    SWRUN_CHECK(dump_object(image, *object));
    return std::string();
}

}  // namespace

int sif_command(const Invocation& invocation, const HostFacts& host) {
    const Result<std::string> text = text_of_file(invocation, host);
    if (text) {
        std::fputs(text->c_str(), stdout);
        return 0;
    }
    // As with Apptainer, every failure of these commands looks like a wrong command line.
    const UsageFault fault{UsageFault::Kind::operands, invocation.command, text.error().message};
    return report(usage_error(fault, invocation.called, host.user.home));
}

}  // namespace swrun
