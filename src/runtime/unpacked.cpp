#include "runtime/unpacked.h"

#include <sys/stat.h>

#include <cerrno>

#include "mounts/kernel/mount_syscalls.h"
#include "support/path.h"
#include "unpack/unpack.h"

namespace swrun {
namespace {

UnpackSource source_of(const ImageMount& mount, const OpenedImage& image) {
    SquashImage& opened = *image.squashfs;
    return {std::string(base_name(image.facts.path)), opened.source, opened.cache, opened.reader, mount.part};
}

Status hinted(Status done, const char* hint) {
    if (!done && done.error().sys_errno == ENOSPC) done.error().with_hint(hint);
    return done;
}

Result<Fd> unpack_to_tmpfs(const ImageMount& mount, const OpenedImage& image, const OwnerView& owners,
                           const std::vector<Ghost>& ghosts) {
    // No limits of its own: what there is has been compared with what the image needs.
    SWRUN_TRY(Fd tmpfs, make_mount("tmpfs", {{"source", "swrun"}, {"mode", "755"}, {"size", "0"}, {"nr_inodes", "0"}},
                                   MountFlags{}));
    SWRUN_CHECK(
        hinted(unpack_image(source_of(mount, image), {tmpfs.get(), owners, ghosts, free_memory(), "of memory"}),
               "with --unpack-dir DIR the image is unpacked to a disk, once, and kept for later launches; where "
               "/dev/fuse can be used nothing is unpacked at all"));
    return tmpfs;
}

// The path leads to the same directory that was made or looked at: DIR may be in somebody else's hands.
Result<Fd> clone_kept(const KeptTree& kept) {
    SWRUN_TRY(Fd mount, clone_mount(kept.path, false));
    struct stat there {};
    if (::fstat(mount.get(), &there) != 0) return sys_error(Error::Kind::host, "stat", kept.path, errno);
    if (there.st_dev != kept.device || there.st_ino != kept.inode)
        return make_error(Error::Kind::host, kept.path + " has just been replaced");
    return mount;
}

}  // namespace

Result<KeptTree> keep_unpacked(const ImageMount& mount, const OpenedImage& image) {
    const std::string& kept_in = mount.unpacked()->kept_in;
    SWRUN_TRY(const KeptTrees trees, KeptTrees::open(kept_in));
    SWRUN_TRY(const std::string identity,
              image_identity(image.fd.get(), image.facts.offset, image.facts.size, mount.part));
    const UnpackSource source = source_of(mount, image);
    return trees.get(identity, source.name, [&](int directory) -> Status {
        SWRUN_TRY(const Space room, free_disk(directory, kept_in));
        return hinted(unpack_image(source, {directory, {}, {}, room, "in " + kept_in}),
                      "name another directory with --unpack-dir, or remove trees that nobody uses any more");
    });
}

Result<Fd> mount_unpacked(const ImageMount& mount, const OpenedImage& image, const OwnerView& owners,
                          const std::vector<Ghost>& ghosts, const KeptTree& kept) {
    Result<Fd> tree = mount.unpacked()->kept_in.empty() ? unpack_to_tmpfs(mount, image, owners, ghosts)
                                                        : clone_kept(kept);
    if (tree && !mount.is_directory) tree = clone_mount_at(tree->get(), kUnpackedFile, false);
    if (!tree) return tree;
    MountFlags flags;
    flags.read_only = true;
    flags.recursive = false;
    SWRUN_CHECK(restrict_mount(tree->get(), flags, image.facts.path));
    return tree;
}

}  // namespace swrun
