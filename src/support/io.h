// Whole-file and whole-buffer reads and writes with EINTR, short counts and limits handled once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "support/fd.h"
#include "support/result.h"

namespace swrun {

// open(2) with O_CLOEXEC; `kind` is the Error kind on failure.
[[nodiscard]] Result<Fd> open_file(const std::string& path, int flags, Error::Kind kind, unsigned mode = 0);

// Reads to end of file, at most `limit` bytes; a longer file is an error (EFBIG), never cut silently.
[[nodiscard]] Result<std::string> read_all(int fd, std::string_view name, std::size_t limit);
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit);

// Reads at an offset until the span is full or the file ends; gives the count.
[[nodiscard]] Result<std::size_t> read_at(int fd, std::span<std::byte> into, std::uint64_t offset);

[[nodiscard]] Status write_all(int fd, std::string_view bytes, std::string_view name);

}  // namespace swrun
