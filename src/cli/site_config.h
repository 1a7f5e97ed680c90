// The site files of a launch: which are read, and what they come to together.  The only part of the room
// that reads files.  A host's file: /etc/swrun/swrun.toml, or the one that --config or $SWRUN_CONFIG names
// (which must exist); then the user's: $XDG_CONFIG_HOME/swrun/swrun.toml or ~/.config/swrun/swrun.toml.
#pragma once

#include <string>
#include <vector>

#include "cli/settings.h"
#include "cli/site_file.h"
#include "plan/launch_plan.h"
#include "support/result.h"

namespace swrun {

struct SiteQuery {
    Asked<std::string> host_file;  // empty: default_host_file, which may be absent
    std::string default_host_file = "/etc/swrun/swrun.toml";
    std::string xdg_config_home;  // value of the variable; used when absolute
    std::string home;             // of the user database, never $HOME
    Asked<std::string> profile;   // empty: what the files say
};

struct SiteConfig {
    SiteTables tables;  // the user's before the site's, a profile's before the rest
    std::string profile;
    std::vector<std::string> files;  // that were read
    std::vector<Note> notes;
};

[[nodiscard]] Result<SiteConfig> load_site_config(const SiteQuery& query);

// Several files, highest rank first; pure.  A profile that none of them has is an error, unless none was
// asked for.
[[nodiscard]] Result<SiteConfig> combine_site_files(const std::vector<SiteFile>& files,
                                                    const Asked<std::string>& profile);

// Gives options that have no value yet the files' one.
void apply_site_defaults(const SiteTables& tables, const CommandSet& commands, Settings& settings);

}  // namespace swrun
