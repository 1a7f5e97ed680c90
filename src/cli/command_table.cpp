#include "cli/command_table.h"

#include <array>
#include <cstddef>

namespace swrun {
namespace {

using C = Command;
using G = CommandGroup;

constexpr CommandSpec elsewhere(std::string_view name, std::string_view summary, std::string_view instead,
                                std::string_view parent = {}) {
    return {C::elsewhere, name, G::elsewhere, summary, "", 0, -1, false, false, instead, parent};
}
constexpr CommandSpec group(C id, std::string_view name, G where, std::string_view summary) {
    return {id, name, where, summary, "<command>", 0, -1, false, true, "", ""};
}
// Operands: at least `min`, at most `max`; options may stand anywhere.
constexpr CommandSpec part(C id, std::string_view parent, std::string_view name, std::string_view summary,
                           std::string_view usage, int min, int max) {
    return {id, name, G::manage, summary, usage, min, max, false, true, "", parent};
}
// What comes behind the image belongs to the program.
constexpr CommandSpec starts(C id, std::string_view parent, std::string_view name, std::string_view summary,
                             std::string_view usage) {
    return {id, name, G::launch, summary, usage, 2, -1, false, false, "", parent};
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
constexpr auto kCommands = std::to_array<CommandSpec>({
    {C::exec, "exec", G::launch, "Run a command within a container", "[exec options...] <container> <command>", 2, -1,
     false, false, ""},
    {C::run, "run", G::launch, "Run the user-defined default command within a container",
     "[run options...] <container> [args...]", 1, -1, false, false, ""},
    {C::shell, "shell", G::launch, "Run a shell within a container", "[shell options...] <container>", 1, -1, false,
     false, ""},
    {C::test, "test", G::launch, "Run the user-defined tests within a container", "[exec options...] <image path>", 1,
     -1, false, false, ""},
    {C::inspect, "inspect", G::look, "Show metadata for an image", "[inspect options...] <image path>", 1, 1, false,
     true, ""},
    {C::run_help, "run-help", G::look, "Show the user-defined help for an image", "[run-help options...] <image path>",
     1, 1, false, true, ""},
    {C::doctor, "doctor", G::look, "Say what this host allows and what a launch will use", "", 0, 0, true, false, ""},
    {C::wrapper, "wrapper", G::launch, "Run in the image that $CONTAINER_IMAGE names, as environment modules set it",
     "exec|run|shell [args...]", 0, -1, true, false, ""},
    {C::version, "version", G::about, "Show the version", "", 0, -1, false, false, ""},
    {C::help, "help", G::about, "Show help for a command", "[command]", 0, -1, false, false, ""},
    {C::man, "man", G::about, "Print the manual page (swrun man | man -l -)", "", 0, 0, true, false, ""},
    {C::completion, "completion", G::about, "Print a completion script for a shell", "bash|zsh|fish", 1, 1, false,
     false, ""},
    group(C::sif, "sif", G::look, "Look into a SIF file: list, header, info, dump"),
    part(C::sif_list, "sif", "list", "List data objects", "<sif_path>", 1, 1),
    part(C::sif_header, "sif", "header", "Display global header", "<sif_path>", 1, 1),
    part(C::sif_info, "sif", "info", "Display data object info", "<id> <sif_path>", 2, 2),
    part(C::sif_dump, "sif", "dump", "Dump data object", "<id> <sif_path>", 2, 2),
    group(C::cache, "cache", G::manage, "Show or empty swrun's own cache directory: list, clean"),
    part(C::cache_list, "cache", "list", "List the local cache", "[list options...]", 0, -1),
    part(C::cache_clean, "cache", "clean", "Clean the local cache", "[clean options...]", 0, -1),
    group(C::config, "config", G::manage, "Show what site files and variables set: show, global --get"),
    own(part(C::config_show, "config", "show", "Show the site files that are read and what they come to", "", 0, 0)),
    part(C::config_global, "config", "global", "Show a directive of Singularity's configuration as swrun has it",
         "<option> <directive> [value,...]", 1, 2),
    group(C::capability, "capability", G::manage, "Show Linux capabilities: list, avail"),
    part(C::capability_list, "capability", "list", "Show capabilities for a given user or group", "[user/group]", 0, 1),
    part(C::capability_avail, "capability", "avail", "Show description for available capabilities", "[capabilities]", 0,
         1),
    group(C::overlay, "overlay", G::manage, "Make overlay images for Singularity and Apptainer: create"),
    part(C::overlay_create, "overlay", "create", "Create EXT3 writable overlay image", "<options> image", 1, 1),
    group(C::instance, "instance", G::launch, "Manage containers running as services"),
    part(C::instance_list, "instance", "list", "List all running and named Apptainer instances",
         "[list options...] [<instance name glob>]", 0, 1),
    starts(C::instance_run, "instance", "run", "Run a named instance of the given container image",
           "[start options...] <container path> <instance name> [runscript args...]"),
    starts(C::instance_start, "instance", "start", "Start a named instance of the given container image",
           "[start options...] <container path> <instance name> [startscript args...]"),
    part(C::instance_stats, "instance", "stats", "Get stats for a named instance", "[stats options...] <instance name>",
         1, 1),
    part(C::instance_stop, "instance", "stop", "Stop a named instance of a given container image",
         "[stop options...] [instance]", 0, 1),
    elsewhere("build", "Build an image", kBuildWith),
    elsewhere("pull", "Pull an image from a URI", "pull with Apptainer or skopeo; swrun runs files and directories"),
    elsewhere("push", "Upload an image to a URI", kRegistryWith),
    elsewhere("verify", "Verify signatures of an image", kSignWith),
    elsewhere("sign", "Sign an image", kSignWith),
    elsewhere("key", "Manage OpenPGP keys", kSignWith),
    elsewhere("keyserver", "Manage keyservers", kSignWith),
    elsewhere("remote", "Manage remote endpoints", kRegistryWith),
    elsewhere("registry", "Manage registry logins", kRegistryWith),
    elsewhere("search", "Search a library for images", kRegistryWith),
    elsewhere("delete", "Delete an image from a library", kRegistryWith),
    elsewhere("plugin", "Manage plugins", "swrun has no plugins"),
    elsewhere("oci", "Manage OCI containers", "use podman or crun"),
    elsewhere("checkpoint", "Manage container checkpoints", "start DMTCP inside the image yourself"),
    elsewhere("buildcfg", "Show build parameters", "`swrun doctor` shows what this build does on this host"),
    elsewhere("new", "Create SIF image", kSifWith, "sif"),
    elsewhere("add", "Add data object", kSifWith, "sif"),
    elsewhere("del", "Delete data object", kSifWith, "sif"),
    elsewhere("setprim", "Set primary system partition", kSifWith, "sif"),
    elsewhere("fakeroot", "Manage fakeroot user mappings", kNothingToSet, "config"),
    elsewhere("add", "Add capabilities to a user or group", kNothingToSet, "capability"),
    elsewhere("drop", "Remove capabilities from a user or group", kNothingToSet, "capability"),
});

constexpr bool in_order() {
    for (std::size_t i = 0; i < static_cast<std::size_t>(C::elsewhere); ++i) {
        if (static_cast<std::size_t>(kCommands[i].id) != i) return false;
    }
    return true;
}
static_assert(in_order(), "spec_of() takes the enumerator as the index");

}  // namespace

std::span<const CommandSpec> commands() { return kCommands; }

const CommandSpec* find_command(std::string_view name, bool own_name, std::string_view parent) {
    for (const CommandSpec& spec : kCommands) {
        if (spec.name == name && spec.parent == parent && (own_name || !spec.own)) return &spec;
    }
    return nullptr;
}

const CommandSpec& spec_of(Command command) { return kCommands[static_cast<std::size_t>(command)]; }

bool is_group(Command command) {
    return command == C::sif || command == C::cache || command == C::config || command == C::capability ||
           command == C::overlay || command == C::instance;
}

std::string full_name(const CommandSpec& command) {
    std::string name(command.parent);
    if (!name.empty()) name.append(" ");
    return name.append(command.name);
}

std::string_view title_of(CommandGroup group) {
    switch (group) {
        case G::launch: return "Run programs in an image";
        case G::look: return "Look before running";
        case G::manage: return "Caches, settings and overlays";
        case G::about: return "About this program";
        case G::elsewhere: return "Known, but done elsewhere (each says what to use instead)";
    }
    return "";
}

}  // namespace swrun
