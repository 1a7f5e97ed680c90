#include "cli/wrapper.h"

namespace swrun {
namespace {

constexpr std::string_view kUsage = R"(Usage:
  singularity_wrapper exec <command> [args...]   run a command in the image
  singularity_wrapper run [args...]              run the image's own program
  singularity_wrapper shell [shell]              start a shell in the image

The image is $CONTAINER_IMAGE, and $CONTAINER_FLAGS are options for it; environment
modules set both. The older names $SING_IMAGE and $SING_FLAGS work, too.
)";

struct Chosen {
    std::string_view name;
    std::string value;
};

// The first of two variables that is set and not empty; the first name when neither is.
Chosen choose(const Variables& variables, std::string_view name, std::string_view older) {
    for (const std::string_view one : {name, older}) {
        const auto value = variables.plain(one);
        if (value && !value->empty()) return {one, std::string(*value)};
    }
    return {name, ""};
}

UsageError usage_only(int status) { return {"", std::string(kUsage), status}; }

UsageError no_image(const Chosen& image, std::string_view what) {
    const std::string_view kind = image.name == "SING_IMAGE" ? "a singularity" : "an apptainer";
    UsageError error = usage_only(1);
    error.err.append("Cannot find ").append(kind).append(" image as $").append(image.name).append(" ").append(what);
    error.err.append("\n");
    if (!image.value.empty()) error.err.append("  it is ").append(image.value).append("\n");
    return error;
}

}  // namespace

std::vector<std::string> split_words(std::string_view text) {
    constexpr std::string_view kSpace = " \t\n";
    std::vector<std::string> words;
    for (std::size_t start = text.find_first_not_of(kSpace); start != std::string_view::npos;) {
        const std::size_t end = text.find_first_of(kSpace, start);
        words.emplace_back(text.substr(start, end - start));
        start = text.find_first_not_of(kSpace, end);
    }
    return words;
}

std::variant<std::vector<std::string>, UsageError> expand_wrapper(
    std::span<const std::string> arguments, const Variables& variables,
    const std::function<bool(const std::string&)>& is_regular_file) {
    const std::string command = arguments.empty() ? "" : arguments[0];
    if (command == "-h" || command == "--help" || command == "help") return usage_only(0);
    const Chosen image = choose(variables, "CONTAINER_IMAGE", "SING_IMAGE");
    if (image.value.empty()) return no_image(image, "has not been set.");
    if (!is_regular_file(image.value)) return no_image(image, "does not point to an image file.");
    if (command != "exec" && command != "run" && command != "shell") return usage_only(1);

    std::vector<std::string> words = split_words(choose(variables, "CONTAINER_FLAGS", "SING_FLAGS").value);
    words.insert(words.begin(), command);
    if (command == "shell") {
        if (arguments.size() > 1) words.insert(words.end(), {"-s", arguments[1]});
        words.push_back(image.value);
        return words;
    }
    words.push_back(image.value);
    words.insert(words.end(), arguments.begin() + 1, arguments.end());
    return words;
}

}  // namespace swrun
