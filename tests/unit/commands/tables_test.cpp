// What the small commands look up: capabilities, and directives of Singularity's configuration.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "commands/config_directives.h"
#include "plan/capabilities.h"

namespace swrun {
namespace {

TEST(CapabilityNames, AllOfLinux) {
    EXPECT_EQ(capability_names().size(), 41U);  // linux/capability.h: CAP_LAST_CAP is 40
    std::set<std::string_view> seen;
    for (const CapabilityName& one : capability_names()) {
        EXPECT_TRUE(one.name.starts_with("CAP_"));
        EXPECT_FALSE(one.meaning.empty() || one.meaning.ends_with('.') ||
                     one.meaning.find('\n') != std::string_view::npos)
            << one.name;
        EXPECT_TRUE(seen.insert(one.name).second) << one.name;
    }
}

TEST(CapabilityNames, AreFoundInAnySpelling) {
    for (const char* name : {"CAP_SYS_ADMIN", "cap_sys_admin", "sys_admin", "SYS_ADMIN"}) {
        EXPECT_EQ(capability_number(name), 21) << name;
    }
    for (const char* name : {"", "CAP_", "ADMIN", "CAP_SYS_ADMINS"})
        EXPECT_EQ(capability_number(name), std::nullopt) << name;
}

TEST(ConfigDirectives, SayWhatSwrunDoes) {
    Invocation invocation;
    EXPECT_EQ(directive_value("allow setuid", invocation), "no");
    EXPECT_EQ(directive_value("bind path", invocation), "/etc/localtime,/etc/hosts");
    EXPECT_EQ(directive_value("always use nv", invocation), "no");
    EXPECT_EQ(directive_value("no such thing", invocation), std::nullopt);
    invocation.config.settings.push_back({"--nv", "true", {Origin::Kind::site_file, "f"}});
    BindSpec bind;
    bind.source = "/scratch";
    bind.target = "/data";
    invocation.launch.site_binds.push_back(bind);
    EXPECT_EQ(directive_value("always use nv", invocation), "yes");
    EXPECT_EQ(directive_value("bind path", invocation), "/etc/localtime,/etc/hosts,/scratch:/data");
}

}  // namespace
}  // namespace swrun
