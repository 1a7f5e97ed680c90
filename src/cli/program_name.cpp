#include "cli/program_name.h"

#include "support/path.h"

namespace swrun {

CalledAs called_as(std::string_view argv0) {
    const std::string_view name = base_name(argv0);
    if (name == "singularity" || name == "apptainer") return CalledAs::dropin;
    if (name == "run-singularity") return CalledAs::run_singularity;
    if (name == "singularity_wrapper" || name == "apptainer_wrapper") return CalledAs::wrapper;
    return CalledAs::own;
}

}  // namespace swrun
