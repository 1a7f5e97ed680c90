// Makes a command line of words and reads it, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "cli/options.h"

namespace swrun {

using Words = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Reading {
    Pairs environment;
    std::string site_file = "/nonexistent/swrun.toml";
    std::string home = "/nonexistent/home";
    bool image_is_file = true;

    [[nodiscard]] Result<std::variant<Invocation, UsageError>> read(const Words& argv) const {
        const auto is_file = [this](const std::string&) { return image_is_file; };
        return read_command_line({argv, environment, home, site_file, is_file});
    }
    [[nodiscard]] Invocation invocation(const Words& argv) const {
        auto result = read(argv);
        if (!result) {
            ADD_FAILURE() << format_error(result.error());
            return {};
        }
        if (const auto* usage = std::get_if<UsageError>(&*result)) {
            ADD_FAILURE() << usage->err << usage->out;
            return {};
        }
        return std::get<Invocation>(*std::move(result));
    }
    [[nodiscard]] UsageError usage(const Words& argv) const {
        auto result = read(argv);
        if (!result || !std::holds_alternative<UsageError>(*result)) {
            ADD_FAILURE() << "no usage error for " << argv.back();
            return {};
        }
        return std::get<UsageError>(*std::move(result));
    }
    [[nodiscard]] Error error(const Words& argv) const {
        auto result = read(argv);
        if (result) {
            ADD_FAILURE() << "no error for " << argv.back();
            return {};
        }
        return result.error();
    }
};

inline std::vector<std::string> values(const List& list) {
    std::vector<std::string> result;
    for (const auto& one : list) result.push_back(one.value);
    return result;
}

}  // namespace swrun
