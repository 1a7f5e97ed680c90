#include "cli/option_table.h"

#include <algorithm>

#include "cli/option_rows_known.h"
#include "cli/option_rows_launch.h"
#include "cli/option_rows_small.h"

namespace swrun {
namespace {

constexpr auto kOptions = rows::joined(
    rows::kBindOptions, rows::kEnvironmentOptions, rows::kProgramOptions, rows::kNamespaceOptions, rows::kLimitOptions,
    rows::kLayerOptions, rows::kGpuOptions, rows::kImageOptions, rows::kSeeingOptions, rows::kCompatibilityOptions,
    rows::kRefusedOptions, rows::kInspectOptions, rows::kCacheOptions, rows::kConfigOptions, rows::kOverlayOptions,
    rows::kInstanceOptions, rows::kGlobalOptions);

constexpr bool in_order() {
    for (std::size_t i = 0; i < kOptions.size(); ++i) {
        if (index_of(kOptions[i].id) != i) return false;
    }
    return kOptions.size() == kOptionCount;
}
static_assert(in_order(), "spec_of() takes the enumerator as the index");
static_assert(std::none_of(kOptions.begin(), kOptions.end(),
                           [](const OptionSpec& spec) { return spec.commands.empty(); }),
              "an option that no command takes");

}  // namespace

std::span<const OptionSpec> options() { return kOptions; }

const OptionSpec& spec_of(OptionId id) { return kOptions[index_of(id)]; }

const OptionSpec* find_option(const CommandSet& commands, std::string_view name) {
    for (const OptionSpec& spec : options_of(commands)) {
        if (spec.name == name) return &spec;
    }
    return nullptr;
}

const OptionSpec* find_letter(const CommandSet& commands, char letter) {
    for (const OptionSpec& spec : options_of(commands)) {
        if (letter != 0 && spec.letter == letter) return &spec;
    }
    return nullptr;
}

std::span<const std::string_view> choices_of(const OptionSpec& spec) {
    const auto* const end = std::find(spec.choices.begin(), spec.choices.end(), std::string_view{});
    return {spec.choices.begin(), end};
}

OptionId canonical(OptionId id) {
    const OptionId same = spec_of(id).same_as;
    return same == OptionId::help ? id : same;
}

std::string_view title_of(OptionSection section) {
    switch (section) {
        case OptionSection::binds: return "Binds and directories";
        case OptionSection::environment: return "Environment";
        case OptionSection::program: return "Program";
        case OptionSection::namespaces: return "Namespaces and privileges";
        case OptionSection::limits: return "Limits";
        case OptionSection::layers: return "Writable layers";
        case OptionSection::gpu: return "GPU";
        case OptionSection::image: return "Image and site files";
        case OptionSection::seeing: return "Seeing it";
        case OptionSection::compatibility: return "Compatibility";
        case OptionSection::refused: return "Known, not supported";
        case OptionSection::inspecting: return "What to show";
        case OptionSection::managing: return "Caches, settings and overlays";
        case OptionSection::instances: return "Instances";
        case OptionSection::global: return "Before the command";
    }
    return "";
}

}  // namespace swrun
