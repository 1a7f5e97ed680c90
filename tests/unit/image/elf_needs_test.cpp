// What a program says of itself, from files made here byte by byte.
#include "image/elf_needs.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Offsets of the parts of the file.
constexpr std::size_t kHeaders = sizeof(Elf64_Ehdr);
constexpr std::size_t kInterpreter = 0x400;
constexpr std::size_t kStrings = 0x500;
constexpr std::size_t kDynamic = 0x600;
constexpr std::uint64_t kAddress = 0x10000;  // of the file's first byte in memory

struct ElfFile {
    std::string bytes = std::string(0x1000, '\0');
    std::vector<Elf64_Phdr> headers;
    std::vector<Elf64_Dyn> dynamic;
    std::string strings = std::string(1, '\0');

    template <class T> void put(std::size_t offset, const T& value) {
        std::memcpy(bytes.data() + offset, &value, sizeof value);
    }
    void segment(std::uint32_t type, std::uint64_t offset, std::uint64_t size, std::uint32_t flags = PF_R) {
        Elf64_Phdr header{};
        header.p_type = type;
        header.p_flags = flags;
        header.p_offset = offset;
        header.p_vaddr = kAddress + offset;
        header.p_filesz = header.p_memsz = size;
        headers.push_back(header);
    }
    void text(std::int64_t tag, const std::string& value) {
        Elf64_Dyn entry{};
        entry.d_tag = tag;
        entry.d_un.d_val = strings.size();
        dynamic.push_back(entry);
        strings.append(value).push_back('\0');
    }
    std::string finish() {
        Elf64_Dyn table{};
        table.d_tag = DT_STRTAB;
        table.d_un.d_ptr = kAddress + kStrings;
        dynamic.push_back(table);
        dynamic.push_back(Elf64_Dyn{});
        segment(PT_DYNAMIC, kDynamic, dynamic.size() * sizeof(Elf64_Dyn));
        Elf64_Ehdr header{};
        std::memcpy(header.e_ident, ELFMAG, SELFMAG);
        header.e_ident[EI_CLASS] = ELFCLASS64;
        header.e_ident[EI_DATA] = ELFDATA2LSB;
        header.e_phoff = kHeaders;
        header.e_phentsize = sizeof(Elf64_Phdr);
        header.e_phnum = static_cast<Elf64_Half>(headers.size());
        put(0, header);
        for (std::size_t i = 0; i < headers.size(); ++i) put(kHeaders + i * sizeof(Elf64_Phdr), headers[i]);
        for (std::size_t i = 0; i < dynamic.size(); ++i) put(kDynamic + i * sizeof(Elf64_Dyn), dynamic[i]);
        std::memcpy(bytes.data() + kStrings, strings.data(), strings.size());
        return bytes;
    }
};

std::optional<ElfNeeds> needs_of(const std::string& bytes) {
    return elf_needs([&](std::uint64_t offset, std::span<std::byte> into) {
        if (offset > bytes.size() || into.size() > bytes.size() - offset) return false;
        if (!into.empty()) std::memcpy(into.data(), bytes.data() + offset, into.size());
        return true;
    });
}

ElfFile program() {
    ElfFile file;
    file.segment(PT_LOAD, 0, 0x800);
    file.segment(PT_LOAD, 0x800, 0x700, PF_R | PF_W);
    file.segment(PT_INTERP, kInterpreter, 16);
    std::memcpy(file.bytes.data() + kInterpreter, "/lib64/ld.so", 12);
    file.text(DT_NEEDED, "libm.so.6");
    file.text(DT_RUNPATH, "$ORIGIN/../lib:/opt/lib");
    file.text(DT_NEEDED, "libc.so.6");
    return file;
}

TEST(Elf, SaysWhatItNeeds) {
    const auto needs = needs_of(program().finish());
    ASSERT_TRUE(needs);
    EXPECT_EQ(needs->interpreter, "/lib64/ld.so");
    EXPECT_THAT(needs->needed, ElementsAre("libm.so.6", "libc.so.6"));
    EXPECT_THAT(needs->search, ElementsAre("$ORIGIN/../lib", "/opt/lib"));
    EXPECT_THAT(needs->spots, ElementsAre(0, 0x800, 0xeff, kStrings)) << "both ends of what is written to";
}

TEST(Elf, WhatIsNoneHasNoNeeds) {
    EXPECT_FALSE(needs_of(""));
    EXPECT_FALSE(needs_of("#!/bin/sh\n"));
    std::string other = program().finish();
    other[EI_CLASS] = ELFCLASS32;
    EXPECT_FALSE(needs_of(other));
    other = program().finish();
    other[EI_DATA] = ELFDATA2MSB;
    EXPECT_FALSE(needs_of(other));
}

TEST(Elf, ATextAtTheEndOfTheFileIsRead) {
    ElfFile file = program();
    std::string bytes = file.finish();
    bytes.resize(kDynamic + file.dynamic.size() * sizeof(Elf64_Dyn));
    const auto needs = needs_of(bytes);
    ASSERT_TRUE(needs);
    EXPECT_THAT(needs->needed, ElementsAre("libm.so.6", "libc.so.6"));
}

TEST(Elf, DamageIsNoNeedAndNothingWorse) {
    const std::string good = program().finish();
    std::mt19937 random(3);
    for (int round = 0; round < 5000; ++round) {
        std::string bytes = good;
        for (int i = 0; i < 8; ++i) bytes[random() % 0x700] = static_cast<char>(random());
        bytes.resize(random() % bytes.size());
        (void)needs_of(bytes);
    }
    ElfFile far = program();
    far.headers[0].p_vaddr = ~std::uint64_t{0};
    far.headers[1].p_filesz = ~std::uint64_t{0};
    const auto needs = needs_of(far.finish());
    ASSERT_TRUE(needs);
    EXPECT_THAT(needs->needed, IsEmpty()) << "its strings are nowhere";
}

}  // namespace
}  // namespace swrun
