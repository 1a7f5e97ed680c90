// S10, before the program: the kernel begins to read what the image server expects the program's start to need, in pieces
// as large as it makes them and without anybody's waiting.  The program would ask for the same by faults, each a request
// of its own and some for a page only.
#pragma once

#include "fuse/predicted_files.h"

namespace swrun {

// Inside the container.  A guess at what pays: failing changes nothing.
void read_ahead(const PredictedFiles& files);

}  // namespace swrun
