// Messages with descriptors between processes of one launch.
#include "support/message.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>

namespace swrun {
namespace {

TEST(MessageSocket, CarriesBytesAndDescriptors) {
    auto ends = make_message_socket();
    ASSERT_TRUE(ends);
    const Fd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const Fd zero(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
    const std::array<int, 2> fds{null.get(), zero.get()};
    ASSERT_TRUE(send_message(ends->first.get(), "hello", fds));
    ASSERT_TRUE(send_message(ends->first.get(), "second", {}));
    const Result<Message> first = receive_message(ends->second.get());
    ASSERT_TRUE(first);
    EXPECT_EQ(first->bytes, "hello");
    ASSERT_EQ(first->fds.size(), 2U);
    char byte = 'x';
    EXPECT_EQ(::read(first->fds[1].get(), &byte, 1), 1);
    EXPECT_EQ(byte, '\0') << "the second is /dev/zero";
    EXPECT_NE(::fcntl(first->fds[0].get(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_EQ(receive_message(ends->second.get()).value().bytes, "second") << "one message is one message";
}

TEST(MessageSocket, ThePeersEndIsAnEmptyMessage) {
    auto ends = make_message_socket();
    ASSERT_TRUE(ends);
    ends->first.reset();
    const Result<Message> end = receive_message(ends->second.get());
    ASSERT_TRUE(end);
    EXPECT_TRUE(end->bytes.empty());
    EXPECT_TRUE(end->fds.empty());
    EXPECT_EQ(send_message(ends->second.get(), "x", {}).error().sys_errno, EPIPE) << "and no signal";
}

TEST(MessageSocket, WhatDoesNotFitIsAnError) {
    auto ends = make_message_socket();
    ASSERT_TRUE(ends);
    const std::array<int, kMaxMessageFds + 1> many{};
    EXPECT_FALSE(send_message(ends->first.get(), "x", many));
    ASSERT_TRUE(send_message(ends->first.get(), std::string(kMaxMessageBytes + 1, 'x'), {}));
    EXPECT_FALSE(receive_message(ends->second.get())) << "cut";
}

}  // namespace
}  // namespace swrun
