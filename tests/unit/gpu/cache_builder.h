// Builds the bytes of an ld.so.cache as ldconfig writes them, and heads of ELF files.  For tests only.
#pragma once

#include <elf.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace swrun {

struct CacheLine {
    std::string name;
    std::string path;
    std::uint32_t flags = 0x0303;
    std::uint64_t hwcap = 0;
};

template <class T> void put_number(std::string& bytes, T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

inline std::string new_cache(const std::vector<CacheLine>& lines) {
    constexpr std::size_t kHeader = 48;
    constexpr std::size_t kEntry = 24;
    std::string strings;
    std::string entries;
    const std::size_t base = kHeader + kEntry * lines.size();
    for (const CacheLine& line : lines) {
        put_number(entries, line.flags);
        put_number(entries, static_cast<std::uint32_t>(base + strings.size()));
        strings.append(line.name).push_back('\0');
        put_number(entries, static_cast<std::uint32_t>(base + strings.size()));
        strings.append(line.path).push_back('\0');
        put_number(entries, std::uint32_t{0});
        put_number(entries, line.hwcap);
    }
    std::string bytes = "glibc-ld.so.cache1.1";
    put_number(bytes, static_cast<std::uint32_t>(lines.size()));
    put_number(bytes, static_cast<std::uint32_t>(strings.size()));
    bytes.push_back(std::endian::native == std::endian::little ? 2 : 3);
    bytes.append(19, '\0');
    return bytes + entries + strings;
}

// An old table of `count` entries in front, as `ldconfig -c compat` writes it.
inline std::string compat_cache(const std::vector<CacheLine>& lines, std::uint32_t count, std::size_t alignment = 8) {
    std::string bytes("ld.so-1.7.0\0", 12);
    put_number(bytes, count);
    bytes.append(std::size_t{12} * count, '\x01');
    while (bytes.size() % alignment != 0) bytes.push_back('\0');
    return bytes + new_cache(lines);
}

inline std::string elf_head(unsigned char elf_class, std::uint16_t machine) {
    std::string head(20, '\0');
    std::memcpy(head.data(), ELFMAG, SELFMAG);
    head[EI_CLASS] = static_cast<char>(elf_class);
    head[EI_DATA] = std::endian::native == std::endian::little ? ELFDATA2LSB : ELFDATA2MSB;
    head[EI_VERSION] = EV_CURRENT;
    head[16] = ET_DYN;
    std::memcpy(head.data() + 18, &machine, sizeof machine);
    return head;
}

}  // namespace swrun
