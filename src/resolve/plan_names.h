// The words for the enumerations of the plan.  Internal to the room.
#pragma once

#include "plan/launch_plan.h"

namespace swrun {

[[nodiscard]] constexpr const char* name_of(ImageFacts::Kind kind) {
    switch (kind) {
        case ImageFacts::Kind::directory: return "directory";
        case ImageFacts::Kind::squashfs: return "squashfs";
        case ImageFacts::Kind::ext3: return "ext3";
    }
    return "";
}

[[nodiscard]] constexpr const char* name_of(Ghost::Kind kind) {
    switch (kind) {
        case Ghost::Kind::directory: return "directory";
        case Ghost::Kind::file: return "file";
        case Ghost::Kind::symlink: return "symlink";
    }
    return "";
}

[[nodiscard]] constexpr const char* name_of(Ghost::Merge merge) {
    switch (merge) {
        case Ghost::Merge::none: return "none";
        case Ghost::Merge::passwd: return "passwd";
        case Ghost::Merge::group: return "group";
    }
    return "";
}

[[nodiscard]] constexpr const char* name_of(Candidate::Test test) {
    switch (test) {
        case Candidate::Test::lookup: return "in PATH";
        case Candidate::Test::try_lookup: return "if in PATH";
        case Candidate::Test::executable: return "if executable";
    }
    return "";
}

[[nodiscard]] constexpr const char* name_of(Level level) {
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

}  // namespace swrun
