#include "support/io.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace swrun {
namespace {

class Io : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = testing::TempDir() + "swrun-io-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        directory_ = pattern;
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }

    std::string put(const std::string& name, std::string_view bytes) {
        const std::string path = directory_ + "/" + name;
        const auto fd = open_file(path, O_WRONLY | O_CREAT | O_EXCL, Error::Kind::host, 0600);
        EXPECT_TRUE(fd && write_all(fd->get(), bytes, path));
        return path;
    }

    std::string directory_;
};

TEST_F(Io, WhatIsWrittenIsRead) {
    std::string bytes;
    for (int i = 0; i < 100000; ++i) bytes.push_back(static_cast<char>(i));
    const auto read = read_file(put("f", bytes), bytes.size());
    ASSERT_TRUE(read);
    EXPECT_EQ(*read, bytes);
    EXPECT_EQ(*read_file(put("empty", ""), 0), "");
}

TEST_F(Io, ALongerFileIsAnErrorNotCut) {
    const std::string path = put("f", "12345");
    EXPECT_EQ(*read_file(path, 5), "12345");
    const auto read = read_file(path, 4);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().sys_errno, EFBIG);
    EXPECT_NE(read.error().message.find(path), std::string::npos);
}

TEST_F(Io, OpeningIsCloseOnExecAndTellsWhy) {
    const auto fd = open_file(put("f", ""), O_RDONLY, Error::Kind::host);
    ASSERT_TRUE(fd);
    EXPECT_NE(::fcntl(fd->get(), F_GETFD) & FD_CLOEXEC, 0);
    const auto missing = open_file(directory_ + "/none", O_RDONLY, Error::Kind::image);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().kind, Error::Kind::image);
    EXPECT_EQ(missing.error().message, "open " + directory_ + "/none: no such file or directory (ENOENT)");
}

TEST_F(Io, ADirectoryCannotBeRead) {
    const auto read = read_file(directory_, 100);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().sys_errno, EISDIR);
}

TEST_F(Io, AFifoDoesNotBlock) {
    const std::string path = directory_ + "/fifo";
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    EXPECT_EQ(*read_file(path, 100), "");
}

TEST_F(Io, ReadAtAnOffset) {
    const auto fd = open_file(put("f", "0123456789"), O_RDONLY, Error::Kind::host);
    ASSERT_TRUE(fd);
    std::array<std::byte, 4> four{};
    EXPECT_EQ(*read_at(fd->get(), four, 3), 4U);
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(four.data()), 4), "3456");
    EXPECT_EQ(*read_at(fd->get(), four, 8), 2U);
    EXPECT_EQ(*read_at(fd->get(), four, 10), 0U);
    EXPECT_EQ(*read_at(fd->get(), four, 1000), 0U);
    EXPECT_FALSE(read_at(-1, four, 0));
}

TEST_F(Io, APipeTakesManyWritesAndReads) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    Fd reader(ends[0]);
    Fd writer(ends[1]);
    const std::string bytes(1 << 20, 'x');  // far beyond what a pipe holds
    Result<std::string> received = std::string();
    std::thread thread([&] { received = read_all(reader.get(), "pipe", bytes.size()); });
    EXPECT_TRUE(write_all(writer.get(), bytes, "pipe"));
    writer.reset();
    thread.join();
    ASSERT_TRUE(received);
    EXPECT_EQ(received->size(), bytes.size());
}

TEST_F(Io, AFailedWriteNamesTheObject) {
    const auto fd = open_file(put("f", ""), O_RDONLY, Error::Kind::host);
    const Status status = write_all(fd->get(), "x", "the file");
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().message, "write the file: bad file descriptor (EBADF)");
}

}  // namespace
}  // namespace swrun
