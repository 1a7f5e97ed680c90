#include "commands/image_session.h"

#include <fcntl.h>

#include <cerrno>

#include "image/directory_view.h"
#include "image/ext_view.h"
#include "image/image_view.h"
#include "support/log.h"

namespace swrun {
namespace {

// Decoded blocks kept by one server; more is rarely asked for twice, the kernel has its own cache.
constexpr std::size_t kCacheBytes = 48U << 20U;

// What earlier launches have kept; null: nothing is kept.
std::shared_ptr<const HotCache> open_hot(const std::string& directory, const ImageFacts& facts,
                                         const SquashSource& source) {
    if (directory.empty()) return nullptr;
    auto hot = HotCache::open(directory, hot_identity(facts.id(), source.super()));
    if (hot) return std::move(hot).value();
    log_verbose("no decoded blocks are kept: " + format_error(hot.error()));
    return nullptr;
}

Result<ServedImage> open_squashfs(OpenedImage& image, const std::string& hot_directory) {
    Fd fd(::fcntl(image.fd.get(), F_DUPFD_CLOEXEC, 3));
    if (!fd) return sys_error(Error::Kind::host, "fcntl F_DUPFD_CLOEXEC", image.facts.path, errno);
    SWRUN_TRY(auto source, SquashSource::open(std::move(fd), image.facts.offset, image.facts.size));
    auto cache = std::make_shared<BlockCache>(kCacheBytes);
    std::shared_ptr<const HotCache> hot = open_hot(hot_directory, image.facts, *source);
    if (hot) HotCache::attach(hot, *cache);
    SWRUN_TRY(SquashReader reader, SquashReader::open(source, cache, hot));
    ServedImage served{std::move(source), std::move(cache), std::move(reader)};
    served.hot = std::move(hot);
    served.path = image.facts.path;
    return served;
}

Result<std::unique_ptr<TreeView>> view_of_ext3(const OpenedImage& image) {
    SWRUN_TRY(std::unique_ptr<ExtView> view, ExtView::open(image.fd.get(), image.facts.offset));
    return std::unique_ptr<TreeView>(std::move(view));
}

Status open_view(ImageSession& session, const std::string& hot_directory) {
    switch (session.image.facts.kind) {
        case ImageFacts::Kind::directory: session.view = std::make_unique<DirectoryView>(session.image.fd.get()); break;
        case ImageFacts::Kind::squashfs: {
            Result<ServedImage> opened = open_squashfs(session.image, hot_directory);
            if (!opened) {
                opened.error().add_context("reading the image " + session.image.facts.path);
                return std::move(opened).error();
            }
            session.squashfs.emplace(std::move(opened).value());
            session.view = std::make_unique<ImageView>(session.squashfs->reader);
            break;
        }
        case ImageFacts::Kind::ext3: {
            SWRUN_TRY(session.view,
                      with_context(view_of_ext3(session.image), "reading the image " + session.image.facts.path));
            break;
        }
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<ImageSession>> open_session(const std::string& argument, const std::string& cwd,
                                                   const std::string& host_arch, const std::string& hot_directory) {
    auto session = std::make_unique<ImageSession>();
    SWRUN_TRY(session->image, open_image(argument, cwd, host_arch));
    SWRUN_CHECK(open_view(*session, hot_directory));
    return session;
}

Result<std::unique_ptr<ImageSession>> open_data_session(const std::string& argument, const std::string& cwd,
                                                        std::optional<std::uint32_t> id, SifPart part,
                                                        const std::string& hot_directory) {
    auto session = std::make_unique<ImageSession>();
    SWRUN_TRY(session->image, open_data_image(argument, cwd, id, part));
    SWRUN_CHECK(open_view(*session, hot_directory));
    return session;
}

}  // namespace swrun
