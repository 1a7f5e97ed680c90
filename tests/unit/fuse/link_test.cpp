#include "fuse/link.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <thread>

#include "support/io.h"

namespace swrun {
namespace {

const std::vector<Ghost> kGhosts = {
    {Ghost::Kind::directory, "/home/u", "", 0755},
    {Ghost::Kind::file, "/etc/passwd", std::string("root:x:0:0\0\n", 12), 0644},
    {Ghost::Kind::symlink, "/etc/mtab", "/proc/mounts", 0777},
};
const OwnerView kOwners = {false, 1234, 100};

std::pair<Fd, Fd> link_ends() {
    Result<std::pair<Fd, Fd>> ends = make_link();
    EXPECT_TRUE(ends);
    return std::move(ends).value();
}

TEST(Ghosts, SurviveTheWire) {
    EXPECT_EQ(decode_ghosts(encode_ghosts(kGhosts)).value(), kGhosts);
    EXPECT_EQ(decode_ghosts(encode_ghosts({})).value(), std::vector<Ghost>());
}

TEST(Ghosts, EveryTruncationIsAnError) {
    const std::string bytes = encode_ghosts(kGhosts);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_FALSE(decode_ghosts(std::string_view(bytes).substr(0, size))) << size;
    }
    EXPECT_FALSE(decode_ghosts(bytes + "x")) << "nothing may follow";
}

TEST(Ghosts, GarbledBytesNeverReadOutside) {
    const std::string bytes = encode_ghosts(kGhosts);
    std::size_t refused = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (const char value : {'\0', '\x01', '\x7f', '\x80', '\xff'}) {
            // Of its exact size on the heap, so that a sanitizer sees one byte too many.
            std::vector<char> garbled(bytes.begin(), bytes.end());
            garbled[at] = value;
            const Result<std::vector<Ghost>> ghosts = decode_ghosts({garbled.data(), garbled.size()});
            if (!ghosts) {
                ++refused;
                continue;
            }
            EXPECT_EQ(ghosts->size(), kGhosts.size()) << at;
            std::string again = encode_ghosts(*ghosts);
            EXPECT_EQ(again, std::string(garbled.data(), garbled.size())) << at;
        }
    }
    EXPECT_GT(refused, 0U);
}

TEST(Ghosts, AHugeCountIsAnErrorAndNoAllocation) {
    EXPECT_FALSE(decode_ghosts("\xff\xff\xff\xff"));
    EXPECT_FALSE(decode_ghosts(std::string("\x01\0\0\0\x07\0\0\0\xed\x01\0\0\0\0\0\0\0\0\0\0", 20))) << "no such kind";
}

TEST(Link, CarriesADeviceOwnersAndGhosts) {
    const auto [ours, theirs] = link_ends();
    const Fd device(::open("/dev/null", O_RDWR | O_CLOEXEC));
    ASSERT_TRUE(send_device(ours.get(), device.get(), kOwners, "/sub", kGhosts));
    Result<DeviceMessage> message = receive_device(theirs.get());
    ASSERT_TRUE(message) << format_error(message.error());
    EXPECT_EQ(message->ghosts, kGhosts);
    EXPECT_EQ(message->owners, kOwners);
    EXPECT_EQ(message->root, "/sub");
    struct stat sent {};
    struct stat got {};
    ASSERT_EQ(::fstat(device.get(), &sent), 0);
    ASSERT_EQ(::fstat(message->device.get(), &got), 0);
    EXPECT_EQ(got.st_rdev, sent.st_rdev);
    EXPECT_NE(::fcntl(message->device.get(), F_GETFD) & FD_CLOEXEC, 0);
    for (const Fd* end : {&ours, &theirs}) EXPECT_NE(::fcntl(end->get(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(Link, CarriesMoreThanASocketBuffer) {
    const auto [ours, theirs] = link_ends();
    const std::vector<Ghost> large = {{Ghost::Kind::file, "/etc/group", std::string(3U << 20U, 'g'), 0644}};
    const Fd device(::open("/dev/null", O_RDWR | O_CLOEXEC));
    Status sent = make_error(Error::Kind::internal, "not sent");
    std::thread sender([&, link = ours.get()] { sent = send_device(link, device.get(), {true, 0, 0}, "/", large); });
    const Result<DeviceMessage> message = receive_device(theirs.get());
    sender.join();
    ASSERT_TRUE(sent);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->ghosts, large);
    EXPECT_TRUE(message->owners.as_stored);
}

TEST(Link, ADeadServerIsAnErrorAndNoSignal) {
    auto [ours, theirs] = link_ends();
    theirs.reset();
    const Status sent = send_device(ours.get(), 0, kOwners, "/sub", kGhosts);
    ASSERT_FALSE(sent);
    EXPECT_EQ(sent.error().sys_errno, EPIPE);
}

TEST(Link, WhatIsNoMessageIsAnError) {
    for (const std::string& bytes : {std::string(), std::string("ab"), std::string("\x04\0\0\0body", 8)}) {
        auto [ours, theirs] = link_ends();
        ASSERT_TRUE(write_all(ours.get(), bytes, "link"));
        ours.reset();
        EXPECT_FALSE(receive_device(theirs.get())) << bytes.size() << " bytes, no device";
    }
}

}  // namespace
}  // namespace swrun
