// How the rows of the option table are written down.  For the cli/option_rows files and cli/option_table.cpp, which
// makes one table of them while compiling.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include "cli/command_rows.h"
#include "cli/option_table.h"

namespace swrun::rows {

using O = OptionId;
using S = OptionSection;
using K = ValueKind;
using Keys = std::array<std::string_view, 2>;

constexpr CommandSet kLaunching = members(kCommands, G::launching);
constexpr CommandSet kStarting = members(kCommands, G::starting);
constexpr CommandSet kInspecting = members(kCommands, G::inspecting);
constexpr CommandSet kCaching = members(kCommands, G::caching);
constexpr CommandSet kManagingInstances = members(kCommands, G::managing_instances);

constexpr OptionSpec option(O id, std::string_view name, char letter, K kind, Keys keys, std::string_view value,
                            std::string_view help) {
    return {.id = id, .name = name, .letter = letter, .kind = kind, .keys = keys, .value = value, .help = help};
}
constexpr OptionSpec flag(O id, std::string_view name, char letter, Keys keys, std::string_view help) {
    return option(id, name, letter, K::boolean, keys, "", help);
}
constexpr OptionSpec ignored(O id, std::string_view name, K kind, Keys keys, std::string_view help,
                             std::string_view warning = "") {
    OptionSpec spec = option(id, name, 0, kind, keys, "VALUE", help);
    spec.support = Support::ignored;
    spec.reason = warning;
    return spec;
}
constexpr OptionSpec refused(O id, std::string_view name, K kind, Keys keys, std::string_view reason,
                             std::string_view instead) {
    OptionSpec spec = option(id, name, 0, kind, keys, "VALUE", reason);
    spec.support = Support::refused;
    spec.reason = reason;
    spec.instead = instead;
    return spec;
}
constexpr OptionSpec taken_by(const CommandSet& commands, OptionSpec spec) {
    spec.commands = commands;
    return spec;
}
constexpr OptionSpec one_of(const std::array<std::string_view, 3>& choices, OptionSpec spec) {
    spec.choices = choices;
    return spec;
}
constexpr OptionSpec hidden(OptionSpec spec) {
    spec.hidden = true;
    return spec;
}
constexpr OptionSpec own(OptionSpec spec) {
    spec.own = true;
    return spec;
}
constexpr OptionSpec same_as(O other, OptionSpec spec) {
    spec.same_as = other;
    return hidden(spec);
}

// The options of one section; those that do not say who takes them are taken by `commands`.
template <std::size_t N>
constexpr std::array<OptionSpec, N> rows(S section, const CommandSet& commands, OptionSpec (&&specs)[N]) {
    std::array<OptionSpec, N> all = std::to_array(std::move(specs));
    for (OptionSpec& spec : all) {
        spec.section = section;
        if (spec.commands.empty()) spec.commands = commands;
    }
    return all;
}

// Parts of the table as one.
template <std::size_t... N> constexpr auto joined(const std::array<OptionSpec, N>&... parts) {
    std::array<OptionSpec, (N + ...)> all{};
    OptionSpec* next = all.data();
    const auto add = [&next](const auto& part) {
        for (const OptionSpec& spec : part) *next++ = spec;
    };
    (add(parts), ...);
    return all;
}

}  // namespace swrun::rows
