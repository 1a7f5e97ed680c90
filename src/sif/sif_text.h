// A SIF's header and descriptors as text, in the layout that `sif header`, `sif list` and `sif info` of
// Singularity and Apptainer print and scripts cut into columns.  Pure; called by commands/sif_command.
// Layout and words: github.com/sylabs/sif, internal/app/siftool.  Names from the file are made printable.
#pragma once

#include <cstdint>
#include <string>

#include "sif/sif.h"

namespace swrun {

// "Version:              01", one line for each field; fields that are not set are left out.
[[nodiscard]] std::string format_sif_header(const SifHeader& header);

// A table with one line for each object.
[[nodiscard]] std::string format_sif_list(const Sif& sif);

// One object, field by field.
[[nodiscard]] std::string format_sif_info(const SifObject& object);

// "2026-11-22 19:25:04 +0000 UTC" for seconds since 1970.
[[nodiscard]] std::string sif_time_text(std::int64_t seconds);

// "4 B", "27 KiB", "304 MiB": rounded to whole units.
[[nodiscard]] std::string sif_size_text(std::int64_t bytes);

}  // namespace swrun
