// Variables that stand for options: SWRUN_X before APPTAINER_X before SINGULARITY_X.  Reads the caller's
// environment as data; never the process's own.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/settings.h"
#include "plan/launch_plan.h"
#include "support/result.h"

namespace swrun {

using Environment = std::span<const std::pair<std::string, std::string>>;

class Variables {
public:
    struct Found {
        std::string name;
        std::string_view value;
    };

    explicit Variables(Environment environment);

    // PREFIX + key of the first prefix that has it, also when its value is empty.
    [[nodiscard]] std::optional<Found> find(std::string_view key, bool own_prefix_only = false) const;

    // What a person may want to know about the choice find() made.
    void explain(std::string_view key, std::vector<Note>& notes) const;

    // NAME without any prefix.
    [[nodiscard]] std::optional<std::string_view> plain(std::string_view name) const;

private:
    struct Entry {
        std::size_t prefix;
        std::string_view key;
        std::string_view value;
    };

    [[nodiscard]] const Entry* entry(std::size_t prefix, std::string_view key) const;

    Environment environment_;
    std::vector<Entry> entries_;
};

// Sets the options of these commands that have no value yet.  A value that cannot be read is an Error
// that names the variable.
[[nodiscard]] Status apply_variables(const Variables& variables, const CommandSet& commands, Settings& settings,
                                     std::vector<Note>& notes);

}  // namespace swrun
