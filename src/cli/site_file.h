// One site file (TOML) as data: what a site or a user always wants bound, set or switched on.  Pure; the
// file is read by cli/site_config.  A mistake in it is an Error with file, line and column: a key that is
// silently ignored would be a bind that is silently missing.
//
//   default_profile = "gpu"         # [profile.gpu] counts unless --profile says otherwise
//   [[bind]]                        # source, target = source, read_only = false, required = false
//   source = "/scratch"
//   [environment]                   # NAME = "value": set unless the caller has it
//   [defaults]                      # options by their long name: nv = true, no_mount = ["tmp"]
//   [profile.NAME]                  # the same three tables, used when chosen
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/option_table.h"
#include "plan/launch_request.h"
#include "support/result.h"

namespace swrun {

struct SiteDefault {
    OptionId id = OptionId::help;
    List values;

    friend bool operator==(const SiteDefault&, const SiteDefault&) = default;
};

struct SiteTables {
    std::vector<BindSpec> binds;
    std::vector<EnvOverride> environment;
    std::vector<SiteDefault> defaults;

    friend bool operator==(const SiteTables&, const SiteTables&) = default;
};

struct SiteFile {
    SiteTables base;
    std::vector<std::pair<std::string, SiteTables>> profiles;
    Asked<std::string> default_profile;  // empty: none
};

// `path` and `kind` become the origin of everything; "~" at the start of a bind source is `home`.
[[nodiscard]] Result<SiteFile> parse_site_file(std::string_view text, const std::string& path, Origin::Kind kind,
                                               const std::string& home);

}  // namespace swrun
