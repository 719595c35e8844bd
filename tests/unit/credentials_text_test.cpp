// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/access/credentials_text.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "http/access/credentials.h"
#include "support/example_text.h"

namespace headgate::http::access {
namespace credentials_text_test {

using testing::text_of;
using testing::uncommented;

TEST(CredentialsText, is_checked_in_as_it_is_written) {
    EXPECT_EQ(text_of("docs/credentials.md"), credentials_reference())
        << "cmake --build build/release --target update_documents";
    EXPECT_EQ(text_of("packaging/credentials.yaml"), credentials_example())
        << "cmake --build build/release --target update_documents";
}

TEST(CredentialsText, the_example_admits_no_client_as_it_is) {
    EXPECT_TRUE(parse_credentials(credentials_example(), "example")->empty());
}

TEST(CredentialsText, the_example_uncommented_requires_a_secret_of_ones_own) {
    const auto example = uncommented(credentials_example());
    const auto line = std::ranges::count(example.substr(0, example.find("secret: \"\"")), '\n') + 1;
    EXPECT_EQ(parse_credentials(example, "example").error().message,
              fmt::format("example:{}: access_keys: secret: must be 1 to 256 visible ASCII characters", line));
}

TEST(CredentialsText, the_example_with_a_secret_has_one_of_each_kind) {
    auto example = uncommented(credentials_example());
    example.replace(example.find("\"\""), 2, "secret");
    const auto loaded = parse_credentials(example, "example");
    ASSERT_TRUE(loaded) << loaded.error().message;
    EXPECT_EQ(loaded->access_keys.size(), 1U);
    EXPECT_EQ(loaded->tokens.size(), 1U);
    EXPECT_EQ(loaded->certificates.size(), 1U);
    EXPECT_EQ(loaded->certificates[0].permissions.firewalls, std::vector<std::string>{"edge"});
}

}  // namespace credentials_text_test
}  // namespace headgate::http::access
