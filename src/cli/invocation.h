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

enum class ImageMode : std::uint8_t { automatic, fuse, unpack };

struct Invocation {
    Command command = Command::exec;
    CalledAs called = CalledAs::own;

    LaunchRequest launch;    // exec, run, shell, test; its binds and overrides are still the three texts below
    List bind_texts;         // values of --bind and BIND variables, for mounts/bind_spec
    List mount_texts;        // values of --mount and MOUNT variables
    List env_texts;          // values of --env, for env/env_rules
    InspectRequest inspect;  // inspect, run_help

    Level level = Level::info;
    bool color = true;  // where stderr is a terminal
    bool dry_run = false;
    bool explain_env = false;
    bool timings = false;
    ImageMode image_mode = ImageMode::automatic;
    std::string profile;                  // of the site files; empty without
    std::vector<std::string> site_files;  // that were read

    std::string text;         // help, version, man, completion: for stdout, and that is all
    std::vector<Note> notes;  // to be said before anything else

    [[nodiscard]] bool dropin() const { return called != CalledAs::own; }
    [[nodiscard]] bool launches() const { return (mask_of(command) & kLaunchMask) != 0; }
    friend bool operator==(const Invocation&, const Invocation&) = default;
};

}  // namespace swrun
