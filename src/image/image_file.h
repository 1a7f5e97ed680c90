// Opens an image once, tells what it is (a directory, a SIF, a bare squashfs with or without a launch line, an ext3 file
// system) and looks inside.  Called by the launcher, by inspect and the like.  Everything later works on the descriptor
// that is opened here, so the file may be replaced or deleted meanwhile.  Never writes, never waits: a fifo or device is
// refused without being opened.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "plan/image_facts.h"
#include "plan/tree_view.h"
#include "sif/sif.h"
#include "squashfs/hot_cache.h"
#include "squashfs/squash_reader.h"
#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// A squashfs that swrun reads itself, with what has been decoded of it: that crosses the fork to the image server and
// need not be decoded again.
struct SquashImage {
    std::shared_ptr<const SquashSource> source;
    std::shared_ptr<BlockCache> cache;  // of data; the reader has one of metadata
    SquashReader reader;
    std::shared_ptr<const HotCache> hot{};  // where decoded blocks are kept between launches; null: nowhere
};

// May be moved: the view borrows from what the pointers and the descriptor lead to.
struct OpenedImage {
    ImageFacts facts;
    Fd fd;                                  // a file for reading, or the directory
    std::optional<Sif> sif;                 // when facts.is_sif
    std::unique_ptr<SquashImage> squashfs;  // after look_inside(); null for a directory and for ext3
    std::unique_ptr<TreeView> view;         // after look_inside(): what is in it
};

// `argument` as given ("" is the working directory), `cwd` the caller's logical working directory.
// `host_arch` in Go's names; empty: any architecture will do (inspect).  The root file system's header has
// been checked in the result.  An ext3 image is a success: the caller decides whether it can be used.
// Errors carry the words that other tools look for: "could not open image ABS: ...".
[[nodiscard]] Result<OpenedImage> open_image(std::string_view argument, std::string_view cwd,
                                             std::string_view host_arch);

// An image as a source of data, not to be run: of a SIF the object `id`, or else its first partition of
// the given type; another image as a whole.  No architecture is asked for.
[[nodiscard]] Result<OpenedImage> open_data_image(std::string_view argument, std::string_view cwd,
                                                  std::optional<std::uint32_t> id, SifPart part);

// Makes the view.  `hot_directory`: below it the decoded blocks of a squashfs are kept between launches; empty: nowhere.
[[nodiscard]] Status look_inside(OpenedImage& image, const std::string& hot_directory = "");

// Opens a SIF for its descriptors alone: no root file system is needed in it.
[[nodiscard]] Result<OpenedImage> open_sif(std::string_view argument, std::string_view cwd);

// The bytes of one object; more than `limit` is an error.
[[nodiscard]] Result<std::string> read_sif_object(int fd, const SifObject& object, std::size_t limit);

}  // namespace swrun
