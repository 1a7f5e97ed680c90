// Invocation: everything the command line, the variables and the site files ask for, typed, with origins.
// Made by cli/options.h, acted on by main.  Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/command_table.h"
#include "cli/program_name.h"
#include "plan/launch_plan.h"
#include "plan/launch_request.h"
#include "support/log.h"

namespace swrun {

// What `inspect` and `run-help` show.
struct InspectRequest {
    std::string image;
    bool labels = false;
    bool deffile = false;
    bool runscript = false;
    bool startscript = false;
    bool test = false;
    bool environment = false;
    bool helpfile = false;
    bool list_apps = false;
    bool json = false;
    bool all = false;
    std::string app;

    friend bool operator==(const InspectRequest&, const InspectRequest&) = default;
};

struct SifRequest {
    std::string file;
    std::uint32_t id = 0;  // info and dump

    friend bool operator==(const SifRequest&, const SifRequest&) = default;
};

struct CacheRequest {
    std::string directory;  // swrun's own; empty without a home
    bool all_types = true;  // false: only types that swrun does not have
    bool verbose = false;
    bool dry_run = false;
    bool force = false;
    std::int64_t days = 0;

    friend bool operator==(const CacheRequest&, const CacheRequest&) = default;
};

// One value of an option that somebody has set, and who.
struct ShownSetting {
    std::string option;
    std::string value;
    Origin origin;

    friend bool operator==(const ShownSetting&, const ShownSetting&) = default;
};

struct ConfigRequest {
    enum class Operation : std::uint8_t { get, write };

    std::vector<ShownSetting> settings;    // show
    Operation operation = Operation::get;  // global
    std::string directive;

    friend bool operator==(const ConfigRequest&, const ConfigRequest&) = default;
};

struct OverlayRequest {
    std::string file;
    std::int64_t mebibytes = 64;
    bool sparse = false;
    bool fakeroot = false;
    std::vector<std::string> directories;

    friend bool operator==(const OverlayRequest&, const OverlayRequest&) = default;
};

struct InstanceRequest {
    std::string pattern = "*";  // list, stop, stats: names, as glob(7) has it
    std::string user;           // whose; empty: the caller's
    std::string signal;         // stop: as given
    std::int64_t timeout = 10;  // seconds
    bool json = false;
    bool logs = false;
    bool force = false;
    bool no_stream = false;
    std::string pid_file;  // start

    friend bool operator==(const InstanceRequest&, const InstanceRequest&) = default;
};

struct Invocation {
    Command command = Command::exec;
    CalledAs called = CalledAs::own;

    LaunchRequest launch;    // exec, run, shell, test; its binds and overrides are still the three texts below
    List bind_texts;         // values of --bind and BIND variables, for mounts/bind_spec
    List mount_texts;        // values of --mount and MOUNT variables
    List env_texts;          // values of --env, for env/env_rules
    InspectRequest inspect;  // inspect, run_help
    SifRequest sif;
    CacheRequest cache;
    ConfigRequest config;
    OverlayRequest overlay;
    InstanceRequest instance;
    std::string capability_names;  // separated by commas; empty: all

    Level level = Level::info;
    bool color = true;  // where stderr is a terminal
    bool dry_run = false;
    bool explain_env = false;
    bool timings = false;
    std::string profile;                  // of the site files; empty without
    std::vector<std::string> site_files;  // that were read

    std::string text;         // help, version, man, completion: for stdout, and that is all
    std::vector<Note> notes;  // to be said before anything else

    [[nodiscard]] bool dropin() const { return called != CalledAs::own; }
    [[nodiscard]] bool launches() const { return is_in(command, CommandGroup::launching); }
    friend bool operator==(const Invocation&, const Invocation&) = default;
};

}  // namespace swrun
