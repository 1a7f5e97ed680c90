#include "cli/command_table.h"

#include <array>
#include <cstddef>

namespace swrun {
namespace {

using C = Command;
using G = CommandGroup;

constexpr CommandSpec elsewhere(std::string_view name, std::string_view summary, std::string_view instead) {
    return {C::elsewhere, name, G::elsewhere, summary, "", 0, -1, false, false, instead};
}

constexpr std::string_view kBuildWith = "use Apptainer or SingularityCE, where you may build, and run the image here";
constexpr std::string_view kNoInstances =
    "start the program in the background with exec or run; the batch system ends it";
constexpr std::string_view kSignWith = "use Apptainer's `verify` and `sign`, or compare a checksum";
constexpr std::string_view kRegistryWith = "use Apptainer, skopeo or oras for registries";
constexpr std::string_view kNothingToSet = "swrun needs no privilege that an administrator could grant with it";

// Usage texts of the first six are what tools parse from Apptainer's errors.
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
    elsewhere("build", "Build an image", kBuildWith),
    elsewhere("pull", "Pull an image from a URI", "pull with Apptainer or skopeo; swrun runs files and directories"),
    elsewhere("push", "Upload an image to a URI", kRegistryWith),
    elsewhere("instance", "Manage containers running as services", kNoInstances),
    elsewhere("sif", "Manipulate SIF files", "`inspect` shows what an image holds; siftool or Apptainer change it"),
    elsewhere("overlay", "Manage writable overlay images", "--overlay takes a plain directory: mkdir is enough"),
    elsewhere("cache", "Manage the local cache", "swrun keeps no cache of images: there is nothing to clean"),
    elsewhere("capability", "Manage Linux capabilities of users and groups", kNothingToSet),
    elsewhere("config", "Manage configuration", "edit swrun.toml; see the manual page"),
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

const CommandSpec* find_command(std::string_view name, bool own_name) {
    for (const CommandSpec& spec : kCommands) {
        if (spec.name == name && (own_name || !spec.own)) return &spec;
    }
    return nullptr;
}

const CommandSpec& spec_of(Command command) { return kCommands[static_cast<std::size_t>(command)]; }

std::string_view title_of(CommandGroup group) {
    switch (group) {
        case G::launch: return "Run programs in an image";
        case G::look: return "Look before running";
        case G::about: return "About this program";
        case G::elsewhere: return "Known, but done elsewhere (each says what to use instead)";
    }
    return "";
}

}  // namespace swrun
