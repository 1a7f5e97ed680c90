// Options of the commands that launch nothing, of instances, and those before the command.
#pragma once

#include "cli/option_rows.h"

namespace swrun::rows {

inline constexpr auto kInspectOptions = rows(
    S::inspecting, C::inspect,
    {
        flag(O::labels, "labels", 'l', {}, "Show the labels (this is the default)"),
        flag(O::deffile, "deffile", 'd', {}, "Show the definition file that the image was built from"),
        flag(O::runscript, "runscript", 'r', {}, "Show the script that `run` starts"),
        flag(O::startscript, "startscript", 's', {}, "Show the script that starts a service"),
        flag(O::testscript, "test", 't', {}, "Show the script that `test` starts"),
        flag(O::environment, "environment", 'e', {}, "Show the environment that the image sets"),
        flag(O::helpfile, "helpfile", 'H', {}, "Show the image's own help"),
        flag(O::json, "json", 'j', {}, "Print JSON"),
        flag(O::list_apps, "list-apps", 0, {}, "List the SCIF applications"),
        flag(O::all, "all", 0, {}, "Show everything, as JSON"),
        taken_by(kInspecting, option(O::inspect_app, "app", 0, K::text, {}, "NAME", "Look at this SCIF application")),
    });

inline constexpr auto kCacheOptions = rows(
    S::managing, kCaching,
    {
        option(O::cache_type, "type", 'T', K::slice, {}, "NAME,...",
               "Only entries of these types; swrun has no types, all is the only one that means anything"),
        taken_by(C::cache_list, flag(O::cache_verbose, "verbose", 'v', {}, "Name every entry")),
        taken_by(C::cache_clean,
                 option(O::cache_days, "days", 'D', K::number, {}, "N", "Only entries older than this many days")),
        taken_by(C::cache_clean,
                 flag(O::cache_dry_run, "dry-run", 'n', {}, "Say what would be removed, remove nothing")),
        taken_by(C::cache_clean, flag(O::cache_force, "force", 'f', {}, "Do not ask")),
    });

inline constexpr auto kConfigOptions = rows(
    S::managing, C::config_global,
    {
        flag(O::config_set, "set", 's', {}, "Set the directive: refused, swrun writes no configuration"),
        flag(O::config_unset, "unset", 'u', {}, "Unset the directive: refused"),
        flag(O::config_get, "get", 'g', {}, "Print the value of the directive"),
        flag(O::config_reset, "reset", 'r', {}, "Reset the directive to its default: refused"),
        flag(O::config_dry_run, "dry-run", 'd', {}, "Accepted: nothing is ever written"),
    });

inline constexpr auto kOverlayOptions = rows(
    S::managing, C::overlay_create,
    {
        option(O::overlay_size, "size", 's', K::number, {}, "N", "Size of the image in MiB (default 64)"),
        option(O::overlay_directory, "create-dir", 0, K::slice, {}, "DIR,...",
               "Make this directory in the overlay as well"),
        flag(O::overlay_sparse, "sparse", 'S', {}, "Take disk space only as it is used"),
    });

inline constexpr auto kInstanceOptions = rows(
    S::instances, kManagingInstances,
    {
        taken_by(kStarting, option(O::pid_file, "pid-file", 0, K::text, {"PID_FILE"}, "FILE",
                                   "Write the number of the instance's first process to FILE")),
        option(O::instance_user, "user", 'u', K::text, {"USER"}, "NAME", "Another user's instances; for root only"),
        taken_by({C::instance_list, C::instance_stats}, flag(O::instance_json, "json", 'j', {"JSON"}, "Print JSON")),
        taken_by(C::instance_list, flag(O::instance_logs, "logs", 'l', {"LOGS"}, "Show where the logs are")),
        taken_by({C::instance_list, C::instance_stop}, flag(O::instance_all, "all", 'a', {"ALL"}, "All instances")),
        taken_by(C::instance_stop, flag(O::instance_force, "force", 'F', {"FORCE"}, "Kill it")),
        taken_by(C::instance_stop, option(O::instance_signal, "signal", 's', K::text, {"SIGNAL"}, "SIGNAL",
                                          "Send this signal instead of SIGINT, by name or number")),
        taken_by(C::instance_stop, option(O::instance_timeout, "timeout", 't', K::number, {}, "SECONDS",
                                          "Kill it if it still runs after so long (default 10)")),
        taken_by(C::instance_stats, flag(O::instance_no_stream, "no-stream", 0, {}, "Show the numbers once")),
    });

inline constexpr auto kGlobalOptions = rows(
    S::global, C::before,
    {
        flag(O::debug, "debug", 'd', {"DEBUG"}, "Print all there is to know about the launch"),
        flag(O::verbose, "verbose", 'v', {"VERBOSE"}, "Print more than usual"),
        flag(O::quiet, "quiet", 'q', {"QUIET"}, "Print warnings and errors only"),
        flag(O::silent, "silent", 's', {"SILENT"}, "Print errors only"),
        flag(O::nocolor, "nocolor", 0, {"NOCOLOR"}, "No colours, also on a terminal"),
        option(O::config, "config", 'c', K::text, {}, "FILE", "Read FILE instead of the host's site file"),
        hidden(flag(O::build_config, "build-config", 0, {}, "Accepted for compatibility")),
        flag(O::version, "version", 0, {}, "Show the version"),
        hidden(own(flag(O::man, "man", 0, {}, "Print the manual page"))),
        taken_by(CommandSet::all(), flag(O::help, "help", 'h', {}, "Show this help")),
    });

}  // namespace swrun::rows
