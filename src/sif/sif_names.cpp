// The words that the SIF tools print for the numbers in a SIF.
#include <array>

#include "sif/sif.h"

namespace swrun {

std::string_view sif_type_name(SifType type) {
    switch (type) {
        case SifType::deffile: return "Def.FILE";
        case SifType::env_vars: return "Env.Vars";
        case SifType::labels: return "JSON.Labels";
        case SifType::partition: return "FS";
        case SifType::signature: return "Signature";
        case SifType::generic_json: return "JSON.Generic";
        case SifType::generic: return "Generic/Raw";
        case SifType::crypto_message: return "Cryptographic Message";
        case SifType::sbom: return "SBOM";
        case SifType::oci_root_index: return "OCI.RootIndex";
        case SifType::oci_blob: return "OCI.Blob";
    }
    return "Unknown";
}

std::string_view sif_fs_name(SifFs fs) {
    switch (fs) {
        case SifFs::squashfs: return "Squashfs";
        case SifFs::ext3: return "Ext3";
        case SifFs::archive: return "Archive";
        case SifFs::raw: return "Raw";
        case SifFs::encrypted_squashfs: return "Encrypted squashfs";
        case SifFs::gocryptfs: return "Gocryptfs squashfs";
    }
    return "Unknown";
}

std::string_view sif_part_name(SifPart part) {
    switch (part) {
        case SifPart::system: return "System";
        case SifPart::primary_system: return "*System";
        case SifPart::data: return "Data";
        case SifPart::overlay: return "Overlay";
    }
    return "Unknown";
}

std::string_view sif_arch_name(std::string_view code) {
    // sif/pkg/sif/arch.go; the index is the code.
    constexpr std::array<std::string_view, 14> kNames = {"unknown",  "386",     "amd64",   "arm",    "arm64",
                                                         "ppc64",    "ppc64le", "mips",    "mipsle", "mips64",
                                                         "mips64le", "s390x",   "riscv64", "loong64"};
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (code.size() != 2 || !digit(code[0]) || !digit(code[1])) return "unknown";
    const std::size_t index = static_cast<std::size_t>(code[0] - '0') * 10 + static_cast<std::size_t>(code[1] - '0');
    return index < kNames.size() ? kNames[index] : "unknown";
}

std::string sif_uuid_text(const std::array<std::byte, 16>& id) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < id.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += kDigits[std::to_integer<std::size_t>(id[i] >> 4)];
        text += kDigits[std::to_integer<std::size_t>(id[i] & std::byte{15})];
    }
    return text;
}

}  // namespace swrun
