#include "resolve/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swrun {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Origin kHere{Origin::Kind::argument, "test"};

Text said(const char* value) { return {std::string(value), kHere}; }

LimitFacts machine() {
    LimitFacts facts;
    facts.cpus = 8;
    facts.devices = {{"/dev/sda", "8:0"}};
    return facts;
}

std::vector<std::string> lines_of(const Result<LimitPlan>& plan) {
    std::vector<std::string> lines;
    if (!plan) return {"error: " + plan.error().message};
    for (const GroupSetting& setting : plan->settings) lines.push_back(setting.file + "=" + setting.value);
    return lines;
}

std::vector<std::string> planned(const LimitRequest& request) {
    const auto values = read_limit_options(request, machine());
    if (!values) return {"error: " + values.error().message};
    if (!*values) return {"nothing"};
    return lines_of(plan_limits(**values, kHere));
}

TEST(ParseSize, suffixes) {
    const std::pair<const char*, std::int64_t> cases[] = {
        {"0", 0},
        {"1048576", 1048576},
        {"512m", 512LL << 20U},
        {"512M", 512LL << 20U},
        {"1.5g", 3LL << 29U},
        {"1 GiB", 1LL << 30U},
        {"2kb", 2048},
        {"7b", 7},
        {"1T", 1LL << 40U},
        {"1p", 1LL << 50U},
    };
    for (const auto& [text, bytes] : cases) {
        const auto parsed = parse_size(text);
        ASSERT_TRUE(parsed) << text << ": " << parsed.error().message;
        EXPECT_EQ(*parsed, bytes) << text;
    }
}

TEST(ParseSize, mistakes_in_the_words_of_the_field) {
    const std::pair<const char*, const char*> cases[] = {
        {"", "invalid size: ''"},
        {"foo", "invalid size: 'foo'"},
        {"-5", "invalid size: '-5'"},
        {"5x", "invalid suffix: 'x'"},
        {"5mbb", "invalid suffix: 'mbb'"},
        {"99999p", "invalid size: '99999p'"},
        {" m", "strconv.ParseFloat: parsing \"\": invalid syntax"},
    };
    for (const auto& [text, message] : cases) {
        const auto parsed = parse_size(text);
        ASSERT_FALSE(parsed) << text;
        EXPECT_EQ(parsed.error().message, message);
    }
}

TEST(Limits, each_option_becomes_a_file) {
    LimitRequest request;
    EXPECT_THAT(planned(request), ElementsAre("nothing"));
    EXPECT_FALSE(asks_for_limits(request));
    request.memory = said("512m");
    request.memory_reservation = said("128m");
    request.memory_swap = said("1g");
    request.cpus = said("1.5");
    request.cpu_shares = said("1024");
    request.cpuset_cpus = said("0-1");
    request.cpuset_mems = said("0");
    request.pids_limit = said("100");
    request.blkio_weight = said("500");
    request.blkio_weight_device = {{"/dev/sda:1000", kHere}};
    EXPECT_TRUE(asks_for_limits(request));
    EXPECT_THAT(planned(request),
                ElementsAre("memory.swap.max=536870912", "memory.max=536870912", "memory.low=134217728",
                            "cpu.max=150000 100000", "cpu.weight=100", "cpuset.cpus=0-1", "cpuset.mems=0",
                            "io.weight=default 4950", "io.weight=8:0 10000", "pids.max=100"));
}

TEST(Limits, the_other_io_file_keeps_the_old_range) {
    LimitRequest request;
    request.blkio_weight = said("500");
    const auto plan = plan_limits(**read_limit_options(request, machine()), kHere);
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->settings.at(0).other_file, "io.bfq.weight");
    EXPECT_EQ(plan->settings.at(0).other_value, "default 500");
}

