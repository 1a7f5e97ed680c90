#include "gpu/lib_list.h"

#include <algorithm>

#include "nvliblist_text.h"
#include "support/text.h"

namespace swrun {

LibList parse_lib_list(std::string_view text) {
    LibList list;
    for (const std::string_view line : split(text, '\n')) {
        const std::string_view entry = trim(line);
        if (entry.empty() || entry[0] == '#') continue;
        const bool absolute = entry[0] == '/';
        if (!absolute && entry.find('/') != std::string_view::npos) continue;
        if (entry.find(".so") != std::string_view::npos) {
            list.libraries.emplace_back(entry);
        } else if (absolute) {
            list.files.emplace_back(entry);
        } else {
            list.programs.emplace_back(entry);
        }
    }
    return list;
}

std::string_view default_nv_lib_list() { return kDefaultNvLibList; }

std::vector<LibraryChoice> matching_libraries(std::string_view entry, std::span<const LdCacheEntry> cache) {
    std::vector<LibraryChoice> choices;
    for (const bool general : {true, false}) {
        for (const LdCacheEntry& candidate : cache) {
            if ((candidate.hwcap == 0) != general || !candidate.name.starts_with(entry)) continue;
            const auto same_name = [&](const LibraryChoice& choice) { return choice.name == candidate.name; };
            auto choice = std::find_if(choices.begin(), choices.end(), same_name);
            if (choice == choices.end()) choice = choices.insert(choices.end(), {candidate.name, {}});
            choice->paths.push_back(candidate.path);
        }
    }
    return choices;
}

}  // namespace swrun
