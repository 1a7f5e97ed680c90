#include "cli/site_config.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include "cli/name_list.h"
#include "support/io.h"
#include "support/path.h"

namespace swrun {
namespace {

constexpr std::size_t kLimit = std::size_t{1} << 20;

bool is_absent(const Error& error) { return error.sys_errno == ENOENT || error.sys_errno == ENOTDIR; }

Result<std::optional<SiteFile>> read_host_file(const SiteQuery& query, std::string& path) {
    const bool asked = !query.host_file.value.empty();
    path = asked ? query.host_file.value : query.default_host_file;
    auto text = read_file(path, kLimit);
    if (!text) {
        if (!asked && is_absent(text.error())) return std::optional<SiteFile>{};
        Error error = std::move(text).error();
        error.kind = Error::Kind::request;
        error.add_context("reading the site file" + (asked ? " (from " + to_text(query.host_file.origin) + ")" : ""));
        return error;
    }
    SWRUN_TRY(SiteFile file, parse_site_file(*text, path, Origin::Kind::site_file, query.home));
    return std::optional<SiteFile>(std::move(file));
}

// A home directory that cannot be reached must not keep a program from running.
Result<std::optional<SiteFile>> read_user_file(const SiteQuery& query, std::string& path, std::vector<Note>& notes) {
    const bool xdg = query.xdg_config_home.starts_with("/");
    if (!xdg && query.home.empty()) return std::optional<SiteFile>{};
    path = join_path(xdg ? query.xdg_config_home : join_path(query.home, ".config"), "swrun/swrun.toml");
    auto text = read_file(path, kLimit);
    if (!text) {
        // Root of a user namespace has a home that belongs to somebody else: that is no news.
        const Level level = text.error().sys_errno == EACCES ? Level::verbose : Level::warning;
        if (!is_absent(text.error())) notes.push_back({level, "your site file is not used: " + text.error().message});
        return std::optional<SiteFile>{};
    }
    SWRUN_TRY(SiteFile file, parse_site_file(*text, path, Origin::Kind::user_file, query.home));
    return std::optional<SiteFile>(std::move(file));
}

void add(const SiteTables& from, SiteTables& to) {
    to.binds.insert(to.binds.end(), from.binds.begin(), from.binds.end());
    for (const EnvOverride& one : from.environment) {
        const auto same = [&](const EnvOverride& other) { return other.name == one.name; };
        if (std::none_of(to.environment.begin(), to.environment.end(), same)) to.environment.push_back(one);
    }
    for (const SiteDefault& one : from.defaults) {
        const auto same = [&](const SiteDefault& other) { return other.id == one.id; };
        if (std::none_of(to.defaults.begin(), to.defaults.end(), same)) to.defaults.push_back(one);
    }
}

Error no_such_profile(const std::vector<SiteFile>& files, const Asked<std::string>& wanted) {
    std::string names;
    for (const SiteFile& file : files) {
        for (const auto& profile : file.profiles) append_name(names, ", ", profile.first);
    }
    return make_error(Error::Kind::request,
                      "no site file has a profile " + wanted.value + " (from " + to_text(wanted.origin) + ")")
        .with_hint(names.empty() ? "no profile is defined; write [profile." + wanted.value + "] in swrun.toml"
                                 : "profiles: " + names);
}

}  // namespace

Result<SiteConfig> combine_site_files(const std::vector<SiteFile>& files, const Asked<std::string>& profile) {
    Asked<std::string> wanted = profile;
    for (const SiteFile& file : files) {
        if (wanted.value.empty()) wanted = file.default_profile;
    }
    SiteConfig config;
    config.profile = wanted.value;
    bool found = false;
    for (const SiteFile& file : files) {
        for (const auto& [name, tables] : file.profiles) {
            if (wanted.value.empty() || name != wanted.value) continue;
            add(tables, config.tables);
            found = true;
        }
        add(file.base, config.tables);
    }
    if (!wanted.value.empty() && !found) return no_such_profile(files, wanted);
    return config;
}

Result<SiteConfig> load_site_config(const SiteQuery& query) {
    std::vector<SiteFile> files;
    std::vector<std::string> paths;
    std::vector<Note> notes;
    std::string path;
    SWRUN_TRY(auto user, read_user_file(query, path, notes));
    if (user) {
        files.push_back(*std::move(user));
        paths.push_back(path);
    }
    SWRUN_TRY(auto host, read_host_file(query, path));
    if (host) {
        files.push_back(*std::move(host));
        paths.push_back(path);
    }
    SWRUN_TRY(SiteConfig config, combine_site_files(files, query.profile));
    config.files = std::move(paths);
    config.notes = std::move(notes);
    return config;
}

void apply_site_defaults(const SiteTables& tables, const CommandSet& commands, Settings& settings) {
    for (const SiteDefault& one : tables.defaults) {
        if (spec_of(one.id).commands.meets(commands) && !settings.has(one.id)) settings.set(one.id, one.values);
    }
}

}  // namespace swrun
