#include "shell/shell_lite.h"

#include <algorithm>
#include <array>

#include "shell/shell_eval.h"
#include "shell/shell_parser.h"

namespace swrun {

ShellOutcome run_shell_text(const std::string& name, std::string_view text, ShellSession& session,
                            const ShellOptions& options) {
    ShellOutcome outcome;
    const auto unsupported = [&](Refusal refusal) {
        outcome.kind = ShellOutcome::Kind::unsupported;
        outcome.refusal = std::move(refusal);
        return outcome;
    };
    if (text.size() > kMaxShellText) return unsupported({Refusal::Kind::construct, name + ": too long", ""});
    ShellParser parser(name, text);
    ShellScript script;
    if (!parser.parse(script)) return unsupported(parser.refusal());
    ShellBudget budget;
    ShellEvaluator evaluator(name, session, options, budget, 0);
    const ShellEvaluator::Flow flow = evaluator.run(script);
    if (flow == ShellEvaluator::Flow::refused) return unsupported(evaluator.refusal());
    if (flow == ShellEvaluator::Flow::exited) outcome.kind = ShellOutcome::Kind::exited;
    outcome.status = evaluator.status();
    return outcome;
}

bool is_shell_owned(std::string_view name) {
    // bash(1) "Shell Variables", dash(1), and what busybox ash sets on its own.
    static constexpr std::array<std::string_view, 42> kOwned = {"COLUMNS",       "COMP_WORDBREAKS",
                                                                "DIRSTACK",      "EPOCHREALTIME",
                                                                "EPOCHSECONDS",  "EUID",
                                                                "FUNCNAME",      "FUNCNEST",
                                                                "GID",           "GROUPS",
                                                                "HISTCMD",       "HISTFILE",
                                                                "HISTSIZE",      "HISTFILESIZE",
                                                                "HOSTNAME",      "HOSTTYPE",
                                                                "IFS",           "LINENO",
                                                                "LINES",         "MACHTYPE",
                                                                "MAIL",          "MAILCHECK",
                                                                "MAILPATH",      "MAPFILE",
                                                                "OPTARG",        "OPTERR",
                                                                "OPTIND",        "OSTYPE",
                                                                "PIPESTATUS",    "POSIXLY_CORRECT",
                                                                "PPID",          "PS2",
                                                                "PS4",           "RANDOM",
                                                                "READLINE_LINE", "REPLY",
                                                                "SECONDS",       "SHELLOPTS",
                                                                "SRANDOM",       "TIMEFORMAT",
                                                                "UID",           "_"};
    return name.starts_with("BASH") || name.starts_with("ZSH_") ||
           std::find(kOwned.begin(), kOwned.end(), name) != kOwned.end();
}

}  // namespace swrun
