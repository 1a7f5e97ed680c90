#include "image/machine.h"

#include <dirent.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "support/io.h"
#include "support/path.h"
#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kEntryLimit = 64 * 1024;

struct Machine {
    std::string_view name;
    bool is64 = false;
    bool big_endian = false;
    std::uint16_t elf = 0;  // e_machine, elf.h
};

constexpr std::array<Machine, 13> kMachines = {{
    {"386", false, false, 3},
    {"amd64", true, false, 62},
    {"arm", false, false, 40},
    {"arm64", true, false, 183},
    {"ppc64", true, true, 21},
    {"ppc64le", true, false, 21},
    {"mips", false, true, 8},
    {"mipsle", false, false, 8},
    {"mips64", true, true, 8},
    {"mips64le", true, false, 8},
    {"s390x", true, true, 22},
    {"riscv64", true, false, 243},
    {"loong64", true, false, 258},
}};

// The first 20 bytes of an executable for that architecture: e_ident, e_type, e_machine.
std::optional<std::array<std::uint8_t, 20>> elf_start(std::string_view arch) {
    for (const Machine& machine : kMachines) {
        if (machine.name != arch) continue;
        std::array<std::uint8_t, 20> start{0x7f, 'E', 'L', 'F'};
        start[4] = machine.is64 ? 2 : 1;
        start[5] = machine.big_endian ? 2 : 1;
        start[6] = 1;
        const auto low = static_cast<std::uint8_t>(machine.elf & 0xff);
        const auto high = static_cast<std::uint8_t>(machine.elf >> 8);
        start[machine.big_endian ? 17 : 16] = 2;  // ET_EXEC
        start[18] = machine.big_endian ? high : low;
        start[19] = machine.big_endian ? low : high;
        return start;
    }
    return std::nullopt;
}

std::vector<std::uint8_t> from_hex(std::string_view text) {
    const auto value = [](char c) -> int {
        if (c >= '0' && c <= '9') return c - '0';
        if (c >= 'a' && c <= 'f') return c - 'a' + 10;
        return -1;
    };
    std::vector<std::uint8_t> bytes;
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
        const int high = value(text[i]);
        const int low = value(text[i + 1]);
        if (high < 0 || low < 0) return {};
        bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
    }
    return bytes;
}

}  // namespace

bool runs_natively(std::string_view arch, std::string_view host) {
    using Pair = std::pair<std::string_view, std::string_view>;
    constexpr std::array<Pair, 4> kSiblings = {
        {{"386", "amd64"}, {"arm", "arm64"}, {"mips", "mips64"}, {"mipsle", "mips64le"}}};
    if (arch == host) return true;
    for (const auto& [small, large] : kSiblings) {
        if (arch == small && host == large) return true;
    }
    return false;
}

bool binfmt_entry_runs(std::string_view text, std::string_view arch) {
    const auto start = elf_start(arch);
    if (!start) return false;
    bool enabled = false;
    bool fixed = false;
    std::vector<std::uint8_t> magic;
    std::vector<std::uint8_t> mask;
    for (const std::string_view line : split(text, '\n')) {
        if (line == "enabled") enabled = true;
        if (line.starts_with("flags:")) fixed = line.find('F', 6) != std::string_view::npos;
        if (line.starts_with("offset ") && line != "offset 0") return false;
        if (line.starts_with("magic ")) magic = from_hex(line.substr(6));
        if (line.starts_with("mask ")) mask = from_hex(line.substr(5));
    }
    // Bytes 18 and 19 name the machine: a shorter magic says nothing about it.
    if (!enabled || !fixed || magic.size() < start->size()) return false;
    for (std::size_t i = 0; i < start->size(); ++i) {
        const std::uint8_t bits = i < mask.size() ? mask[i] : 0xff;
        if ((magic[i] & bits) != ((*start)[i] & bits)) return false;
    }
    return true;
}

bool emulated_by_kernel(std::string_view arch, const std::string& directory) {
    const Result<std::string> status = read_file(join_path(directory, "status"), kEntryLimit);
    if (!status || trim(*status) != "enabled") return false;
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(directory.c_str()), &closedir);
    if (!entries) return false;
    while (const dirent* entry = readdir(entries.get())) {
        const std::string_view name = entry->d_name;
        if (name.starts_with('.') || name == "status" || name == "register") continue;
        const Result<std::string> text = read_file(join_path(directory, name), kEntryLimit);
        if (text && binfmt_entry_runs(*text, arch)) return true;
    }
    return false;
}

}  // namespace swrun
