#include "cli/man.h"

#include <optional>

#include "cli/option_table.h"
#include "cli/program_name.h"
#include "cli/values.h"

namespace swrun {
namespace {

// Backslashes, and dashes that must be copyable; a line must not start with a control character.
std::string roff(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '\\') {
            out.append("\\e");
        } else if (c == '-') {
            out.append("\\-");
        } else {
            out.push_back(c);
        }
    }
    if (out.starts_with('.') || out.starts_with('\'')) out.insert(0, "\\&");
    return out;
}

std::string variables_of(const OptionSpec& spec) {
    if (spec.support != Support::yes || spec.keys[0].empty()) return "";
    std::string text = "Variable: ";
    for (const std::string_view key : spec.keys) {
        if (!key.empty()) text.append(text.ends_with(' ') ? "" : ", ").append("SWRUN_").append(key);
    }
    return text.append(".\n");
}

std::string entry(const OptionSpec& spec) {
    std::string text = ".TP\n\\fB" + roff(flag_name(spec)) + "\\fR";
    if (spec.kind != ValueKind::boolean) text.append(" \\fI").append(roff(spec.value)).append("\\fR");
    text.append("\n").append(roff(spec.help)).append(".\n").append(roff(variables_of(spec)));
    if (spec.support == Support::refused) text.append("Instead: ").append(roff(spec.instead)).append(".\n");
    return text;
}

std::string commands_section() {
    std::string text = ".SH COMMANDS\n";
    for (const CommandSpec& spec : commands()) {
        text.append(".TP\n\\fB").append(roff(full_name(spec))).append("\\fR ").append(roff(spec.usage)).append("\n");
        text.append(roff(spec.summary)).append(".\n");
        if (spec.id == Command::elsewhere) text.append("Not done by swrun: ").append(roff(spec.instead)).append(".\n");
    }
    return text;
}

std::string options_section() {
    std::string text = ".SH OPTIONS\nOptions stand between the command and the image; those of the section \"" +
                       roff(title_of(OptionSection::global)) + "\" before the command.\n";
    std::optional<OptionSection> last;
    for (const OptionSpec& spec : options()) {
        if (spec.section != last) text.append(".SS ").append(roff(title_of(spec.section))).append("\n");
        last = spec.section;
        text.append(entry(spec));
    }
    return text;
}

constexpr std::string_view kTail = R"(.SH ENVIRONMENT
Every option with a variable is also read from \fBSWRUN_\fINAME\fR, \fBAPPTAINER_\fINAME\fR and
\fBSINGULARITY_\fINAME\fR, in this order; the command line beats them. Values of BIND, BINDPATH and MOUNT are
added to those of the command line. swrun's own options have the first form only.
.TP
\fBSWRUN_CONFIG\fR
Read this file instead of /etc/swrun/swrun.toml.
.TP
\fBCONTAINER_IMAGE\fR, \fBCONTAINER_FLAGS\fR
Image and options for \fBsingularity_wrapper\fR and \fBswrun wrapper\fR; also SING_IMAGE and SING_FLAGS.
.SH FILES
.TP
\fI/etc/swrun/swrun.toml\fR, \fI~/.config/swrun/swrun.toml\fR
What a site or a user always wants: [[bind]] tables, [environment], [defaults] of options, and [profile.NAME]
tables with the same content. The command line beats variables, they beat the user's file, that beats the site's.
.SH EXIT STATUS
That of the program; 255 when the launch fails, 1 when the command line is wrong.
)";

}  // namespace

std::string man_page() {
    std::string text = ".TH SWRUN 1 \"\" \"swrun " + std::string(kVersion) + "\" \"User Commands\"\n";
    text.append(".SH NAME\nswrun \\- run programs inside Singularity images\n.SH SYNOPSIS\n");
    text.append(
        "\\fBswrun\\fR [\\fIglobal options\\fR] \\fIcommand\\fR [\\fIoptions\\fR] \\fIimage\\fR "
        "[\\fIarguments\\fR]\n");
    text.append(
        ".SH DESCRIPTION\nswrun starts a program inside an image and becomes it: no daemon, no setuid, no "
        "process in between.\nCalled as singularity or apptainer it behaves as a replacement for these.\n");
    return text.append(commands_section()).append(options_section()).append(kTail);
}

}  // namespace swrun
