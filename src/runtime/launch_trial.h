// A launch in miniature, by the calls that a launch makes and in its order, in a child that ends: what this host
// allows.  Probes that test less say that all is well where every launch fails.
#pragma once

#include <string>
#include <vector>

#include "support/result.h"

namespace swrun {

struct TrialStep {
    enum class Result { works, fails, not_tried };  // not_tried: a step before it, which it needs, has failed

    std::string what;
    bool needed = true;  // by every launch; else by some, or there is another way
    Result result = Result::not_tried;
    Error error;  // of one that fails, with its hint
};

[[nodiscard]] std::vector<TrialStep> try_launch();

}  // namespace swrun
