#include "cli/transport.h"

#include <algorithm>
#include <array>

#include "support/text.h"

namespace swrun {
namespace {

constexpr std::array<std::string_view, 12> kTransports = {"docker",      "docker-archive", "docker-daemon", "http",
                                                          "https",       "ipfs",           "library",       "oci",
                                                          "oci-archive", "oras",           "shub",          "podman"};

bool is_scheme(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.';
    });
}

}  // namespace

std::optional<Error> refused_transport(std::string_view image) {
    const std::size_t colon = image.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const std::string_view scheme = image.substr(0, colon);
    const bool known = std::find(kTransports.begin(), kTransports.end(), scheme) != kTransports.end();
    const bool address = image.substr(colon).starts_with("://") && is_scheme(scheme);
    if (scheme == "instance" || (!known && !address)) return std::nullopt;
    if (!known) return make_error(Error::Kind::request, "Unsupported transport type: " + std::string(scheme));
    return make_error(Error::Kind::request, "swrun does not fetch images: " + printable(image))
        .with_hint("fetch it where Apptainer is (apptainer pull image.sif " + printable(image) +
                   ") and give swrun the file");
}

}  // namespace swrun
