// What is said of an image whose bytes cannot be right.
#pragma once

#include <string>

#include "support/result.h"

namespace swrun {

// "the image is damaged: WHAT", with EIO for who can only pass an errno on, and what to do.
[[nodiscard]] Error image_damaged(const std::string& what);

}  // namespace swrun
