// An image opened for looking at: the descriptor, what it is, and a TreeView over its content.  Used by
// the launch, which then hands the reader on to the image server, and by inspect.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "fuse/session.h"
#include "image/image_file.h"
#include "plan/tree_view.h"
#include "support/result.h"

namespace swrun {

struct ImageSession {
    OpenedImage image;
    std::optional<ServedImage> squashfs;  // null for a directory and for ext3
    std::unique_ptr<TreeView> view;       // borrows from the two above: do not move the session
};

// A further image: the source of a bind (SifPart::data) or a layer (SifPart::overlay).
[[nodiscard]] Result<std::unique_ptr<ImageSession>> open_data_session(const std::string& argument,
                                                                      const std::string& cwd,
                                                                      std::optional<std::uint32_t> id, SifPart part,
                                                                      const std::string& hot_directory = "");

// `host_arch` empty: any architecture will do.  `hot_directory`: below it the decoded blocks of a squashfs are kept
// between launches; empty: nowhere.
[[nodiscard]] Result<std::unique_ptr<ImageSession>> open_session(const std::string& argument, const std::string& cwd,
                                                                 const std::string& host_arch,
                                                                 const std::string& hot_directory = "");

}  // namespace swrun
