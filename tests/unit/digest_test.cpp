// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/digest.h"

#include <gtest/gtest.h>

namespace headgate {
namespace digest_test {

TEST(Digest, is_that_of_the_standards) {
    // The example of FIPS 180-4, and test case 2 of RFC 4231.
    EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(to_hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Digest, is_read_in_either_case) {
    EXPECT_EQ(parse_digest("BA7816BF8F01CFEA414140DE5DAE2223b00361a396177a9cb410ff61f20015ad"), sha256("abc"));
    EXPECT_FALSE(parse_digest(""));
    EXPECT_FALSE(parse_digest(std::string(63, '0')));
    EXPECT_FALSE(parse_digest(std::string(65, '0')));
    EXPECT_FALSE(parse_digest(std::string(63, '0') + "g"));
}

TEST(Digest, differs_when_any_byte_does) {
    const auto digest = sha256("abc");
    EXPECT_TRUE(equal_in_constant_time(digest, sha256("abc")));
    for (std::size_t i = 0; i < digest.size(); ++i) {
        auto other = digest;
        other.at(i) ^= 1U;
        EXPECT_FALSE(equal_in_constant_time(digest, other)) << i;
    }
}

}  // namespace digest_test
}  // namespace headgate
