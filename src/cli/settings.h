// Settings: for each option the values that count, from whichever source has the highest rank.  Sources
// are applied from the highest (command line) to the lowest (site file), and the first that names an
// option wins; --bind and --mount collect instead.
#pragma once

#include <array>
#include <utility>

#include "cli/option_table.h"
#include "plan/launch_request.h"

namespace swrun {

struct Settings {
    std::array<List, kOptionCount> values;

    [[nodiscard]] const List& of(OptionId id) const { return values[index_of(id)]; }
    [[nodiscard]] List& of(OptionId id) { return values[index_of(id)]; }
    [[nodiscard]] bool has(OptionId id) const { return given[index_of(id)]; }

    // An empty list is a choice, too.
    void set(OptionId id, List list) {
        of(id) = std::move(list);
        given[index_of(id)] = true;
    }

    std::array<bool, kOptionCount> given{};
};

}  // namespace swrun
