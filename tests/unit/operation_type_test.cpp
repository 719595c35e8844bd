// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/operation_type.h"

#include <gtest/gtest.h>

#include <set>

#include "headgate/flow_operation.h"

namespace headgate {
namespace operation_type_test {

TEST(OperationKinds, have_verbs_of_their_own) {
    const std::set<std::string_view> verbs{kOperationVerbs.begin(), kOperationVerbs.end()};
    EXPECT_EQ(verbs.size(), kOperationKinds.size());
    EXPECT_FALSE(verbs.contains(""));
}

TEST(OperationKinds, that_change_flows_leave_no_state_out_and_give_way_to_none) {
    for (const auto& kind : kOperationKinds) {
        if (!kind.changes_flows) continue;
        EXPECT_EQ(kind.default_states, StateScope::Any) << kind.verb;
        EXPECT_FALSE(kind.gives_way) << kind.verb;
        EXPECT_TRUE(kind.has_outcomes) << kind.verb;
    }
}

TEST(OperationKinds, that_only_judge_flows_change_none_and_give_way) {
    for (const auto& kind : kOperationKinds) {
        if (!kind.has_verdicts) continue;
        EXPECT_FALSE(kind.changes_flows) << kind.verb;
        EXPECT_TRUE(kind.gives_way) << kind.verb;
        EXPECT_FALSE(kind.is_in_aws_api) << kind.verb;
    }
}

TEST(OperationKinds, change_no_flow_in_a_dry_run) {
    FlowRequest flush;
    flush.type = OperationType::Flush;
    EXPECT_FALSE(only_looks(flush));
    flush.dry_run = true;
    EXPECT_TRUE(only_looks(flush));
    EXPECT_TRUE(only_looks(FlowRequest{}));
}

}  // namespace operation_type_test
}  // namespace headgate
