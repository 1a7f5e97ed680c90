// The rows of the command table, in the order of the enumerators, and what follows from them while compiling.
// For the two tables (cli/command_table.cpp and the cli/option_rows files) only.
#pragma once

#include <array>
#include <span>

#include "cli/command_table.h"

namespace swrun::rows {

using C = Command;
using G = CommandGroup;

// Its parts come behind it.
constexpr CommandSpec parent(C id, std::string_view name, CommandSection section, std::string_view summary) {
    return {
        .id = id, .name = name, .section = section, .summary = summary, .usage = "<command>", .options_after = true};
}
// Operands: at least `min`, at most `max`; options may stand anywhere.
constexpr CommandSpec part(C id, std::string_view parent, std::string_view name, GroupSet groups,
                           std::string_view summary, std::string_view usage, int min, int max) {
    return {.id = id,
            .parent = parent,
            .name = name,
            .section = CommandSection::manage,
            .groups = groups,
            .summary = summary,
            .usage = usage,
            .min_words = min,
            .max_words = max,
            .options_after = true};
}
constexpr CommandSpec launches(C id, std::string_view name, std::string_view summary, std::string_view usage, int min) {
    return {.id = id,
            .name = name,
            .section = CommandSection::launch,
            .groups = G::launching,
            .summary = summary,
            .usage = usage,
            .min_words = min};
}
// What comes behind the image belongs to the program.
constexpr CommandSpec starts(C id, std::string_view name, std::string_view summary, std::string_view usage) {
    CommandSpec spec = launches(id, name, summary, usage, 2);
    spec.parent = "instance";
    spec.groups = {G::launching, G::starting};
    return spec;
}
constexpr CommandSpec inspects(C id, std::string_view name, std::string_view summary, std::string_view usage) {
    return {.id = id,
            .name = name,
            .section = CommandSection::look,
            .groups = G::inspecting,
            .summary = summary,
            .usage = usage,
            .min_words = 1,
            .max_words = 1,
            .options_after = true};
}
constexpr CommandSpec prints(C id, std::string_view name, std::string_view summary, std::string_view usage = "",
                             int min = 0, int max = -1) {
    return {.id = id,
            .name = name,
            .section = CommandSection::about,
            .summary = summary,
            .usage = usage,
            .min_words = min,
            .max_words = max};
}
constexpr CommandSpec elsewhere(std::string_view parent, std::string_view name, std::string_view summary,
                                std::string_view instead) {
    return {.parent = parent, .name = name, .summary = summary, .instead = instead};
}
constexpr CommandSpec own(CommandSpec spec) {
    spec.own = true;
    return spec;
}

constexpr std::string_view kBuildWith = "use Apptainer or SingularityCE, where you may build, and run the image here";
constexpr std::string_view kSignWith = "use Apptainer's `verify` and `sign`, or compare a checksum";
constexpr std::string_view kRegistryWith = "use Apptainer, skopeo or oras for registries";
constexpr std::string_view kNothingToSet = "swrun needs no privilege that an administrator could grant with it";
constexpr std::string_view kSifWith = "use siftool or Apptainer to change an image";

// Usage texts are those of Apptainer's errors, where it has the command.
inline constexpr auto kCommands = std::to_array<CommandSpec>({
    launches(C::exec, "exec", "Run a command within a container", "[exec options...] <container> <command>", 2),
    launches(C::run, "run", "Run the user-defined default command within a container",
             "[run options...] <container> [args...]", 1),
    launches(C::shell, "shell", "Run a shell within a container", "[shell options...] <container>", 1),
    launches(C::test, "test", "Run the user-defined tests within a container", "[exec options...] <image path>", 1),
    inspects(C::inspect, "inspect", "Show metadata for an image", "[inspect options...] <image path>"),
    inspects(C::run_help, "run-help", "Show the user-defined help for an image", "[run-help options...] <image path>"),
    {.id = C::doctor,
     .name = "doctor",
     .section = CommandSection::look,
     .summary = "Say what this host allows and what a launch will use",
     .max_words = 0,
     .own = true},
    // What it launches is another command, whose options they are.
    {.id = C::wrapper,
     .name = "wrapper",
     .section = CommandSection::launch,
     .summary = "Run in the image that $CONTAINER_IMAGE names, as environment modules set it",
     .usage = "exec|run|shell [args...]",
     .own = true},
    prints(C::version, "version", "Show the version"),
    prints(C::help, "help", "Show help for a command", "[command]"),
    own(prints(C::man, "man", "Print the manual page (swrun man | man -l -)", "", 0, 0)),
    prints(C::completion, "completion", "Print a completion script for a shell", "bash|zsh|fish", 1, 1),
    parent(C::sif, "sif", CommandSection::look, "Look into a SIF file: list, header, info, dump"),
    part(C::sif_list, "sif", "list", {}, "List data objects", "<sif_path>", 1, 1),
    part(C::sif_header, "sif", "header", {}, "Display global header", "<sif_path>", 1, 1),
    part(C::sif_info, "sif", "info", {}, "Display data object info", "<id> <sif_path>", 2, 2),
    part(C::sif_dump, "sif", "dump", {}, "Dump data object", "<id> <sif_path>", 2, 2),
    parent(C::cache, "cache", CommandSection::manage, "Show or empty swrun's own cache directory: list, clean"),
    part(C::cache_list, "cache", "list", G::caching, "List the local cache", "[list options...]", 0, -1),
    part(C::cache_clean, "cache", "clean", G::caching, "Clean the local cache", "[clean options...]", 0, -1),
    parent(C::config, "config", CommandSection::manage, "Show what site files and variables set: show, global --get"),
    own(part(C::config_show, "config", "show", G::configuring,
             "Show the site files that are read and what they come to", "", 0, 0)),
    part(C::config_global, "config", "global", G::configuring,
         "Show a directive of Singularity's configuration as swrun has it", "<option> <directive> [value,...]", 1, 2),
    parent(C::capability, "capability", CommandSection::manage, "Show Linux capabilities: list, avail"),
    part(C::capability_list, "capability", "list", {}, "Show capabilities for a given user or group", "[user/group]", 0,
         1),
    part(C::capability_avail, "capability", "avail", {}, "Show description for available capabilities",
         "[capabilities]", 0, 1),
    parent(C::overlay, "overlay", CommandSection::manage, "Make overlay images for Singularity and Apptainer: create"),
    part(C::overlay_create, "overlay", "create", {}, "Create EXT3 writable overlay image", "<options> image", 1, 1),
    parent(C::instance, "instance", CommandSection::launch, "Manage containers running as services"),
    part(C::instance_list, "instance", "list", G::managing_instances, "List all running and named Apptainer instances",
         "[list options...] [<instance name glob>]", 0, 1),
    starts(C::instance_run, "run", "Run a named instance of the given container image",
           "[start options...] <container path> <instance name> [runscript args...]"),
    starts(C::instance_start, "start", "Start a named instance of the given container image",
           "[start options...] <container path> <instance name> [startscript args...]"),
    part(C::instance_stats, "instance", "stats", G::managing_instances, "Get stats for a named instance",
         "[stats options...] <instance name>", 1, 1),
    part(C::instance_stop, "instance", "stop", G::managing_instances,
         "Stop a named instance of a given container image", "[stop options...] [instance]", 0, 1),
    elsewhere("", "build", "Build an image", kBuildWith),
    elsewhere("", "pull", "Pull an image from a URI",
              "pull with Apptainer or skopeo; swrun runs files and directories"),
    elsewhere("", "push", "Upload an image to a URI", kRegistryWith),
    elsewhere("", "verify", "Verify signatures of an image", kSignWith),
    elsewhere("", "sign", "Sign an image", kSignWith),
    elsewhere("", "key", "Manage OpenPGP keys", kSignWith),
    elsewhere("", "keyserver", "Manage keyservers", kSignWith),
    elsewhere("", "remote", "Manage remote endpoints", kRegistryWith),
    elsewhere("", "registry", "Manage registry logins", kRegistryWith),
    elsewhere("", "search", "Search a library for images", kRegistryWith),
    elsewhere("", "delete", "Delete an image from a library", kRegistryWith),
    elsewhere("", "plugin", "Manage plugins", "swrun has no plugins"),
    elsewhere("", "oci", "Manage OCI containers", "use podman or crun"),
    elsewhere("", "checkpoint", "Manage container checkpoints", "start DMTCP inside the image yourself"),
    elsewhere("", "buildcfg", "Show build parameters", "`swrun doctor` shows what this build does on this host"),
    elsewhere("sif", "new", "Create SIF image", kSifWith),
    elsewhere("sif", "add", "Add data object", kSifWith),
    elsewhere("sif", "del", "Delete data object", kSifWith),
    elsewhere("sif", "setprim", "Set primary system partition", kSifWith),
    elsewhere("config", "fakeroot", "Manage fakeroot user mappings", kNothingToSet),
    elsewhere("capability", "add", "Add capabilities to a user or group", kNothingToSet),
    elsewhere("capability", "drop", "Remove capabilities from a user or group", kNothingToSet),
});

// The commands of these rows that are in the group.
constexpr CommandSet members(std::span<const CommandSpec> rows, CommandGroup group) {
    CommandSet set;
    for (const CommandSpec& spec : rows) {
        if (spec.groups.has(group)) set.add(spec.id);
    }
    return set;
}

}  // namespace swrun::rows
