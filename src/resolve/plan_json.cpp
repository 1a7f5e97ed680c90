#include "resolve/plan_json.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace swrun {
namespace {

using Json = nlohmann::ordered_json;

std::string octal(std::uint32_t mode) {
    char text[16];
    std::snprintf(text, sizeof text, "%04o", mode);
    return text;
}

const char* name_of(ImageFacts::Kind kind) {
    switch (kind) {
        case ImageFacts::Kind::directory: return "directory";
        case ImageFacts::Kind::squashfs: return "squashfs";
        case ImageFacts::Kind::ext3: return "ext3";
    }
    return "";
}

const char* name_of(Ghost::Kind kind) {
    switch (kind) {
        case Ghost::Kind::directory: return "directory";
        case Ghost::Kind::file: return "file";
        case Ghost::Kind::symlink: return "symlink";
    }
    return "";
}

const char* name_of(MountOp::Kind kind) {
    switch (kind) {
        case MountOp::Kind::bind: return "bind";
        case MountOp::Kind::image: return "image";
        case MountOp::Kind::tmpfs: return "tmpfs";
        case MountOp::Kind::proc: return "proc";
        case MountOp::Kind::sysfs: return "sysfs";
        case MountOp::Kind::devpts: return "devpts";
        case MountOp::Kind::mqueue: return "mqueue";
        case MountOp::Kind::generated: return "generated";
        case MountOp::Kind::fuse: return "fuse";
    }
    return "";
}

const char* name_of(Level level) {
    switch (level) {
        case Level::debug: return "debug";
        case Level::verbose: return "verbose";
        case Level::info: return "info";
        case Level::quiet: return "log";
        case Level::warning: return "warning";
        case Level::error: return "error";
        case Level::fatal: return "fatal";
    }
    return "";
}

Json json_of(const Ghost& ghost) {
    Json json{{"kind", name_of(ghost.kind)}, {"path", ghost.path}, {"mode", octal(ghost.mode)}};
    if (ghost.kind != Ghost::Kind::directory) json["content"] = ghost.content;
    return json;
}

Json json_of(const ImageMount& mount);
Json json_of(const MountOp& op);
Json json_of(const FuseMount& mount);
Json json_of(const Variable& variable);
Json json_of(const EnvOverride& forced);
Json json_of(const Candidate& candidate);
Json json_of(const CwdCandidate& candidate);
Json json_of(const Note& note);

template <class T> Json list_of(const std::vector<T>& items) {
    Json json = Json::array();
    for (const T& item : items) json.push_back(json_of(item));
    return json;
}

Json json_of(const MountFlags& flags) {
    Json json = Json::array();
    if (flags.read_only) json.push_back("ro");
    if (flags.no_suid) json.push_back("nosuid");
    if (flags.no_dev) json.push_back("nodev");
    if (flags.no_exec) json.push_back("noexec");
    if (flags.recursive) json.push_back("recursive");
    return json;
}

Json json_of(const MountOp& op) {
    Json json{{"kind", name_of(op.kind)}};
    if (!op.source.empty()) json["source"] = op.source;
    if (op.kind == MountOp::Kind::image) json["image_path"] = op.image_path;
    if (op.kind == MountOp::Kind::image) json["image_mount"] = op.image_mount;
    json["target"] = op.target;
    json["flags"] = json_of(op.flags);
    if (op.kind == MountOp::Kind::tmpfs || op.create_source) json["mode"] = octal(op.mode);
    if (!op.content.empty()) json["content"] = list_of(op.content);
    if (op.create_source) json["create_source"] = true;
    if (op.create_target) json["create_target"] = true;
    if (op.kind == MountOp::Kind::fuse) json["fuse_mount"] = op.fuse_mount;
    json["required"] = op.required;
    if (op.warned_of) json["warned_of"] = true;
    json["asked_by"] = to_text(op.origin);
    return json;
}

Json json_of(const ImageMount& mount) {
    Json json{{"image", mount.image}, {"part", mount.part}, {"writable", mount.writable}};
    if (mount.unpacked) {
        json["unpacked_into"] = mount.kept_in.empty() ? "a tmpfs" : mount.kept_in;
    } else {
        json["served_by"] = mount.driver.empty() ? "swrun" : mount.driver;
    }
    json["asked_by"] = to_text(mount.origin);
    return json;
}

Json json_of(const FuseMount& mount) {
    return {{"argv", mount.argv},
            {"runs", mount.inside ? "in the container" : "on the host"},
            {"daemon", mount.daemon},
            {"asked_by", to_text(mount.origin)}};
}

Json json_of(const RootPlan& root) {
    const ImageFacts& image = root.image;
    Json json{{"image", image.path}, {"kind", name_of(image.kind)}};
    if (image.kind != ImageFacts::Kind::directory) {
        json["sif"] = image.is_sif;
        json["offset"] = image.offset;
        json["size"] = image.size;
    }
    if (!image.architecture.empty()) json["architecture"] = image.architecture;
    if (root.owners.as_stored) json["owners"] = "as stored";
    json["writable"] = root.writable;
    json["writable_tmpfs"] = root.writable_tmpfs;
    if (root.image_mount) json["image_mount"] = *root.image_mount;
    if (!root.upper_directory.empty()) json["upper_directory"] = root.upper_directory;
    if (root.upper_mount) json["upper_image"] = {{"path", root.upper_name}, {"image_mount", *root.upper_mount}};
    if (!root.overlay_driver.empty()) json["overlay_driver"] = root.overlay_driver;
    if (root.underlay) json["underlay"] = true;
    for (const Layer& layer : root.read_only_layers) json["read_only_layers"].push_back(layer.path);
    if (root.layered()) json["layer_asked_by"] = to_text(root.layer_origin);
    json["added"] = list_of(root.ghosts);
    return json;
}

Json json_of(const IdMap& map) { return {{"inside", map.inside}, {"outside", map.outside}, {"count", map.count}}; }

Json json_of(const NamespacePlan& names) {
    Json kinds = Json::array({"mount"});
    if (names.user) kinds.insert(kinds.begin(), "user");
    if (names.pid) kinds.push_back("pid");
    if (names.ipc) kinds.push_back("ipc");
    if (names.uts) kinds.push_back("uts");
    if (names.net) kinds.push_back("net");
    Json json{{"new", kinds}, {"uid_map", json_of(names.uid)}, {"gid_map", json_of(names.gid)}};
    for (const IdMap& map : names.more_uids) json["more_uids"].push_back(json_of(map));
    for (const IdMap& map : names.more_gids) json["more_gids"].push_back(json_of(map));
    if (names.pid) json["init"] = names.init;
    if (!names.hostname.empty()) json["hostname"] = names.hostname;
    return json;
}

Json json_of(const Variable& variable) {
    return {{"name", variable.name}, {"value", variable.value}, {"from", variable.origin}};
}

Json json_of(const EnvOverride& forced) {
    return {{"name", forced.name}, {"value", forced.value}, {"asked_by", to_text(forced.origin)}};
}

Json json_of(const Candidate& candidate) {
    Json json;
    switch (candidate.test) {
        case Candidate::Test::lookup: json["test"] = "in PATH"; break;
        case Candidate::Test::try_lookup: json["test"] = "if in PATH"; break;
        case Candidate::Test::executable: json["test"] = "if executable"; break;
    }
    if (!candidate.path.empty()) json["path"] = candidate.path;
    json["argv"] = candidate.argv;
    if (candidate.absolute_argv0) json["absolute_argv0"] = true;
    for (const auto& [name, value] : candidate.env) json["environment"][name] = value;
    if (!candidate.note.empty()) json["note"] = json_of(Note{candidate.note_level, candidate.note});
    return json;
}

Json json_of(const CwdCandidate& candidate) { return {{"path", candidate.path}, {"required", candidate.required}}; }

Json json_of(const ProcessPlan& process) {
    const ProgramPlan& program = process.program;
    Json json{{"program", list_of(program.candidates)}};
    if (!program.none_message.empty()) {
        json["otherwise"] = {{"level", name_of(program.none_level)},
                             {"text", program.none_message},
                             {"exit_status", program.none_status}};
    }
    json["directories"] = list_of(process.directories);
    if (process.environment) {
        json["environment"] = list_of(*process.environment);
    } else {
        // Evaluated inside: by a shell, or because a layer may hold other files.
        Json files = Json::array();
        for (const EnvFile& file : process.startup.files) files.push_back(file.path);
        json["startup"] = {{"files", files},
                           {"forwarded", list_of(process.startup.forwarded)},
                           {"overrides", list_of(process.startup.overrides)}};
    }
    json["umask"] = octal(process.umask);
    json["no_new_privs"] = process.no_new_privs;
    json["drop_capabilities"] = process.drop_capabilities;
    if (!process.capabilities.empty())
        json[process.drop_capabilities ? "kept_capabilities" : "dropped_capabilities"] = process.capabilities;
    return json;
}

Json json_of(const Note& note) { return {{"level", name_of(note.level)}, {"text", note.text}}; }

Json json_of(const LimitPlan& limits) {
    Json files = Json::object();
    for (const GroupSetting& setting : limits.settings) files[setting.file].push_back(setting.value);
    return Json{{"files", files}, {"asked_by", to_text(limits.origin)}};
}

Json json_of(const SharePlan& share) {
    Json json{{"wanted", share.wanted}, {"because", share.why}};
    if (!share.wanted) return json;
    json["scope"] = share.scope;
    json["user_namespace_key"] = share.user_key;
    if (share.tree_key.empty()) {
        json["tree_is_own"] = share.tree_why;
    } else {
        json["tree_key"] = share.tree_key;
    }
    if (share.linger > 0) json["linger_seconds"] = share.linger;
    if (!share.unshared.empty()) json["set_if_alone"] = list_of(share.unshared);
    return json;
}

}  // namespace

std::string plan_to_json(const LaunchPlan& plan) {
    Json json{{"namespaces", json_of(plan.namespaces)},
              {"image_mounts", list_of(plan.image_mounts)},
              {"root", json_of(plan.root)},
              {"mounts", list_of(plan.mounts)},
              {"process", json_of(plan.process)},
              {"notes", list_of(plan.notes)}};
    if (!plan.fuse_mounts.empty()) json["fuse_mounts"] = list_of(plan.fuse_mounts);
    if (!plan.share.why.empty()) json["share"] = json_of(plan.share);
    if (!plan.limits.settings.empty()) json["limits"] = json_of(plan.limits);
    return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace swrun
