// The manual page swrun(1) in roff, made from the tables.  Pure.
#pragma once

#include <string>

namespace swrun {

[[nodiscard]] std::string man_page();

}  // namespace swrun
