#include <cstdio>

#include "commands/commands.h"
#include "support/log.h"

namespace swrun {

int report(const UsageError& wrong) {
    std::fputs(wrong.out.c_str(), stdout);
    std::fputs(wrong.err.c_str(), stderr);
    return wrong.status;
}

int report(const Error& error) {
    const int status = exit_code(error);
    Level level = Level::fatal;
    if (error.kind == Error::Kind::status) level = status == 0 ? Level::info : Level::error;
    if (!error.message.empty()) log(level, format_error(error));
    return status;
}

void say(const std::vector<Note>& notes) {
    for (const Note& note : notes) log(note.level, note.text);
}

}  // namespace swrun
