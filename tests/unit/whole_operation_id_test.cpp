// SPDX-License-Identifier: GPL-2.0-or-later
// Short ids of operations, for each caller among the operations that they may see.
#include "gateway/whole_operation_id.h"

#include <gtest/gtest.h>

#include "support/authorized.h"
#include "support/memory_gateway.h"

namespace headgate::gateway {
namespace whole_operation_id_test {

using namespace headgate::testing;
using http::access::Role;

constexpr const char* kFirst = "4f7b0001-9a60-4d0f-8b8e-2b1f0c9d7e31";
constexpr const char* kSecond = "4f7b0002-9a60-4d0f-8b8e-2b1f0c9d7e31";

/// Two operations, whose ids begin alike, on two firewalls.
class ShortIds : public ::testing::Test {
  protected:
    ShortIds() {
        whole_.id_format = "4f7b000{}-9a60-4d0f-8b8e-2b1f0c9d7e31";
        whole_.configured.firewalls.push_back({"core", {{"a", {}, {}, {}}}});
        whole_.complete_at_once(3);
        for (const auto* firewall : {"edge", "core"}) {
            OperationRequest request;
            request.type = OperationType::Capture;
            request.endpoint.firewall = firewall;
            EXPECT_TRUE(whole_.start(request));
        }
    }

    MemoryGateway whole_;
};

TEST_F(ShortIds, are_whole_again_where_one_operation_is_meant) {
    EXPECT_EQ(whole_operation_id(whole_, "4f7b0002").value(), kSecond);
    EXPECT_EQ(whole_operation_id(whole_, "4F7B0002-9A").value(), kSecond);
    EXPECT_EQ(whole_operation_id(whole_, kFirst).value(), kFirst);
}

TEST_F(ShortIds, are_an_error_that_names_the_operations_where_several_are_meant) {
    EXPECT_EQ(whole_operation_id(whole_, "4f7b").error().message,
              fmt::format("4f7b begins the ids of several operations: {}, {}", kSecond, kFirst));
}

TEST_F(ShortIds, stay_what_they_are_where_no_operation_is_meant) {
    for (const auto* text : {"4f7", "beef", "nothing", "", "4f7b000g", "../4f7b0002"})
        EXPECT_EQ(whole_operation_id(whole_, text).value(), text);
}

TEST_F(ShortIds, are_in_lower_case_however_they_were_written) {
    EXPECT_EQ(parse_operation_id("4F7B-").value(), "4f7b-");
    EXPECT_EQ(parse_operation_id(kFirst).value(), kFirst);
    for (const auto* text : {"4f7", "", "nothing", "-4f7b0002"})
        EXPECT_EQ(parse_operation_id(text).error().message,
                  fmt::format("\"{}\" is neither an operation's id nor the first 4 or more characters of one", text));
}

TEST_F(ShortIds, mean_the_operations_alone_that_the_caller_may_see) {
    const auto gateway = authorized(whole_, {Role::Operator, {{"core"}}});
    auto& theirs = gateway->operations();
    EXPECT_EQ(theirs.find("4f7b").value().id, kSecond);
    EXPECT_EQ(theirs.wait("4f7b", {}).value().id, kSecond);
    EXPECT_TRUE(theirs.cancel("4f7b"));
    EXPECT_EQ(theirs.find("4f7b0001").error().kind, ErrorKind::NotFound);
    const auto others = authorized(whole_, {Role::Operator, {{"other"}}});
    EXPECT_EQ(others->operations().find("4f7b").error().message, "there is no operation 4f7b");
}

}  // namespace whole_operation_id_test
}  // namespace headgate::gateway
