#include "support/fingerprint.h"

#include <gtest/gtest.h>

namespace swrun {
namespace {

TEST(Fingerprint, TellsPartsApart) {
    EXPECT_EQ(Fingerprint().add("ab").add("c").hex(), Fingerprint().add("ab").add("c").hex());
    EXPECT_NE(Fingerprint().add("ab").add("c").hex(), Fingerprint().add("a").add("bc").hex());
    EXPECT_NE(Fingerprint().add(1).hex(), Fingerprint().add(2).hex());
    EXPECT_EQ(Fingerprint().hex().size(), 32U);
}

// XXH3_128bits of nothing, as xxhsum -H2 prints it.
TEST(Fingerprint, IsXxh3) { EXPECT_EQ(Fingerprint().hex(), "99aa06d3014798d86001c324468d497f"); }

}  // namespace
}  // namespace swrun
