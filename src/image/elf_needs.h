// What the kernel and the dynamic loader will ask an ELF program or library for: its interpreter, the
// libraries that it names, and where in the file they will look.  Called by image/prediction.  Pure: bytes
// come through a callback, none of them is trusted, damage means "no needs".
// Source: elf(5), System V ABI; 64-bit little-endian files, which all hosts of today run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace swrun {

struct ElfNeeds {
    std::string interpreter;           // PT_INTERP; empty for a library or a static program
    std::vector<std::string> needed;   // DT_NEEDED, in order
    std::vector<std::string> search;   // DT_RUNPATH or DT_RPATH, split; may hold "$ORIGIN"
    std::vector<std::uint64_t> spots;  // offsets in the file that are touched first: segments, dynamic section

    friend bool operator==(const ElfNeeds&, const ElfNeeds&) = default;
};

// Fills the span from an offset of the file; false when the file does not reach that far.
using ReadAt = std::function<bool(std::uint64_t, std::span<std::byte>)>;

// nullopt for what is no such ELF file.
[[nodiscard]] std::optional<ElfNeeds> elf_needs(const ReadAt& read);

}  // namespace swrun
