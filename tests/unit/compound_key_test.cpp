// SPDX-License-Identifier: GPL-2.0-or-later
// Different parts make different keys, whatever characters they contain.
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/text.h"

namespace headgate {
namespace compound_key_test {

TEST(CompoundKey, has_its_parts_in_their_order) {
    EXPECT_EQ(compound_key({"rest", "token", "on-call", "4711"}), "rest:token:on-call:4711");
    EXPECT_EQ(compound_key({"", ""}), ":");
    EXPECT_EQ(compound_key({"a:b", "50%"}), "a%3Ab:50%25");
}

TEST(CompoundKey, is_another_one_for_other_parts) {
    const std::vector<std::string> texts{"", ":", "%", "a", "a:", ":a", "a:b", "%3A", "a%3Ab", "%25", "3A", "::", "%:"};
    std::set<std::string> keys;
    for (const auto& first : texts)
        for (const auto& second : texts)
            keys.insert(compound_key({first, second}));
    EXPECT_EQ(keys.size(), texts.size() * texts.size());
}

}  // namespace compound_key_test
}  // namespace headgate
