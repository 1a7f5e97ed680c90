#include "support/digest.h"

#include <gtest/gtest.h>

namespace swrun {
namespace {

TEST(Digest, TellsPartsApart) {
    EXPECT_EQ(Digest().add("ab").add("c").hex(), Digest().add("ab").add("c").hex());
    EXPECT_NE(Digest().add("ab").add("c").hex(), Digest().add("a").add("bc").hex());
    EXPECT_NE(Digest().add(1).hex(), Digest().add(2).hex());
    EXPECT_EQ(Digest().hex().size(), 32U);
}

// XXH3_128bits of nothing, as xxhsum -H2 prints it.
TEST(Digest, IsXxh3) { EXPECT_EQ(Digest().hex(), "99aa06d3014798d86001c324468d497f"); }

}  // namespace
}  // namespace swrun
