// What the server tells the launcher about a program's start, across a fork.
#include "fuse/predicted_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

namespace swrun {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint32_t kBlock = 131072;

TEST(PredictedFiles, CrossTheFork) {
    const auto files = PredictedFiles::make(kBlock);
    ASSERT_TRUE(files);
    EXPECT_THAT(files->list(), IsEmpty());
    const pid_t child = ::fork();
    if (child == 0) {
        files->add_block(*files->add("/lib/libc.so.6", 3 * kBlock + 10), 0);
        files->add_block(*files->add("/bin/true", 5000), 0);
        ::_exit(0);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    EXPECT_THAT(files->list(),
                ElementsAre(PredictedFile{"/lib/libc.so.6", {{0, kBlock}}}, PredictedFile{"/bin/true", {{0, 5000}}}));
}

TEST(PredictedFiles, NeighboursAreOneRange) {
    const auto files = PredictedFiles::make(kBlock);
    ASSERT_TRUE(files);
    const auto file = files->add("/lib/libc.so.6", 5 * kBlock + 10);
    ASSERT_TRUE(file);
    EXPECT_THAT(files->list(), IsEmpty()) << "nothing of it will be read";
    for (const std::uint64_t block : {5, 0, 1, 4}) files->add_block(*file, block);
    EXPECT_THAT(files->list(),
                ElementsAre(PredictedFile{"/lib/libc.so.6", {{0, 2 * kBlock}, {4 * kBlock, kBlock + 10}}}));
}

TEST(PredictedFiles, TheProgramIsLast) {
    const auto files = PredictedFiles::make(kBlock);
    ASSERT_TRUE(files);
    for (const char* path : {"/bin/script", "/bin/python", "/lib/ld.so", "/lib/libc.so.6"}) {
        files->add_block(*files->add(path, 1), 0);
    }
    const auto paths = [&] {
        std::vector<std::string> all;
        for (const PredictedFile& file : files->list()) all.push_back(file.path);
        return all;
    };
    EXPECT_THAT(paths(), ElementsAre("/bin/script", "/bin/python", "/lib/ld.so", "/lib/libc.so.6"))
        << "none is known yet";
    files->mark_program(1);
    EXPECT_THAT(paths(), ElementsAre("/bin/script", "/lib/ld.so", "/lib/libc.so.6", "/bin/python"));
    files->mark_program(1U << 20U);
    EXPECT_EQ(paths().size(), 4U) << "the other side reads hostile images";
}

TEST(PredictedFiles, TellWhatTheImageLacks) {
    const auto files = PredictedFiles::make(kBlock);
    ASSERT_TRUE(files);
    files->mark_absent(1);
    files->mark_absent(63);
    files->mark_absent(64);
    EXPECT_FALSE(files->is_absent(0));
    EXPECT_TRUE(files->is_absent(1));
    EXPECT_TRUE(files->is_absent(63));
    EXPECT_FALSE(files->is_absent(64)) << "so many are not told";
}

TEST(PredictedFiles, WhatDoesNotFitIsNotTold) {
    const auto files = PredictedFiles::make(kBlock);
    ASSERT_TRUE(files);
    EXPECT_FALSE(files->add(std::string(5000, 'a'), 1));
    const auto first = files->add("/a", kBlock);
    ASSERT_TRUE(first);
    files->add_block(*first, 1);
    files->add_block(*first, 64);
    files->add_block(*first, 1U << 20U);
    EXPECT_THAT(files->list(), IsEmpty()) << "nothing behind the end";
    while (files->add("/more", 1)) {}
    EXPECT_FALSE(files->add("/more", 1));
    files->add_block(*first, 0);
    EXPECT_EQ(files->list().size(), 1U);
}

}  // namespace
}  // namespace swrun
