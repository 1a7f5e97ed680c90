// Serves one image over one FUSE device, in the server process: waits for the device, then answers
// until the mount is gone.  Starts threads; nothing else in the process may have.
#pragma once

#include <memory>

#include "fuse/placement.h"
#include "fuse/predicted_files.h"
#include "fuse/watcher.h"
#include "image/image_file.h"
#include "image/prediction.h"
#include "share/holder.h"
#include "squashfs/reader_pool.h"
#include "support/result.h"

namespace swrun {

// What launcher and server both know of a server's start.
struct ServerStart {
    StartHint hint{};                             // what will be started from the image; empty for nothing
    std::shared_ptr<PredictedFiles> predicted{};  // what the server finds out about that; null: nothing
    Placement placement{};                        // of the server's threads
};

// Of the server alone.
struct ServerEnds {
    Fd link;  // to the launcher
    Doors doors;
    MessagePlace messages;  // for its last words
};

// The image is used up.  A launcher that goes away without sending a device is a success: there is nothing to
// serve.  One that sends what to hold (share/holder) need not: its tree then ends with its last process.
[[nodiscard]] Status serve_image(OpenedImage& image, const ServerStart& start, ServerEnds ends);

}  // namespace swrun
