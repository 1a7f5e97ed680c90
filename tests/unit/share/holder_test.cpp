// The holder between launcher, visitors and the processes that use what it holds: pipes stand in for namespaces
// and pidfds, because any descriptor can be passed and any end of file polled.
#include "share/holder.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "support/message.h"

namespace swrun {
namespace {

using std::chrono::seconds;

// Readable at its end when the other end is closed, as a pidfd is when its process ends.
struct Life {
    Fd watched;
    Fd alive;

    Life() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        watched = Fd(ends[0]);
        alive = Fd(ends[1]);
    }
};

Fd null_device() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

std::string unique_key() {
    static int count = 0;
    return "test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

struct Held : testing::Test {
    void start(std::uint32_t linger = 0) {
        auto ends = make_message_socket();
        ASSERT_TRUE(ends);
        launcher = std::move(ends->first);
        Doors doors;
        doors.linger = linger;
        auto tree = open_door(tree_key);
        auto user = open_door(user_key);
        ASSERT_TRUE(tree);
        ASSERT_TRUE(user);
        doors.tree = std::move(*tree);
        doors.user = std::move(*user);
        thread = std::thread([link = std::move(ends->second), mine = std::move(doors)]() mutable {
            Holder(std::move(link), std::move(mine)).run();
        });
    }
    void hold(const Life& leader) {
        const Fd user = null_device();
        const Fd mount = null_device();
        ASSERT_TRUE(send_hold(launcher.get(), leader.watched.get(), user.get(), mount.get()));
    }
    void TearDown() override {
        launcher.reset();
        if (thread.joinable()) thread.join();
    }

    std::string tree_key = unique_key();
    std::string user_key = unique_key();
    Fd launcher;
    std::thread thread;
};

TEST_F(Held, GivesBothNamespacesAtTheTreesDoorAndOneAtTheUsers) {
    start();
    Life leader;
    hold(leader);
    Life first;
    auto tree = knock(tree_key);
    ASSERT_TRUE(tree);
    const auto both = ask(tree->get(), first.watched.get(), seconds(10));
    ASSERT_TRUE(both);
    EXPECT_TRUE(both->user.valid());
    EXPECT_TRUE(both->mount.valid());
    auto user = knock(user_key);
    ASSERT_TRUE(user);
    const auto one = ask(user->get(), first.watched.get(), seconds(10));
    ASSERT_TRUE(one);
    EXPECT_TRUE(one->user.valid());
    EXPECT_FALSE(one->mount.valid());
    user->reset();
    first.alive.reset();
    leader.alive.reset();
    thread.join();
}

TEST_F(Held, AnswersOnlyWhenTheTreeIsComplete) {
    start();
    Life leader;
    Life visitor;
    auto connection = knock(tree_key);
    ASSERT_TRUE(connection);
    const auto early = ask(connection->get(), visitor.watched.get(), seconds(0));
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().sys_errno, ETIMEDOUT);
    hold(leader);
    const auto message = receive_message(connection->get());
    ASSERT_TRUE(message);
    EXPECT_EQ(message->fds.size(), 2U);
    leader.alive.reset();
    visitor.alive.reset();
    thread.join();
}

TEST_F(Held, AFailedLaunchFreesItsNames) {
    start();
    Life visitor;
    auto connection = knock(tree_key);
    ASSERT_TRUE(connection);
    std::thread fails([&] { launcher.reset(); });
    const auto given = ask(connection->get(), visitor.watched.get(), seconds(10));
    fails.join();
    ASSERT_FALSE(given);
    // EPIPE: it was gone before the question was sent.
    EXPECT_TRUE(given.error().sys_errno == ECONNRESET || given.error().sys_errno == EPIPE) << given.error().message;
    thread.join();
    EXPECT_TRUE(open_door(tree_key));
    EXPECT_TRUE(open_door(user_key));
}

TEST_F(Held, TheFirstOneIsNotSpecial) {
    start();
    Life leader;
    Life second;
    hold(leader);
    auto connection = knock(tree_key);
    ASSERT_TRUE(connection);
    ASSERT_TRUE(ask(connection->get(), second.watched.get(), seconds(10)));
    leader.alive.reset();
    Life third;
    auto later = knock(tree_key);
    ASSERT_TRUE(later);
    ASSERT_TRUE(ask(later->get(), third.watched.get(), seconds(10)));
    second.alive.reset();
    third.alive.reset();
    thread.join();
    const auto gone = knock(tree_key);
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().sys_errno, ECONNREFUSED);
}

TEST_F(Held, ALaunchThatLeadsATreeOfItsOwnCountsAsLongAsItsConnection) {
    start();
    Life leader;
    Life other;
    hold(leader);
    auto connection = knock(user_key);
    ASSERT_TRUE(connection);
    ASSERT_TRUE(ask(connection->get(), other.watched.get(), seconds(10)));
    leader.alive.reset();
    other.alive.reset();
    Life late;
    auto again = knock(user_key);
    ASSERT_TRUE(again);
    ASSERT_TRUE(ask(again->get(), late.watched.get(), seconds(10)));
    again->reset();
    connection->reset();
    late.alive.reset();
    thread.join();
}

TEST_F(Held, LingersAndThenGoes) {
    constexpr std::uint32_t kLinger = 3;  // time enough for a knock on a busy machine
    start(kLinger);
    Life leader;
    hold(leader);
    const auto begin = std::chrono::steady_clock::now();
    leader.alive.reset();
    Life late;
    auto connection = knock(tree_key);
    ASSERT_TRUE(connection);
    ASSERT_TRUE(ask(connection->get(), late.watched.get(), seconds(10)));
    late.alive.reset();
    thread.join();
    EXPECT_GE(std::chrono::steady_clock::now() - begin, seconds(kLinger) - std::chrono::milliseconds(100));
}

TEST_F(Held, AVisitorWithoutAPidfdIsSentAway) {
    start();
    Life leader;
    hold(leader);
    auto connection = knock(tree_key);
    ASSERT_TRUE(connection);
    ASSERT_TRUE(send_message(connection->get(), "?", {}));
    const auto answer = receive_message(connection->get());
    EXPECT_TRUE(!answer || (answer->bytes.empty() && answer->fds.empty()));
    leader.alive.reset();
    thread.join();
}

TEST(Door, ASecondLeaderIsRefused) {
    const std::string key = unique_key();
    const auto first = open_door(key);
    ASSERT_TRUE(first);
    const auto second = open_door(key);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().sys_errno, EADDRINUSE);
}

}  // namespace
}  // namespace swrun
