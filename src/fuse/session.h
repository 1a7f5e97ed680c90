// Serves one image over one FUSE device, in the server process: waits for the device, then answers
// until the mount is gone.  Starts threads; nothing else in the process may have.
#pragma once

#include <memory>

#include "fuse/placement.h"
#include "fuse/predicted_files.h"
#include "fuse/watcher.h"
#include "image/prediction.h"
#include "share/holder.h"
#include "squashfs/hot_cache.h"
#include "squashfs/reader_pool.h"
#include "support/result.h"

namespace swrun {

// An open image and the reader that has looked at it while the launch was planned: what it decoded
// then crosses the fork to the server and need not be decoded again.
struct ServedImage {
    std::shared_ptr<const SquashSource> source;
    std::shared_ptr<BlockCache> cache;
    SquashReader reader;
    StartHint hint{};                             // what will be started from it; empty for nothing
    std::shared_ptr<PredictedFiles> predicted{};  // what the server found out about that; null without a server
    Placement placement{};                        // of the server's threads
    std::string path{};                           // for messages
    MessagePlace messages{};                      // where they go
    Fd server{};                            // to a server that was started while the launch is still being planned
    std::shared_ptr<const HotCache> hot{};  // where decoded blocks are kept between launches; null: nowhere
};

// The image is used up.  A launcher that goes away without sending a device is a success: there is nothing to
// serve.  One that sends what to hold (share/holder) need not: its tree then ends with its last process.
[[nodiscard]] Status serve_image(ServedImage& image, Fd link, Doors doors);

}  // namespace swrun
