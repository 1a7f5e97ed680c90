// Finds what the NVIDIA driver has put on this host: libraries, programs, files, sockets and devices.
// Called by runtime for --nv, before resolve.  Only looks: starts no process (no ldconfig, no
// nvidia-smi), opens no device, and a host without a driver is a normal answer, not an error.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "gpu/gpu_facts.h"
#include "plan/tree_view.h"

namespace swrun {

// The first bytes of a regular file, links followed; empty when it cannot be read.
using HeadReader = std::function<std::string(const std::string& path)>;

[[nodiscard]] std::string read_file_head(const std::string& path);

// `host` sees the host's root.  `ld_so_cache_bytes` may be empty (a host without the file); damage gives
// a note.  `path_variable` is the caller's PATH.  A library counts only if its ELF class and machine
// are those of this program; libraries that an outer container already has in /.singularity.d/libs win.
[[nodiscard]] GpuFacts discover_nvidia(const TreeView& host, std::string_view ld_so_cache_bytes,
                                       std::string_view liblist, std::string_view path_variable,
                                       const HeadReader& read_head = read_file_head);

// The text of CONFIG_DIRECTORY/nvliblist.conf, or the built-in list where there is none.
[[nodiscard]] std::string nv_lib_list_text(const TreeView& host, const std::string& config_directory = "/etc/swrun");

}  // namespace swrun
