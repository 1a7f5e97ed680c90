// inspect and run-help: what the image says about itself, in the bytes that other tools parse.
#include <cstdio>

#include "commands/commands.h"
#include "image/image_file.h"
#include "image/image_metadata.h"
#include "support/log.h"

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
    const std::string cwd = host.cwd.base();
    Result<OpenedImage> image = open_image(request.image, cwd, "");
    const Status inside = image ? look_inside(*image) : Status(image.error());
    if (!inside) {
        Error error = inside.error();
        error.message.insert(0, "Failed to open image " + request.image + ": ");
        return error;
    }
    SWRUN_TRY(const MetadataObjects objects, objects_of(*image));
    return read_metadata(*image->view, objects);
}

void select_common(const InspectRequest& request, const AppMetadata& all, AppMetadata& some) {
    const bool nothing_asked = !request.labels && !request.deffile && !request.runscript && !request.startscript &&
                               !request.test && !request.environment && !request.helpfile && !request.list_apps;
    if (request.labels || nothing_asked) some.labels = all.labels;
    if (request.runscript) some.runscript = all.runscript;
    if (request.test) some.test = all.test;
    if (request.environment) some.environment = all.environment;
    if (request.helpfile) some.helpfile = all.helpfile;
}

// What was asked for, and nothing else: empty fields are not printed.  An application has no definition
// file of its own, so --deffile means the image's; it has no start script at all.
ImageMetadata selection(const InspectRequest& request, const ImageMetadata& all) {
    if (request.all) return all;
    ImageMetadata some;
    if (request.deffile) some.deffile = all.deffile;
    if (request.list_apps) some.apps = all.apps;
    if (request.app.empty()) {
        select_common(request, all, some);
        if (request.startscript) some.startscript = all.startscript;
        return some;
    }
    const auto found = all.apps.find(request.app);
    if (found == all.apps.end()) {
        log_warning("the image has no application " + request.app + " (see: inspect --list-apps)");
    } else if (!request.list_apps) {
        select_common(request, found->second, some.apps[request.app]);
    }
    return some;
}

void print_bytes(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_text(const std::string& text) {
    if (text.empty()) return;
    print_bytes(text);
    std::fputc('\n', stdout);
}

bool has_text(const ImageMetadata& data, const AppMetadata& common) {
    return !common.runscript.empty() || !data.startscript.empty() || !common.test.empty() || !common.helpfile.empty() ||
           !common.environment.empty() || !common.labels.empty();
}

// `common` is the image's part, or that of the application that was asked for.
void print_plain(const ImageMetadata& data, const AppMetadata& common) {
    // As it is stored, so that it can be compared and built from; but nothing else begins in the middle of a line.
    print_bytes(data.deffile);
    const bool open_line = !data.deffile.empty() && data.deffile.back() != '\n';
    if (open_line && has_text(data, common)) std::fputc('\n', stdout);
    print_text(common.runscript);
    print_text(data.startscript);
    print_text(common.test);
    print_text(common.helpfile);
    for (const auto& [path, text] : common.environment) {
        std::printf("=== %s ===\n", path.c_str());
        print_bytes(text);
        std::fputs("\n\n", stdout);
    }
    for (const auto& [name, value] : common.labels) std::printf("%s: %s\n", name.c_str(), value.c_str());
}

}  // namespace

int inspect_command(const Invocation& invocation, const HostFacts& host) {
    const InspectRequest& request = invocation.inspect;
    const Result<ImageMetadata> data = metadata_of(request, host);
    if (!data) return report(data.error());
    const ImageMetadata shown = selection(request, *data);
    if (request.json || request.all) {
        std::fputs(metadata_json(shown).c_str(), stdout);
        return 0;
    }
    if (request.list_apps) {
        for (const auto& [name, app] : shown.apps) std::printf("%s\n", name.c_str());
    }
    const auto app = request.list_apps ? shown.apps.end() : shown.apps.find(request.app);
    if (app != shown.apps.end()) {
        print_plain(shown, app->second);
    } else {
        print_plain(shown, shown);
    }
    return 0;
}

int run_help_command(const Invocation& invocation, const HostFacts& host) {
    const Result<ImageMetadata> data = metadata_of(invocation.inspect, host);
    if (!data) return report(data.error());
    std::string text = data->helpfile;
    if (!invocation.inspect.app.empty()) {
        const auto app = data->apps.find(invocation.inspect.app);
        text = app == data->apps.end() ? "" : app->second.helpfile;
    }
    if (text.empty()) {
        std::puts("No help sections were defined for this image");
    } else {
        print_text(text);
    }
    return 0;
}

}  // namespace swrun
