// Under which name swrun was called decides how it speaks: as itself, or as a drop-in for the commands
// of that name.  Pure; links of other names are swrun itself.
#pragma once

#include <cstdint>
#include <string_view>

namespace swrun {

enum class CalledAs : std::uint8_t {
    own,              // swrun, or any other name
    dropin,           // singularity, apptainer
    run_singularity,  // the interpreter named in the first line of an executable image
    wrapper,          // singularity_wrapper, apptainer_wrapper
};

inline constexpr std::string_view kVersion = "0.1.0";
// The release whose command line and messages the drop-in names follow; tools compare it.
inline constexpr std::string_view kCompatVersion = "1.5.3";

[[nodiscard]] CalledAs called_as(std::string_view argv0);

// What messages call the program: Apptainer prints its own name also when called as singularity, and
// tools look for that.
[[nodiscard]] constexpr std::string_view shown_name(CalledAs called) {
    return called == CalledAs::own ? "swrun" : "apptainer";
}

}  // namespace swrun
