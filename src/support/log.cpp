#include "support/log.h"

#include <unistd.h>

#include <string>

namespace swrun {
namespace {

struct LogState {
    Level lowest = Level::info;
    LogStyle style = LogStyle::own;
    bool color = false;
};
LogState g_log;

struct Label {
    std::string_view dropin;  // without the colon; padded to eight columns after it
    std::string_view own;
    std::string_view color;
};

Label label_of(Level level) {
    switch (level) {
        case Level::debug: return {"DEBUG", "debug: ", "\033[34m"};
        case Level::verbose: return {"VERBOSE", "", "\033[34m"};
        case Level::info: return {"INFO", "", "\033[34m"};
        case Level::quiet: return {"LOG", "", "\033[34m"};
        case Level::warning: return {"WARNING", "warning: ", "\033[33m"};
        case Level::error: return {"ERROR", "error: ", "\033[31m"};
        case Level::fatal: return {"FATAL", "", "\033[31m"};
    }
    return {"", "", ""};
}

}  // namespace

void set_log_level(Level lowest) { g_log.lowest = lowest; }

Level log_level() { return g_log.lowest; }

void set_log_style(LogStyle style, bool color) {
    g_log.style = style;
    g_log.color = color;
}

bool log_enabled(Level level) {
    return level == Level::fatal || static_cast<int>(level) <= static_cast<int>(g_log.lowest);
}

void log(Level level, std::string_view message) {
    if (!log_enabled(level)) return;
    const Label label = label_of(level);
    std::string line;
    if (g_log.style == LogStyle::dropin) {
        std::string head(label.dropin);
        head.push_back(':');
        head.resize(8, ' ');
        line = g_log.color ? std::string(label.color) + head + "\033[0m " : head + ' ';
    } else {
        line = std::string("swrun: ") + std::string(label.own);
    }
    line.append(message).push_back('\n');
    // A lost message is no reason to fail: stderr may be closed or full.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace swrun
