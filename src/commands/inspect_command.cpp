// inspect and run-help: what the image says about itself, in the bytes that other tools parse.
#include <cstdio>

#include "commands/commands.h"
#include "commands/image_session.h"
#include "image/image_metadata.h"
#include "support/path.h"

namespace swrun {
namespace {

constexpr std::size_t kMaxObject = 64U << 20U;

Result<MetadataObjects> objects_of(const OpenedImage& image) {
    MetadataObjects objects;
    if (!image.sif) return objects;
    for (const SifObject& object : image.sif->objects) {
        if (object.type == SifType::generic_json && object.name == "inspect-metadata.json") {
            SWRUN_TRY(objects.summary, read_sif_object(image.fd.get(), object, kMaxObject));
        } else if (object.type == SifType::deffile && !objects.deffile) {
            SWRUN_TRY(objects.deffile, read_sif_object(image.fd.get(), object, kMaxObject));
        }
    }
    return objects;
}

Result<ImageMetadata> metadata_of(const InspectRequest& request, const HostFacts& host) {
    const std::string& cwd = host.cwd.logical.empty() ? "/" : host.cwd.logical;
    Result<std::unique_ptr<ImageSession>> session = open_session(request.image, cwd, "");
    if (!session) {
        Error error = std::move(session).error();
        error.message = "Failed to open image " + request.image + ": " + error.message;
        return error;
    }
    SWRUN_TRY(const MetadataObjects objects, objects_of((*session)->image));
    return read_metadata(*(*session)->view, objects);
}

// What was asked for, and nothing else: empty fields are not printed.
ImageMetadata selection(const InspectRequest& request, const ImageMetadata& all) {
    if (request.all) return all;
    ImageMetadata some;
    const bool nothing_asked = !request.labels && !request.deffile && !request.runscript && !request.startscript &&
                               !request.test && !request.environment && !request.helpfile && !request.list_apps;
    if (request.labels || nothing_asked) some.labels = all.labels;
    if (request.deffile) some.deffile = all.deffile;
    if (request.runscript) some.runscript = all.runscript;
    if (request.startscript) some.startscript = all.startscript;
    if (request.test) some.test = all.test;
    if (request.environment) some.environment = all.environment;
    if (request.helpfile) some.helpfile = all.helpfile;
    return some;
}

void print_text(const std::string& text) {
    if (text.empty()) return;
    std::fputs(text.c_str(), stdout);
    std::fputc('\n', stdout);
}

void print_plain(const ImageMetadata& data) {
    for (const auto& [name, value] : data.labels) std::printf("%s: %s\n", name.c_str(), value.c_str());
    for (const auto& [path, text] : data.environment) std::printf("=== %s ===\n%s\n\n", path.c_str(), text.c_str());
    print_text(data.runscript);
    print_text(data.test);
    print_text(data.helpfile);
    print_text(data.deffile);
    print_text(data.startscript);
}

Result<ImageMetadata> for_app(const ImageMetadata& all, const std::string& app) {
    const auto found = all.apps.find(app);
    if (found == all.apps.end()) {
        return make_error(Error::Kind::request, "the image has no application " + app + " (see: inspect --list-apps)");
    }
    ImageMetadata of_app;
    static_cast<AppMetadata&>(of_app) = found->second;
    return of_app;
}

}  // namespace

int inspect_command(const Invocation& invocation, const HostFacts& host) {
    const InspectRequest& request = invocation.inspect;
    Result<ImageMetadata> data = metadata_of(request, host);
    if (!data) return report(data.error());
    if (request.list_apps) {
        for (const auto& [name, app] : data->apps) std::printf("%s\n", name.c_str());
        return 0;
    }
    if (!request.app.empty()) data = for_app(*data, request.app);
    if (!data) return report(data.error());
    const ImageMetadata shown = selection(request, *data);
    if (request.json || request.all) {
        std::fputs(metadata_json(shown).c_str(), stdout);
    } else {
        print_plain(shown);
    }
    return 0;
}

int run_help_command(const Invocation& invocation, const HostFacts& host) {
    const Result<ImageMetadata> data = metadata_of(invocation.inspect, host);
    if (!data) return report(data.error());
    std::string text = data->helpfile;
    if (!invocation.inspect.app.empty()) {
        const Result<ImageMetadata> app = for_app(*data, invocation.inspect.app);
        if (!app) return report(app.error());
        text = app->helpfile;
    }
    if (text.empty()) {
        std::puts("No help sections were defined for this image");
    } else {
        print_text(text);
    }
    return 0;
}

}  // namespace swrun
