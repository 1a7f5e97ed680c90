#include "env/env_file.h"

#include <array>

#include "env/env_names.h"
#include "shell/shell_lite.h"
#include "shell/shell_text.h"
#include "support/text.h"

namespace swrun {

namespace {

constexpr std::array<std::string_view, 7> kDropped = {"EUID", "GID", "HOME", "IFS", "OPTIND", "PWD", "UID"};

Error refused(const std::string& path, const Refusal& refusal) {
    std::string what;
    switch (refusal.kind) {
        case Refusal::Kind::command:
            what = "could not execute \"" + printable(refusal.subject) + "\": execution is disabled";
            break;
        case Refusal::Kind::redirection:
            what = "could not open/create/modify \"" + printable(refusal.subject) + "\": file feature is disabled";
            break;
        case Refusal::Kind::none:
        case Refusal::Kind::construct: what = "not supported in an environment file"; break;
    }
    Error error = make_error(Error::Kind::request, "environment file " + refusal.reason + ": " + what);
    error.add_context("processing " + path);
    return error.with_hint("an environment file may set variables and expand others; quote a literal $ ` \\ or space");
}

ShellSession host_session(const HostFacts& host, const std::string& image, const std::vector<std::string>& positional) {
    ShellSession session;
    for (const auto& [name, value] : host.environment) {
        if (!is_identifier(name)) continue;
        session.variables.try_emplace(name, ShellVariable{value, true, true, false, "caller"});
    }
    const std::string uid = std::to_string(host.user.uid);
    session.variables["UID"] = {uid, true, false, false, "caller"};
    session.variables["EUID"] = {uid, true, false, false, "caller"};
    session.variables["GID"] = {std::to_string(host.user.gid), true, false, false, "caller"};
    if (!image.empty()) session.variables["APPTAINER_IMAGE"] = {image, true, true, false, "swrun"};
    session.variables.try_emplace("PWD", ShellVariable{host.cwd.logical, true, true, false, "caller"});
    session.protected_names = {"UID", "EUID", "GID"};
    session.positional = positional;
    session.allexport = true;
    return session;
}

}  // namespace

Result<std::vector<EnvOverride>> evaluate_env_file(std::string_view text, const std::string& path,
                                                   const HostFacts& host, const std::string& image,
                                                   const std::vector<std::string>& positional) {
    ShellSession session = host_session(host, image, positional);
    ShellOptions options;
    options.forgive_magic = true;
    const ShellOutcome outcome = run_shell_text(path, without_foreign_bytes(text), session, options);
    switch (outcome.kind) {
        case ShellOutcome::Kind::unsupported: return refused(path, outcome.refusal);
        case ShellOutcome::Kind::exited:
            if (outcome.status == 0) break;
            return make_error(Error::Kind::request,
                              "environment file " + path + " ended with exit status " + std::to_string(outcome.status));
        case ShellOutcome::Kind::finished: break;
    }
    std::vector<EnvOverride> values;
    for (const std::string& name : session.assigned) {
        const ShellVariable& variable = session.variables[name];
        if (is_listed(name, kDropped) || !variable.is_set) continue;
        values.push_back({name, variable.value, {Origin::Kind::argument, "--env-file " + path}});
    }
    return values;
}

}  // namespace swrun
