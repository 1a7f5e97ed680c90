// Messages for people, on stderr: one write(2) per message, so that the lines of many ranks never
// interleave.  The level is the only global of the program.  Style is chosen once by main: swrun's
// own ("swrun: warning: ...") or the drop-in one ("WARNING: ...", labels padded to nine columns).
// Thread rule: set style and level before any thread starts.
#pragma once

#include <string_view>

namespace swrun {

// The numbers are those of *_MESSAGELEVEL: -1 is --quiet, -3 is --silent.
enum class Level { debug = 5, verbose = 4, info = 1, quiet = -1, warning = -2, error = -3, fatal = -4 };

enum class LogStyle { own, dropin };

void set_log_level(Level lowest);  // messages below it are dropped; fatal always shows
[[nodiscard]] Level log_level();
void set_log_style(LogStyle style, bool color);

[[nodiscard]] bool log_enabled(Level level);
void log(Level level, std::string_view message);

inline void log_debug(std::string_view m) { log(Level::debug, m); }
inline void log_verbose(std::string_view m) { log(Level::verbose, m); }
inline void log_info(std::string_view m) { log(Level::info, m); }
inline void log_warning(std::string_view m) { log(Level::warning, m); }

}  // namespace swrun
