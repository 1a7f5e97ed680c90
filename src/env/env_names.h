// Names and fixed values of the environment contract between the launcher, the image's files and the
// program.  Used throughout this room.  Source: what existing images and their tools expect of
// Singularity and Apptainer; the contract is theirs and changing a name breaks images.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace swrun {

inline constexpr std::string_view kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
inline constexpr std::string_view kLibraryDirectory = "/.singularity.d/libs";
inline constexpr std::string_view kEnvDirectory = "/.singularity.d/env";
inline constexpr std::string_view kLegacyEnvFile = "/environment";
inline constexpr std::string_view kCustomEnvFile = "/.singularity.d/env/91-environment.sh";
inline constexpr std::string_view kDefaultPrompt = "Apptainer> ";

// What the overrides PREPEND_PATH, APPEND_PATH and PATH are called while the image's files run.
inline constexpr std::string_view kUserPathPrefix = "SING_USER_DEFINED_";

// Visible to the image's files, but not theirs to change.
inline constexpr std::array<std::string_view, 3> kProtectedNames = {"APPTAINER_NAME", "APPTAINER_CONTAINER",
                                                                    "APPTAINER_INSTANCE"};

// All that the image's files may see of the caller's variables, beside the protected names.
inline constexpr std::array<std::string_view, 6> kVisibleNames = {
    "PWD", "HOME", "UID", "GID", "SINGULARITY_APPNAME", "SINGULARITY_SHELL"};

template <std::size_t N>
[[nodiscard]] constexpr bool is_listed(std::string_view name, const std::array<std::string_view, N>& list) {
    for (const std::string_view each : list) {
        if (each == name) return true;
    }
    return false;
}

}  // namespace swrun
