#include "image/image_metadata.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "support/path.h"

namespace swrun {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kTextLimit = 4 * 1024 * 1024;
constexpr const char* kMeta = "/.singularity.d";

std::string dump(const Json& value, int indent = -1) {
    return value.dump(indent, '\t', false, Json::error_handler_t::replace);
}

std::string without_newlines(std::string text) {
    text.erase(text.find_last_not_of('\n') + 1);
    return text;
}

std::string text_member(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? without_newlines(found->get<std::string>()) : "";
}

// Label values are strings; what else a builder may have put there is shown as JSON.
std::map<std::string, std::string> map_of(const Json& object) {
    std::map<std::string, std::string> map;
    if (!object.is_object()) return map;
    for (const auto& [key, value] : object.items()) {
        map[key] = value.is_string() ? value.get<std::string>() : dump(value);
    }
    return map;
}

std::map<std::string, std::string> map_member(const Json& object, const char* name) {
    const auto found = object.find(name);
    return found == object.end() ? std::map<std::string, std::string>() : map_of(*found);
}

void fill_from_json(AppMetadata& into, const Json& attributes) {
    into.environment = map_member(attributes, "environment");
    for (auto& [path, text] : into.environment) text = without_newlines(std::move(text));
    into.labels = map_member(attributes, "labels");
    into.runscript = text_member(attributes, "runscript");
    into.test = text_member(attributes, "test");
    into.helpfile = text_member(attributes, "helpfile");
}

// Follows links inside the tree; nullopt when there is no readable file.
std::optional<std::string> stored_text(const TreeView& tree, const std::string& path) {
    const ResolvedPath resolved = resolve_in(tree, path);
    if (!resolved.exists() || resolved.node.kind != Node::Kind::file) return std::nullopt;
    Result<std::string> text = tree.read_text(resolved.path, kTextLimit);
    if (!text) return std::nullopt;
    return *std::move(text);
}

std::optional<std::string> file_text(const TreeView& tree, const std::string& path) {
    std::optional<std::string> text = stored_text(tree, path);
    if (!text) return std::nullopt;
    return without_newlines(std::move(*text));
}

std::vector<std::string> names_in(const TreeView& tree, const std::string& path) {
    const ResolvedPath resolved = resolve_in(tree, path);
    if (!resolved.exists() || resolved.node.kind != Node::Kind::directory) return {};
    return tree.list(resolved.path).value_or(std::vector<std::string>());
}

// Files that every build has are not the image's own.
void read_environment(AppMetadata& into, const TreeView& tree, const std::string& directory) {
    constexpr std::array<std::string_view, 5> kOfBuilder = {"01-base.sh", "94-appsbase.sh", "95-apps.sh", "99-base.sh",
                                                            "99-runtimevars.sh"};
    for (const std::string& name : names_in(tree, directory)) {
        if (!name.ends_with(".sh") || std::ranges::find(kOfBuilder, name) != kOfBuilder.end()) continue;
        const std::string path = join_path(directory, name);
        std::optional<std::string> text = file_text(tree, path);
        if (text) into.environment[path] = std::move(*text);
    }
}

void read_directory(AppMetadata& into, const TreeView& tree, const std::string& directory) {
    read_environment(into, tree, join_path(directory, "env"));
    into.runscript = file_text(tree, join_path(directory, "runscript")).value_or("");
    into.test = file_text(tree, join_path(directory, "test")).value_or("");
    into.helpfile = file_text(tree, join_path(directory, "runscript.help")).value_or("");
    const std::optional<std::string> labels = file_text(tree, join_path(directory, "labels.json"));
    if (labels) into.labels = map_of(Json::parse(*labels, nullptr, false));
}

Json app_json(const AppMetadata& app) {
    Json object = Json::object();
    if (!app.environment.empty()) object["environment"] = app.environment;
    if (!app.labels.empty()) object["labels"] = app.labels;
    if (!app.runscript.empty()) object["runscript"] = app.runscript;
    if (!app.test.empty()) object["test"] = app.test;
    if (!app.helpfile.empty()) object["helpfile"] = app.helpfile;
    return object;
}

}  // namespace

Result<ImageMetadata> parse_metadata(std::string_view json) {
    const auto bad = [] { return make_error(Error::Kind::image, "inspect-metadata.json is damaged"); };
    const Json document = Json::parse(json, nullptr, false);
    if (!document.is_object()) return bad();
    const auto data = document.find("data");
    if (data == document.end() || !data->is_object()) return bad();
    const auto attributes = data->find("attributes");
    if (attributes == data->end() || !attributes->is_object()) return bad();
    ImageMetadata metadata;
    fill_from_json(metadata, *attributes);
    metadata.deffile = text_member(*attributes, "deffile");
    if (!metadata.deffile.empty()) metadata.deffile += '\n';
    metadata.startscript = text_member(*attributes, "startscript");
    const auto apps = attributes->find("apps");
    if (apps != attributes->end() && apps->is_object()) {
        for (const auto& [name, app] : apps->items()) {
            if (app.is_object()) fill_from_json(metadata.apps[name], app);
        }
    }
    return metadata;
}

ImageMetadata read_tree_metadata(const TreeView& tree) {
    ImageMetadata metadata;
    const std::string meta(kMeta);
    read_directory(metadata, tree, meta);
    metadata.deffile = stored_text(tree, meta + "/Singularity").value_or("");
    metadata.startscript = file_text(tree, meta + "/startscript").value_or("");
    // Singularity before 2.3 had no such directory.
    if (metadata.runscript.empty()) metadata.runscript = file_text(tree, "/singularity").value_or("");
    const std::string apps = "/scif/apps";
    for (const std::string& name : names_in(tree, apps)) {
        const std::string directory = join_path(apps, name + "/scif");
        if (!resolve_in(tree, directory).exists()) continue;
        read_directory(metadata.apps[name], tree, directory);
    }
    return metadata;
}

ImageMetadata read_metadata(const TreeView& tree, const MetadataObjects& objects) {
    const auto complete = [&](ImageMetadata metadata) {
        const bool own = objects.deffile && !objects.deffile->empty();
        if (own) metadata.deffile = *objects.deffile;
        return metadata;
    };
    if (objects.summary) {
        if (Result<ImageMetadata> metadata = parse_metadata(*objects.summary)) {
            return complete(std::move(metadata).value());
        }
    }
    return complete(read_tree_metadata(tree));
}

std::string metadata_json(const ImageMetadata& metadata) {
    Json attributes = Json::object();
    for (const auto& [name, app] : metadata.apps) attributes["apps"][name] = app_json(app);
    const Json common = app_json(metadata);
    for (const auto& [key, value] : common.items()) attributes[key] = value;
    if (!metadata.deffile.empty()) attributes["deffile"] = without_newlines(metadata.deffile);
    if (!metadata.startscript.empty()) attributes["startscript"] = metadata.startscript;
    Json document = Json::object();
    document["data"]["attributes"] = attributes;
    document["type"] = "container";
    return dump(document, 1) + "\n";
}

}  // namespace swrun
