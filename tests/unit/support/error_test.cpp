#include "support/error.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "support/errno_hint.h"

namespace swrun {
namespace {

TEST(SysError, NamesCallObjectAndErrno) {
    const Error error = sys_error(Error::Kind::host, "open", "/a", ENOENT);
    EXPECT_EQ(error.message, "open /a: no such file or directory (ENOENT)");
    EXPECT_EQ(error.sys_errno, ENOENT);
    EXPECT_EQ(error.kind, Error::Kind::host);
    EXPECT_EQ(sys_error(Error::Kind::host, "fork", "", EAGAIN).message,
              "fork: resource temporarily unavailable (EAGAIN)");
}

TEST(ErrnoText, UnknownNumbers) {
    EXPECT_EQ(errno_text(99999), "unknown error");
    EXPECT_EQ(errno_name(99999), "99999");
    EXPECT_EQ(errno_text(EACCES), "permission denied");
    EXPECT_EQ(errno_name(EACCES), "EACCES");
}

TEST(SysError, HasTheHintOfItsErrno) {
    for (const int err : {EMFILE, ENFILE, ELOOP, ENAMETOOLONG, ESTALE, ENOTCONN, EIO})
        EXPECT_EQ(sys_error(Error::Kind::host, "open", "/a", err).hint, errno_hint(err)) << err;
    EXPECT_NE(errno_hint(EMFILE).find("ulimit -n"), std::string_view::npos);
    EXPECT_EQ(sys_error(Error::Kind::host, "open", "/a", ENOENT).hint, "");
    EXPECT_EQ(sys_error(Error::Kind::image, "read", "block 1", EIO).hint, "") << "damage of the image";
}

TEST(ExitCode, FollowsTheKind) {
    EXPECT_EQ(exit_code(make_error(Error::Kind::usage, "m")), 1);
    for (const Error::Kind kind :
         {Error::Kind::request, Error::Kind::image, Error::Kind::host, Error::Kind::program, Error::Kind::internal}) {
        Error error = make_error(kind, "m");
        error.exit_status = 7;  // counts for a status only
        EXPECT_EQ(exit_code(error), 255);
    }
    Error status = make_error(Error::Kind::status, "m");
    status.exit_status = 7;
    EXPECT_EQ(exit_code(status), 7);
}

TEST(FormatError, MessageContextHint) {
    Error error = make_error(Error::Kind::host, "message");
    EXPECT_EQ(format_error(error), "message");
    error.add_context("binding /a").add_context("starting x.sif").with_hint("try y");
    EXPECT_EQ(format_error(error), "message\n  while binding /a\n  while starting x.sif\n  hint: try y");
}

TEST(WithHint, TheFirstStays) {
    Error error = make_error(Error::Kind::host, "message");
    error.with_hint("near").with_hint("far");
    EXPECT_EQ(error.hint, "near");
}

}  // namespace
}  // namespace swrun
