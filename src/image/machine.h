// Which foreign programs can this host run?  Called by image_file.  The rule is pure; only
// emulated_by_kernel() looks at the host, at the small text files of binfmt_misc.
#pragma once

#include <string>
#include <string_view>

namespace swrun {

// Go's names.  True for the host's own architecture and its 32-bit sibling.
[[nodiscard]] bool runs_natively(std::string_view arch, std::string_view host);

// One file of binfmt_misc (Documentation/admin-guide/binfmt-misc.rst): true when it is enabled, its
// interpreter was opened at registration (flag F: reachable from any root), and it takes ELF programs
// of that architecture.
[[nodiscard]] bool binfmt_entry_runs(std::string_view text, std::string_view arch);

[[nodiscard]] bool emulated_by_kernel(std::string_view arch, const std::string& directory = "/proc/sys/fs/binfmt_misc");

}  // namespace swrun
