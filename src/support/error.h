// Error: all that a person needs to act on a failure: what was done to which object, the errno, who
// asked for it, and a hint.  Built where the failure happens, completed with context on the way up,
// printed once by cli/report.  Plain data; the kind alone decides the exit status.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swrun {

struct Error {
    enum class Kind {
        usage,     // the command line itself is wrong: exit status 1
        request,   // an option's value, a variable or a site file is wrong: 255
        image,     // the image is missing, damaged, foreign or unsupported: 255
        host,      // the host forbids or lacks something: 255
        program,   // the program cannot be found or executed inside: 255
        status,    // a script of the image ended the launch: exit_status as it said
        internal,  // a defect of swrun: 255
    };

    Kind kind = Kind::internal;
    int sys_errno = 0;                 // 0 when no system call failed
    int exit_status = 255;             // used as it is for Kind::status, else see exit_code()
    std::string message;               // names the call or rule and the object; no final period
    std::vector<std::string> context;  // "while ..." lines, innermost first, without the word while
    std::string hint;                  // what to try; empty when we know nothing

    Error& add_context(std::string_view what) {
        context.emplace_back(what);
        return *this;
    }
    Error& with_hint(std::string_view text) {
        if (hint.empty()) hint = text;
        return *this;
    }

    friend bool operator==(const Error&, const Error&) = default;
};

// A failure without a system call.
[[nodiscard]] Error make_error(Error::Kind kind, std::string message);

// A failed system call: "CALL OBJECT: no such file or directory (ENOENT)".  Take errno on the line
// after the call and pass it in: anything between may change it.
[[nodiscard]] Error sys_error(Error::Kind kind, std::string_view call, std::string_view object, int err);

// "no such file or directory" for ENOENT: strerror's text in lower case, as the tools of the field
// print it and other tools look for it.
[[nodiscard]] std::string errno_text(int err);

// "ENOENT" for 2; the number itself where the system has no name for it.
[[nodiscard]] std::string errno_name(int err);

// 1 for usage, exit_status for status, 255 for everything else (semantics that callers rely on).
[[nodiscard]] int exit_code(const Error& error);

// Message, context and hint as one text of several lines, without prefix and final newline.
[[nodiscard]] std::string format_error(const Error& error);

}  // namespace swrun