TEST(Limits, unlimited_and_unset) {
    LimitRequest request;
    request.pids_limit = said("-1");
    EXPECT_THAT(planned(request), ElementsAre("pids.max=max"));
    request.pids_limit = said("0");
    EXPECT_THAT(planned(request), ElementsAre("nothing"));
    request.memory = said("1g");
    request.memory_swap = said("-1");
    EXPECT_THAT(planned(request), ElementsAre("memory.swap.max=max", "memory.max=1073741824"));
}

TEST(Limits, fractions_of_a_processor_are_exact) {
    for (const auto& [cpus, quota] :
         {std::pair{"0.29", "29000"}, {"0.01", "1000"}, {"8", "800000"}, {"0.3", "30000"}}) {
        LimitRequest request;
        request.cpus = said(cpus);
        EXPECT_THAT(planned(request), ElementsAre("cpu.max=" + std::string(quota) + " 100000")) << cpus;
    }
}

TEST(Limits, refusals) {
    struct Wrong {
        Text LimitRequest::*option;
        const char* value;
        const char* message;
    };
    const Wrong cases[] = {
        {&LimitRequest::memory, "lots", "invalid memory value: invalid size: 'lots'"},
        {&LimitRequest::memory_reservation, "1x", "invalid memory-reservation value: invalid suffix: 'x'"},
        {&LimitRequest::memory_swap, "1g", "unable to set swap limit without memory limit"},
        {&LimitRequest::cpus, "0.001", "cpus value must be in range 0.01 - 8"},
        {&LimitRequest::cpus, "9", "cpus value must be in range 0.01 - 8"},
        {&LimitRequest::cpus, "two", "invalid cpus value: can't convert two to decimal"},
        {&LimitRequest::cpus, "nan", "invalid cpus value: can't convert nan to decimal"},
        {&LimitRequest::pids_limit, "-2", "invalid pids-limit: -2"},
        {&LimitRequest::blkio_weight, "5", "blkio-weight must be in range 10-1000"},
    };
    for (const Wrong& wrong : cases) {
        LimitRequest request;
        request.*wrong.option = said(wrong.value);
        EXPECT_THAT(planned(request), ElementsAre("error: " + std::string(wrong.message)));
    }
    for (const auto& [device, message] : {std::pair{"/dev/sda", "<device>:<weight> format"},
                                          {"/dev/nope:100", "/dev/nope is not a device"},
                                          {"/dev/sda:x", "x is not a valid device weight"},
                                          {"/dev/sda:5", "blkio-device-weight must be in range 10-1000"}}) {
        LimitRequest request;
        request.blkio_weight_device = {{device, kHere}};
        EXPECT_THAT(planned(request), ElementsAre(HasSubstr(message)));
    }
    LimitRequest request;
    request.memory = said("2g");
    request.memory_swap = said("1g");
    EXPECT_THAT(planned(request), ElementsAre("error: memory+swap limit should be >= memory limit"));
}

TEST(Limits, weights_keep_their_ends_and_the_default) {
    EXPECT_EQ(cpu_weight_of(0), 1U);
    EXPECT_EQ(cpu_weight_of(2), 1U);
    EXPECT_EQ(cpu_weight_of(1024), 100U);
    EXPECT_EQ(cpu_weight_of(262144), 10000U);
    EXPECT_EQ(cpu_weight_of(1U << 30U), 10000U);
    EXPECT_EQ(io_weight_of(10), 1U);
    EXPECT_EQ(io_weight_of(1000), 10000U);
}

TEST(Limits, unified_files_stay_inside_the_group) {
    LimitValues values;
    values.unified = {{"pids.max", "512"}, {"memory.high", "1000"}};
    EXPECT_THAT(lines_of(plan_limits(values, kHere)), ElementsAre("pids.max=512", "memory.high=1000"));
    for (const char* bad : {"cgroup.procs", "../pids.max", "nodot", ".x"}) {
        values.unified = {{bad, "1"}};
        EXPECT_THAT(lines_of(plan_limits(values, kHere)), ElementsAre(HasSubstr("error:"))) << bad;
    }
}

}  // namespace
}  // namespace swrun
