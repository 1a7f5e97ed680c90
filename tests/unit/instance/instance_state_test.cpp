#include "instance/instance_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swrun {
namespace {

InstanceState sample() {
    InstanceState state;
    state.name = "db-1";
    state.user = "alice";
    state.image = "/images/a b.sif";
    state.init = {4711, 123456, "boot"};
    state.supervisor = {4700, 123400, "boot"};
    state.log_out = "/home/alice/out";
    state.log_err = "/home/alice/err";
    state.has_group = true;
    state.terms.home = "/home/alice";
    state.terms.bind_targets = {"/data", "/x,y"};
    state.terms.libs_present = true;
    state.terms.uid = 1000;
    state.terms.gid = 100;
    state.terms.no_new_privs = false;
    state.terms.drop_capabilities = false;
    state.terms.capabilities = {0, 7};
    return state;
}

TEST(InstanceName, takes_what_can_be_a_directory) {
    for (const char* good : {"a", "A.b_c-9", "...", "-x", "0"}) EXPECT_TRUE(instance_name_valid(good)) << good;
    for (const char* bad : {"", ".", "..", "a/b", "bad name", "a*", "\xc3\xa4", "a\n"}) {
        EXPECT_FALSE(instance_name_valid(bad)) << bad;
    }
    EXPECT_FALSE(instance_name_valid(std::string(300, 'a')));
}

TEST(InstanceAddress, is_told_from_a_path) {
    EXPECT_EQ(instance_of_address("instance://db"), "db");
    EXPECT_EQ(instance_of_address("instance://"), "");
    EXPECT_EQ(instance_of_address("instance:/db"), std::nullopt);
    EXPECT_EQ(instance_of_address("./instance://db"), std::nullopt);
}

TEST(InstanceJson, comes_back_as_it_went) {
    const InstanceState state = sample();
    const Result<InstanceState> back = instance_from_json(instance_to_json(state));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, state);
    InstanceState starting = state;
    starting.starting = true;
    starting.init = {0, 0, "boot"};
    EXPECT_EQ(*instance_from_json(instance_to_json(starting)), starting);
}

TEST(InstanceJson, of_apptainer_is_understood) {
    const auto state = instance_from_json(
        R"({"pid":11,"ppid":10,"name":"web","user":"u","image":"/i.sif","config":"e30=","userns":true,"cgroup":false})");
    ASSERT_TRUE(state) << state.error().message;
    EXPECT_FALSE(state->ours);
    EXPECT_EQ(state->init.pid, 11);
    EXPECT_EQ(state->supervisor.pid, 10);
    EXPECT_EQ(state->init.start_time, 0U);
}

TEST(InstanceJson, damaged_or_hostile_is_an_error) {
    for (const char* text : {"", "[]", "{", "nonsense", "{}", R"({"name":"../up"})", R"({"name":7})"}) {
        EXPECT_FALSE(instance_from_json(text)) << text;
    }
    const auto odd = instance_from_json(R"({"name":"a","pid":99999999999999,"ppid":"x","swrun":[]})");
    ASSERT_TRUE(odd);
    EXPECT_EQ(odd->init.pid, 0);
    EXPECT_EQ(odd->supervisor.pid, 0);
}

TEST(InstanceTable, has_the_columns_that_tools_cut) {
    EXPECT_EQ(instance_table({}, false), "INSTANCE NAME    PID    IP    IMAGE\n");
    InstanceState one = sample();
    one.name = "i1";
    one.init.pid = 11041;
    one.image = "IMG";
    EXPECT_EQ(instance_table({one}, false),
              "INSTANCE NAME    PID      IP    IMAGE\n"
              "i1               11041          IMG\n");
    EXPECT_EQ(instance_table({one}, true),
              "INSTANCE NAME    PID      LOGS\n"
              "i1               11041    /home/alice/err\n"
              "                          /home/alice/out\n");
    one.name = "a-very-long-instance-name";
    EXPECT_THAT(instance_table({one}, false),
                ::testing::HasSubstr("a-very-long-instance-name    11041          IMG\n"));
}

TEST(InstanceListJson, is_indented_by_tabs) {
    EXPECT_EQ(instance_list_json({}), "{\n\t\"instances\": []\n}\n");
    EXPECT_EQ(instance_list_json({sample()}),
              "{\n\t\"instances\": [\n\t\t{\n\t\t\t\"instance\": \"db-1\",\n\t\t\t\"pid\": 4711,\n"
              "\t\t\t\"img\": \"/images/a b.sif\",\n\t\t\t\"ip\": \"\",\n\t\t\t\"logErrPath\": \"/home/alice/err\",\n"
              "\t\t\t\"logOutPath\": \"/home/alice/out\"\n\t\t}\n\t]\n}\n");
}

TEST(StartTime, is_found_behind_any_name) {
    const std::string tail = " S 1 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 20";
    EXPECT_EQ(start_time_in("7 (sleep)" + tail), 98765U);
    EXPECT_EQ(start_time_in("7 (a) b) (c" + std::string(")") + tail), 98765U);
    EXPECT_EQ(start_time_in("7 (sleep) S 1"), std::nullopt);
    EXPECT_EQ(start_time_in("7 (sleep) Z" + tail.substr(2)), std::nullopt);
    EXPECT_EQ(start_time_in(""), std::nullopt);
    EXPECT_EQ(start_time_in(")"), std::nullopt);
}

}  // namespace
}  // namespace swrun
