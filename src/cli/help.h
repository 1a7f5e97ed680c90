// --help in swrun's own look, made from the tables: sections that can be scanned, 80 columns.  Pure.
#pragma once

#include <string>
#include <string_view>

#include "cli/command_table.h"
#include "cli/program_name.h"

namespace swrun {

// `swrun --help`.
[[nodiscard]] std::string top_help(CalledAs called, const std::string& home);

// `swrun exec --help`; under a drop-in name the options look as Apptainer's do.
[[nodiscard]] std::string command_help(const CommandSpec& command, CalledAs called, const std::string& home);

// "Usage:" and the commands by section.
[[nodiscard]] std::string command_lists(CalledAs called);

// "Available Commands:" of `sif` and its like, and an empty line; nothing for a command without parts.
[[nodiscard]] std::string part_list(const CommandSpec& command, CalledAs called);

// The options of these commands by section; at the end the names of those that are accepted or refused.
[[nodiscard]] std::string option_lists(const CommandSet& commands);

// Words filled into lines of `width` columns; lines after the first are indented.
[[nodiscard]] std::string fill(std::string_view text, std::size_t indent, std::size_t width);

}  // namespace swrun
