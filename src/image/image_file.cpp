#include "image/image_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <utility>
#include <vector>

#include "image/image_format.h"
#include "image/machine.h"
#include "squashfs/squash_super.h"
#include "support/byte_reader.h"
#include "support/descriptors.h"
#include "support/errno_hint.h"
#include "support/io.h"
#include "support/path.h"

namespace swrun {
namespace {

// The file while it is being recognised.
struct Probe {
    int fd = -1;
    std::uint64_t file_size = 0;
    std::vector<std::byte> start;  // kProbeSize bytes, or fewer if the file is shorter
};

Error refused(std::string message, int err = 0) {
    Error error = make_error(Error::Kind::image, std::move(message));
    error.sys_errno = err;
    return error;
}

// "could not open image ABS: " before a message of a parser.
Error not_opened(const std::string& path, Error cause, std::string_view stage = "") {
    cause.message = "could not open image " + path + ": " + std::string(stage) + cause.message;
    return cause;
}

Error not_recognised(const std::string& path) { return not_opened(path, refused("image format not recognized")); }

Result<std::string> resolve(const std::string& path) {
    std::array<char, PATH_MAX> buffer{};
    if (realpath(path.c_str(), buffer.data()) != nullptr) return std::string(buffer.data());
    const int err = errno;
    // glibc leaves the component that failed in the buffer (realpath(3), NOTES).
    const std::string component = err == ENOENT || err == EACCES ? std::string(buffer.data()) : path;
    Error error = refused("failed to retrieve path for " + path + ": lstat " + (component.empty() ? path : component) +
                              ": " + errno_text(err),
                          err);
    error.hint = errno_hint(err);
    return not_opened(path, std::move(error));
}

Result<Fd> open_readable(const std::string& path, const std::string& real) {
    struct stat status {};
    if (stat(real.c_str(), &status) != 0) {
        const int err = errno;
        return not_opened(path, sys_error(Error::Kind::image, "stat", real, err));
    }
    if (!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) return not_recognised(path);
    // O_NONBLOCK: the name may have become a fifo since.
    Fd fd(with_room([&] { return open(real.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); }));
    const int err = errno;
    if (fd) return fd;
    if (err == EACCES) {
        return not_opened(path, refused(real + " is not readable by the current user, check permissions", err));
    }
    return not_opened(path, sys_error(Error::Kind::image, "open", real, err));
}

Result<Probe> probe_file(const OpenedImage& image, std::uint64_t file_size) {
    Probe probe;
    probe.fd = image.fd.get();
    probe.file_size = file_size;
    probe.start.resize(kProbeSize);
    SWRUN_TRY(const std::size_t count, read_at(probe.fd, probe.start, 0));
    probe.start.resize(count);
    return probe;
}

Result<Sif> read_sif(const Probe& probe) {
    Sif sif;
    SWRUN_TRY(sif.header, parse_sif_header(probe.start, probe.file_size));
    std::vector<std::byte> table(static_cast<std::size_t>(sif.header.descriptors_total) * kSifDescriptorSize);
    SWRUN_TRY(const std::size_t count,
              read_at(probe.fd, table, static_cast<std::uint64_t>(sif.header.descriptors_offset)));
    table.resize(count);
    SWRUN_TRY(sif.objects, parse_sif_objects(table));
    return sif;
}

Status check_squashfs_at(const Probe& probe, std::uint64_t offset, std::uint64_t size) {
    std::array<std::byte, kSquashSuperSize> bytes{};
    SWRUN_TRY(const std::size_t count, read_at(probe.fd, bytes, offset));
    SWRUN_TRY(const SquashSuper super, parse_squash_super(std::span(bytes).first(count)));
    SWRUN_CHECK(check_squash_super(super, size));
    return Unit{};
}

Status check_ext3_at(const Probe& probe, std::uint64_t offset) {
    std::vector<std::byte> bytes(kProbeSize);
    SWRUN_TRY(const std::size_t count, read_at(probe.fd, bytes, offset));
    bytes.resize(count);
    if (ext_kind(bytes) != ExtKind::ext3) return refused("file is not a valid ext3 image");
    return Unit{};
}

// Errors here are read as "while checking system partition header: ...".
Result<ImageFacts::Kind> check_partition(const Probe& probe, const SifPartition& partition, SifExtent extent) {
    switch (partition.fs) {
        case SifFs::squashfs:
            if (Status status = check_squashfs_at(probe, extent.offset, extent.size); !status) {
                status.error().message = "error while checking squashfs header: while parsing squashfs super block: " +
                                         status.error().message;
                return std::move(status).error();
            }
            return ImageFacts::Kind::squashfs;
        case SifFs::ext3:
            if (Status status = check_ext3_at(probe, extent.offset); !status) {
                status.error().message = "error while checking ext3 header: " + status.error().message;
                return std::move(status).error();
            }
            return ImageFacts::Kind::ext3;
        case SifFs::encrypted_squashfs:
        case SifFs::gocryptfs:
            return refused("the root file system is encrypted (" + std::string(sif_fs_name(partition.fs)) +
                           "), which is not supported")
                .with_hint("decrypt the image with the tool that made it");
        case SifFs::archive:
        case SifFs::raw: break;
    }
    return refused("unknown filesystem type " + std::string(sif_fs_name(partition.fs)));
}

Status check_architecture(const std::string& arch, std::string_view host) {
    if (host.empty() || arch == "unknown") return Unit{};
    if (runs_natively(arch, host) || emulated_by_kernel(arch)) return Unit{};
    return refused("the image's architecture (" + arch + ") could not run on the host's (" + std::string(host) + ")");
}

Status fill_from_sif(OpenedImage& image, const Probe& probe, std::string_view host_arch) {
    const std::string& path = image.facts.path;
    const SifObject* primary = sif_primary(*image.sif);
    if (primary == nullptr) {
        return refused("while getting root filesystem in " + path + ": no root filesystem found");
    }
    constexpr std::string_view kStage = "while checking system partition header: ";
    const Result<SifExtent> extent = sif_extent(*primary, probe.file_size);
    if (!extent) return not_opened(path, extent.error(), kStage);
    const std::string& arch = primary->partition->arch;
    if (arch != "unknown") image.facts.architecture = arch;
    const Result<ImageFacts::Kind> kind = check_partition(probe, *primary->partition, *extent);
    if (!kind) return not_opened(path, kind.error(), kStage);
    const Status runs = check_architecture(arch, host_arch);
    if (!runs) return not_opened(path, runs.error());
    image.facts.kind = *kind;
    image.facts.offset = extent->offset;
    image.facts.size = extent->size;
    return Unit{};
}

// Everything that is not a directory, in the order in which Singularity probes: SIF, squashfs, ext3.
Status recognise(OpenedImage& image, std::uint64_t file_size, std::string_view host_arch) {
    const std::string& path = image.facts.path;
    const Result<Probe> probe = probe_file(image, file_size);
    if (!probe) return not_opened(path, probe.error());
    if (probe->start.size() < kProbeSize) return not_recognised(path);
    if (looks_like_sif(probe->start)) {
        Result<Sif> sif = read_sif(*probe);
        if (!sif) return not_opened(path, std::move(sif).error());
        image.facts.is_sif = true;
        image.sif = std::move(sif).value();
        return fill_from_sif(image, *probe, host_arch);
    }
    const std::size_t launch = launch_line_size(probe->start);
    const std::span<const std::byte> start(probe->start);
    const auto body = launch < start.size() ? start.subspan(launch) : std::span<const std::byte>();
    image.facts.offset = launch;
    image.facts.size = file_size - launch;
    if (looks_like_squashfs(body)) {
        image.facts.kind = ImageFacts::Kind::squashfs;
        const Status good = check_squashfs_at(*probe, launch, image.facts.size);
        return good ? Status{} : not_opened(path, good.error());
    }
    switch (ext_kind(body)) {
        case ExtKind::none: return not_recognised(path);
        case ExtKind::unsupported: return not_opened(path, refused("file is not a valid ext3 image"));
        case ExtKind::ext3: image.facts.kind = ImageFacts::Kind::ext3; return Unit{};
    }
    return Unit{};
}

struct Opened {
    OpenedImage image;
    struct stat status {};
};

Result<Opened> open_any(std::string_view argument, std::string_view cwd) {
    Opened opened;
    ImageFacts& facts = opened.image.facts;
    facts.path = absolute_path(argument.empty() ? "." : argument, cwd);
    facts.name = base_name(facts.path);
    SWRUN_TRY(facts.real_path, resolve(facts.path));
    if (facts.real_path == "/") return refused("/ as sandbox is not authorized");
    SWRUN_TRY(opened.image.fd, open_readable(facts.path, facts.real_path));
    if (fstat(opened.image.fd.get(), &opened.status) != 0) {
        const int err = errno;
        return not_opened(facts.path, sys_error(Error::Kind::image, "fstat", facts.real_path, err));
    }
    if (!S_ISREG(opened.status.st_mode) && !S_ISDIR(opened.status.st_mode)) return not_recognised(facts.path);
    const struct stat& status = opened.status;
    facts.device = status.st_dev;
    facts.inode = status.st_ino;
    facts.changed = std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
    facts.writable_by_caller = faccessat(AT_FDCWD, facts.real_path.c_str(), W_OK, AT_EACCESS) == 0;
    return opened;
}

}  // namespace

Result<OpenedImage> open_image(std::string_view argument, std::string_view cwd, std::string_view host_arch) {
    SWRUN_TRY(Opened opened, open_any(argument, cwd));
    if (S_ISDIR(opened.status.st_mode)) {
        opened.image.facts.kind = ImageFacts::Kind::directory;
        return std::move(opened.image);
    }
    SWRUN_CHECK(recognise(opened.image, static_cast<std::uint64_t>(opened.status.st_size), host_arch));
    return std::move(opened.image);
}

Result<OpenedImage> open_data_image(std::string_view argument, std::string_view cwd, std::optional<std::uint32_t> id,
                                    SifPart part) {
    SWRUN_TRY(Opened opened, open_any(argument, cwd));
    OpenedImage& image = opened.image;
    if (S_ISDIR(opened.status.st_mode)) return not_recognised(image.facts.path);
    const auto file_size = static_cast<std::uint64_t>(opened.status.st_size);
    SWRUN_TRY(const Probe probe, probe_file(image, file_size));
    if (!looks_like_sif(probe.start)) {
        SWRUN_CHECK(recognise(image, file_size, ""));
        return std::move(opened.image);
    }
    image.facts.is_sif = true;
    SWRUN_TRY(image.sif, with_context(read_sif(probe), "reading " + image.facts.path));
    for (const SifObject& object : image.sif->objects) {
        const bool wanted = id ? object.id == *id : object.partition && object.partition->part == part;
        if (!wanted || !object.partition) continue;
        SWRUN_TRY(const SifExtent extent, sif_extent(object, file_size));
        SWRUN_TRY(image.facts.kind, check_partition(probe, *object.partition, extent));
        image.facts.offset = extent.offset;
        image.facts.size = extent.size;
        return std::move(opened.image);
    }
    const std::string wanted = id ? "partition with the id " + std::to_string(*id)
                                  : std::string(part == SifPart::overlay ? "overlay" : "data") + " partition";
    return refused("could not open image " + image.facts.path + ": it has no " + wanted);
}

Result<OpenedImage> open_sif(std::string_view argument, std::string_view cwd) {
    SWRUN_TRY(Opened opened, open_any(argument, cwd));
    OpenedImage& image = opened.image;
    if (S_ISDIR(opened.status.st_mode)) return refused("invalid SIF magic: " + image.facts.path + " is not a SIF file");
    SWRUN_TRY(const Probe probe, probe_file(image, static_cast<std::uint64_t>(opened.status.st_size)));
    if (!looks_like_sif(probe.start)) return refused("invalid SIF magic: " + image.facts.path + " is not a SIF file");
    image.facts.is_sif = true;
    SWRUN_TRY(image.sif, with_context(read_sif(probe), "reading " + image.facts.path));
    return std::move(opened.image);
}

Result<std::string> read_sif_object(int fd, const SifObject& object, std::size_t limit) {
    struct stat status {};
    if (fstat(fd, &status) != 0) {
        const int err = errno;
        return sys_error(Error::Kind::image, "fstat", "image", err);
    }
    SWRUN_TRY(const SifExtent extent, sif_extent(object, static_cast<std::uint64_t>(status.st_size)));
    if (extent.size > limit) {
        return sys_error(Error::Kind::image, "read", "SIF object " + std::to_string(object.id), EFBIG);
    }
    std::string text(static_cast<std::size_t>(extent.size), '\0');
    SWRUN_TRY(const std::size_t count, read_at(fd, std::as_writable_bytes(std::span(text)), extent.offset));
    text.resize(count);
    return text;
}

}  // namespace swrun
