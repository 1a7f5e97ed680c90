// What an image says about itself: labels, scripts, help, definition, environment files, SCIF apps.  Read for
// `inspect` and `run-help` from a SIF's own summary or from the tree.  Pure: gets text and a TreeView.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "plan/tree_view.h"
#include "support/result.h"

namespace swrun {

// Texts are without their final newlines, but for the definition file; empty when the image has none.
struct AppMetadata {
    std::map<std::string, std::string> environment;  // path of a file -> its text
    std::map<std::string, std::string> labels;
    std::string runscript;
    std::string test;
    std::string helpfile;

    friend bool operator==(const AppMetadata&, const AppMetadata&) = default;
};

struct ImageMetadata : AppMetadata {
    std::string deffile;  // byte for byte; from a summary with one newline at its end, which summaries lack
    std::string startscript;
    std::map<std::string, AppMetadata> apps;

    friend bool operator==(const ImageMetadata&, const ImageMetadata&) = default;
};

// The objects of a SIF that matter here, as far as it has them.
struct MetadataObjects {
    std::optional<std::string> summary;  // JSON object "inspect-metadata.json"
    std::optional<std::string> deffile;  // first definition file
};

// From the summary if there is a readable one, else from the tree; the definition file of the SIF goes
// before the tree's.  What is absent or unreadable is left empty.
[[nodiscard]] ImageMetadata read_metadata(const TreeView& tree, const MetadataObjects& objects);

// From JSON as in inspect-metadata.json: {"data":{"attributes":{...}}}.
[[nodiscard]] Result<ImageMetadata> parse_metadata(std::string_view json);

[[nodiscard]] ImageMetadata read_tree_metadata(const TreeView& tree);

// As parse_metadata() reads it, with the given indentation (tabs) and a final newline: keys of the image in
// the order of the field's tools, map keys sorted.  Empty fields are left out.
[[nodiscard]] std::string metadata_json(const ImageMetadata& metadata);

}  // namespace swrun
