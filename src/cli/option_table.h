// The one table of options: parsing, variables, site files, help, manual page and completions all read
// it, and there is no second list.  Pure data in read-only memory; nothing is built at start-up.
// An option that Singularity or Apptainer has is in here even when swrun does not do it: "unknown flag"
// is for what nobody knows.
//
// A new option: an enumerator here and a row in one of the cli/option_rows files, at the same place.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "cli/command_table.h"

namespace swrun {

// clang-format off
enum class OptionId : std::uint16_t {
    // Binds and directories
    bind, mount, home, no_home, no_mount, cwd, pwd, workdir, scratch, fusemount,
    // Environment
    cleanenv, env, env_file, no_env, keep_env, no_eval,
    // Program
    app, shell, no_umask,
    // Namespaces and privileges
    contain, containall, pid, no_pid, no_init, ipc, uts, hostname, dns, net, network, userns,
    fakeroot, add_caps, drop_caps, security, no_privs, keep_privs,
    // Limits
    memory, memory_reservation, memory_swap, oom_kill_disable, cpus, cpu_shares, cpuset_cpus, cpuset_mems, pids_limit,
    blkio_weight, blkio_weight_device, apply_cgroups,
    // Writable layers
    writable_tmpfs, overlay, writable,
    // GPU
    containlibs, nv, rocm,
    // Image and site files
    image_mode, image_reader, unpack_dir, share, linger, hot_cache, profile,
    // Seeing it
    dry_run, explain_env, timings,
    // Compatibility
    compat, strict_compat, underlay, compat32, no_nv, no_rocm, unsquash, sharens, runscript_timeout, disable_cache,
    no_https, nohttps, authfile, docker_login, docker_host, docker_username, docker_password, tmpdir, cdi_dirs,
    ignore_subuid, ignore_fakeroot_command, ignore_userns, no_oci, no_compat, no_setgroups, sif_fuse,
    tmp_sandbox, no_tmp_sandbox, keep_layers, proot,
    // Known, not supported
    allow_setuid, boot, nvccli, intel_hpu,
    device, data, oci, network_args, netns_path, passphrase, pem_path, dmtcp_launch, dmtcp_restart,
    // inspect and run-help
    labels, deffile, runscript, startscript, testscript, environment, helpfile, json, list_apps, all, inspect_app,
    // cache, config and overlay
    cache_type, cache_verbose, cache_days, cache_dry_run, cache_force,
    config_set, config_unset, config_get, config_reset, config_dry_run,
    overlay_size, overlay_directory, overlay_sparse,
    // instance
    pid_file, instance_user, instance_json, instance_logs, instance_all, instance_force, instance_signal,
    instance_timeout, instance_no_stream,
    // Before the command
    debug, verbose, quiet, silent, nocolor, config, build_config, version, man,
    // Everywhere
    help,
};
// clang-format on

constexpr std::size_t kOptionCount = static_cast<std::size_t>(OptionId::help) + 1;

[[nodiscard]] constexpr std::size_t index_of(OptionId id) { return static_cast<std::size_t>(id); }

enum class ValueKind : std::uint8_t {
    boolean,  // --x, --x=LITERAL
    text,     // of several the last counts
    number,
    slice,  // each value is one CSV record; all count
    array,  // taken whole; all count
    map,    // NAME=VALUE, CSV when it holds several
};

// Under which title the help shows an option, in the order in which it does.
enum class OptionSection : std::uint8_t {
    binds,
    environment,
    program,
    namespaces,
    limits,
    layers,
    gpu,
    image,
    seeing,
    inspecting,
    managing,
    instances,
    compatibility,
    refused,
    global,
};
constexpr std::size_t kOptionSectionCount = static_cast<std::size_t>(OptionSection::global) + 1;

enum class Support : std::uint8_t {
    yes,
    ignored,  // accepted: without it the launch is the same; `reason` is a warning when not empty
    refused,  // known; `reason` says why, `instead` what to do
};

struct OptionSpec {
    OptionId id = OptionId::help;
    std::string_view name;  // without dashes
    char letter = 0;        // 0: none
    ValueKind kind = ValueKind::boolean;
    OptionSection section = OptionSection::binds;
    CommandSet commands{};                      // that take it; never empty
    std::array<std::string_view, 2> keys{};     // variables, without prefix, in the order they are tried
    std::string_view value{};                   // what the help calls the value
    std::array<std::string_view, 3> choices{};  // all that the value may be, the default first; empty: anything
    std::string_view help{};                    // one or two sentences, no final period
    Support support = Support::yes;
    std::string_view reason{};
    std::string_view instead{};
    bool hidden = false;                // in no help; still typed and completed as any other
    bool own = false;                   // swrun's own: its variables have the SWRUN_ prefix only
    OptionId same_as = OptionId::help;  // another name of that option (help: of none)
};

[[nodiscard]] std::span<const OptionSpec> options();
[[nodiscard]] const OptionSpec& spec_of(OptionId id);

// The options that one of some commands takes, in the order of the table: a range.
class OptionsOf {
public:
    class Iterator {
    public:
        Iterator(const OptionSpec* at, const OptionSpec* end, const CommandSet& commands)
            : at_(at), end_(end), commands_(&commands) {
            skip();
        }
        const OptionSpec& operator*() const { return *at_; }
        Iterator& operator++() {
            ++at_;
            skip();
            return *this;
        }
        bool operator!=(const Iterator& other) const { return at_ != other.at_; }

    private:
        void skip() {
            while (at_ != end_ && !at_->commands.meets(*commands_)) ++at_;
        }

        const OptionSpec* at_;
        const OptionSpec* end_;
        const CommandSet* commands_;  // the range's
    };

    explicit OptionsOf(const CommandSet& commands) : commands_(commands) {}
    [[nodiscard]] Iterator begin() const { return {options().data(), last(), commands_}; }
    [[nodiscard]] Iterator end() const { return {last(), last(), commands_}; }

private:
    static const OptionSpec* last() { return options().data() + options().size(); }

    CommandSet commands_;
};
[[nodiscard]] inline OptionsOf options_of(const CommandSet& commands) { return OptionsOf(commands); }

// The first of these with the name or letter; nullptr when there is none.
[[nodiscard]] const OptionSpec* find_option(const CommandSet& commands, std::string_view name);
[[nodiscard]] const OptionSpec* find_letter(const CommandSet& commands, char letter);

// The words of `choices` that are there.
[[nodiscard]] std::span<const std::string_view> choices_of(const OptionSpec& spec);

// The option that --pwd and --nohttps stand for; any other is itself.
[[nodiscard]] OptionId canonical(OptionId id);

[[nodiscard]] std::string_view title_of(OptionSection section);

// Is every value kept (true), or only the last one?
[[nodiscard]] constexpr bool is_list(ValueKind kind) {
    return kind == ValueKind::slice || kind == ValueKind::array || kind == ValueKind::map;
}

}  // namespace swrun
