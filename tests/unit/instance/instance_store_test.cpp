#include "instance/instance_store.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace swrun {
namespace {

using ::testing::HasSubstr;

class Store : public ::testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/swrun-store-XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        base_ = name;
        places_ = {base_ + "/app/host/me", base_ + "/logs/host/me", "me", ::geteuid()};
    }
    void TearDown() override { std::filesystem::remove_all(base_); }

    static InstanceState alive(const std::string& name) {
        InstanceState state;
        state.name = name;
        state.image = "/image";
        state.supervisor = state.init = mark_process(::getpid());
        return state;
    }
    // As a reused number looks: the process is there and is another one.
    static InstanceState dead(const std::string& name) {
        InstanceState state = alive(name);
        state.supervisor.start_time -= 1;
        state.init.start_time -= 1;
        return state;
    }
    [[nodiscard]] std::vector<std::string> names(const std::string& pattern = "*") const {
        std::vector<std::string> found;
        for (const InstanceState& state : list_instances(places_, pattern)) found.push_back(state.name);
        return found;
    }
    [[nodiscard]] std::size_t entries() const {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(places_.states)) ++count;
        return count;
    }

    std::string base_;
    InstancePlaces places_;
};

TEST_F(Store, a_name_is_taken_once_and_given_back) {
    ASSERT_TRUE(reserve_instance(places_, alive("a")));
    const Status again = reserve_instance(places_, alive("a"));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().message, "instance a already exists");
    EXPECT_EQ(entries(), 1U);
    remove_instance(places_, alive("a"));
    EXPECT_EQ(entries(), 0U);
    EXPECT_TRUE(reserve_instance(places_, alive("a")));
}

TEST_F(Store, is_for_the_owner_alone) {
    ASSERT_TRUE(reserve_instance(places_, alive("a")));
    struct stat status {};
    ASSERT_EQ(::stat((places_.states + "/a/a.json").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    ASSERT_EQ(::stat((places_.states + "/a").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0700U);
}

TEST_F(Store, what_a_dead_process_left_is_removed_when_seen) {
    ASSERT_TRUE(reserve_instance(places_, dead("old")));
    EXPECT_TRUE(names().empty());
    EXPECT_EQ(entries(), 0U);
    ASSERT_TRUE(reserve_instance(places_, dead("old")));
    EXPECT_TRUE(reserve_instance(places_, alive("old")));
    EXPECT_EQ(names(), std::vector<std::string>{"old"});
    EXPECT_EQ(entries(), 1U);
}

TEST_F(Store, another_boot_is_another_process) {
    InstanceState state = alive("a");
    state.supervisor.boot = state.init.boot = "another";
    ASSERT_TRUE(reserve_instance(places_, state));
    EXPECT_TRUE(names().empty());
}

TEST_F(Store, one_that_starts_is_taken_and_not_listed) {
    InstanceState state = alive("a");
    state.starting = true;
    ASSERT_TRUE(reserve_instance(places_, state));
    EXPECT_TRUE(names().empty());
    EXPECT_FALSE(reserve_instance(places_, alive("a")));
    state.starting = false;
    ASSERT_TRUE(update_instance(places_, state));
    EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(Store, patterns) {
    for (const char* name : {"web1", "web2", "db"}) ASSERT_TRUE(reserve_instance(places_, alive(name)));
    EXPECT_EQ(names(), (std::vector<std::string>{"db", "web1", "web2"}));
    EXPECT_EQ(names("web*"), (std::vector<std::string>{"web1", "web2"}));
    EXPECT_EQ(names("d?"), std::vector<std::string>{"db"});
    EXPECT_TRUE(names("nope").empty());
}

TEST_F(Store, damaged_and_foreign_files_are_nobodys_instance) {
    std::filesystem::create_directories(places_.states + "/bad");
    std::ofstream(places_.states + "/bad/bad.json") << "{";
    ASSERT_TRUE(reserve_instance(places_, alive("a")));
    std::filesystem::create_directories(places_.states + "/b");
    std::filesystem::copy(places_.states + "/a/a.json", places_.states + "/b/b.json");  // describes a
    EXPECT_EQ(names(), std::vector<std::string>{"a"});
    EXPECT_TRUE(std::filesystem::exists(places_.states + "/bad/bad.json"));
}

TEST_F(Store, only_its_own_is_removed) {
    ASSERT_TRUE(reserve_instance(places_, alive("a")));
    remove_instance(places_, dead("a"));
    EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(Store, one_of_many_wins) {
    // The others have to find the winner alive: everybody says when he has tried, and ends when all have.
    int tried[2];
    int all[2];
    ASSERT_EQ(::pipe2(tried, O_CLOEXEC), 0);
    ASSERT_EQ(::pipe2(all, O_CLOEXEC), 0);
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
        const pid_t pid = ::fork();
        if (pid == 0) {
            ::close(all[1]);
            const bool won = static_cast<bool>(reserve_instance(places_, alive("a")));
            char byte = 0;
            if (::write(tried[1], &byte, 1) != 1 || ::read(all[0], &byte, 1) != 0) ::_exit(100);
            ::_exit(won ? 1 : 0);
        }
        children.push_back(pid);
    }
    ::close(tried[1]);
    char byte = 0;
    for (std::size_t i = 0; i < children.size(); ++i) EXPECT_EQ(::read(tried[0], &byte, 1), 1);
    ::close(all[1]);
    ::close(tried[0]);
    ::close(all[0]);
    int winners = 0;
    for (const pid_t pid : children) {
        int status = 0;
        ::waitpid(pid, &status, 0);
        winners += WEXITSTATUS(status);
    }
    EXPECT_EQ(winners, 1);
}

TEST(Process, is_marked_and_opened) {
    const ProcessMark mark = mark_process(::getpid());
    EXPECT_TRUE(is_alive(mark));
    EXPECT_TRUE(open_process(mark, ::geteuid()));
    const auto other = open_process(mark, ::geteuid() + 1);
    ASSERT_FALSE(other);
    EXPECT_THAT(other.error().message, HasSubstr("instance process owned by"));
    ProcessMark late = mark;
    late.start_time += 1;
    EXPECT_FALSE(is_alive(late));
    EXPECT_FALSE(open_process(late, ::geteuid()));
    EXPECT_FALSE(is_alive(ProcessMark{}));
}

TEST(Places, are_by_host_and_user) {
    HostFacts host;
    host.user.name = "alice";
    host.user.home = "/home/alice";
    const auto places = instance_places(host, "");
    ASSERT_TRUE(places);
    EXPECT_TRUE(places->states.starts_with("/home/alice/.apptainer/instances/app/"));
    EXPECT_TRUE(places->states.ends_with("/alice"));
    EXPECT_TRUE(places->logs.starts_with("/home/alice/.apptainer/instances/logs/"));
    host.environment = {{"APPTAINER_CONFIGDIR", "/elsewhere"}};
    EXPECT_TRUE(instance_places(host, "")->states.starts_with("/elsewhere/instances/app/"));
    EXPECT_FALSE(instance_places(host, "no-such-user-here"));
}

}  // namespace
}  // namespace swrun
