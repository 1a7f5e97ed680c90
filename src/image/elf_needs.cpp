#include "image/elf_needs.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "support/text.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxHeaders = 64;
constexpr std::size_t kMaxDynamic = 512;
constexpr std::size_t kMaxText = 4096;
constexpr std::size_t kMaxNames = 64;  // libraries, directories: no real program has more

template <class T> bool read_value(const ReadAt& read, std::uint64_t offset, T& value) {
    return read(offset, std::as_writable_bytes(std::span(&value, 1)));
}

// The text at an offset, up to its NUL.  Near the end of the file less may be there.
std::string read_text(const ReadAt& read, std::uint64_t offset) {
    std::string text;
    for (std::size_t step = 64; text.size() < kMaxText; step *= 2) {
        std::string part(step, '\0');
        if (!read(offset + text.size(), std::as_writable_bytes(std::span(part)))) {
            part.resize(1);
            step = 0;
            if (!read(offset + text.size(), std::as_writable_bytes(std::span(part)))) return text;
        }
        const std::size_t end = part.find('\0');
        text.append(part, 0, end);
        if (end != std::string::npos) return text;
        if (step == 0) step = 1;
    }
    return {};
}

// Where a virtual address lies in the file.
std::optional<std::uint64_t> offset_of(const std::vector<Elf64_Phdr>& headers, std::uint64_t address) {
    for (const Elf64_Phdr& header : headers) {
        if (header.p_type != PT_LOAD || address < header.p_vaddr || address - header.p_vaddr >= header.p_filesz)
            continue;
        return header.p_offset + (address - header.p_vaddr);
    }
    return std::nullopt;
}

void read_dynamic(const ReadAt& read, const std::vector<Elf64_Phdr>& headers, const Elf64_Phdr& dynamic,
                  ElfNeeds& needs) {
    const std::size_t count = std::min<std::size_t>(dynamic.p_filesz / sizeof(Elf64_Dyn), kMaxDynamic);
    std::vector<Elf64_Dyn> entries(count);
    if (!read(dynamic.p_offset, std::as_writable_bytes(std::span(entries)))) return;
    std::optional<std::uint64_t> strings;
    for (const Elf64_Dyn& entry : entries) {
        if (entry.d_tag == DT_STRTAB) strings = offset_of(headers, entry.d_un.d_ptr);
    }
    if (!strings) return;
    needs.spots.push_back(*strings);
    for (const Elf64_Dyn& entry : entries) {
        if (entry.d_tag == DT_NULL) break;
        const bool path = entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH;
        if (!path && entry.d_tag != DT_NEEDED) continue;
        std::vector<std::string>& list = path ? needs.search : needs.needed;
        if (list.size() >= kMaxNames) continue;
        const std::string text = read_text(read, *strings + entry.d_un.d_val);
        if (text.empty()) continue;
        if (!path) list.push_back(text);
        if (path) {
            for (const std::string_view one : split(text, ':')) {
                if (list.size() < kMaxNames) list.emplace_back(one);
            }
        }
    }
}

}  // namespace

std::optional<ElfNeeds> elf_needs(const ReadAt& read) {
    Elf64_Ehdr header{};
    if (!read_value(read, 0, header)) return std::nullopt;
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return std::nullopt;
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) return std::nullopt;
    if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kMaxHeaders) return std::nullopt;
    std::vector<Elf64_Phdr> headers(header.e_phnum);
    if (!read(header.e_phoff, std::as_writable_bytes(std::span(headers)))) return std::nullopt;
    ElfNeeds needs;
    bool dynamic = false;
    for (const Elf64_Phdr& one : headers) {
        switch (one.p_type) {
            case PT_LOAD:
                needs.spots.push_back(one.p_offset);
                // Relocations and data are written to from both ends.
                if ((one.p_flags & PF_W) != 0 && one.p_filesz > 0)
                    needs.spots.push_back(one.p_offset + one.p_filesz - 1);
                break;
            case PT_INTERP: needs.interpreter = read_text(read, one.p_offset); break;
            case PT_DYNAMIC:
                if (!dynamic) read_dynamic(read, headers, one, needs);  // a file has one; a hostile one may claim many
                dynamic = true;
                break;
            default: break;
        }
    }
    return needs;
}

}  // namespace swrun
