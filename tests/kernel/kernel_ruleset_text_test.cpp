// SPDX-License-Identifier: GPL-2.0-or-later
// Checks the generator with nft(8), which must accept the ruleset of every kind of policy.
#include <cstdlib>
#include <fstream>

#include "kernel/own_namespace.h"
#include "midstream/change_text.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace kernel_ruleset_text_test {

class RulesetText : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!namespace_.reason_to_skip().empty()) GTEST_SKIP() << namespace_.reason_to_skip();
    }

    /// The errors of `nft --check` for the ruleset; empty when nft accepts it.
    static std::string complaints(const StreamExceptionPolicy& policy) {
        const TemporaryFolder folder;
        const auto ruleset = folder.write("ruleset", midstream::addition_text(policy, {}));
        const auto command = "nft --check -f " + ruleset + " >" + folder.path("said") + " 2>&1";
        if (std::system(command.c_str()) == 0) return {};
        std::ifstream said{folder.path("said")};
        return "refused: " + std::string{std::istreambuf_iterator<char>{said}, {}};
    }

    OwnNamespace namespace_;
};

TEST_F(RulesetText, of_every_policy_is_taken_by_nft) {
    const std::vector<std::vector<Hook>> hook_choices = {
        {Hook::Forward}, {Hook::Forward, Hook::Input}, {Hook::Output, Hook::Input, Hook::Forward}};
    for (const auto exception : {StreamException::Drop, StreamException::Reject, StreamException::Continue}) {
        for (const auto scope : {MidstreamScope::All, MidstreamScope::Flushed}) {
            for (const auto& hooks : hook_choices) {
                for (const bool further : {false, true}) {
                    StreamExceptionPolicy policy;
                    policy.name = "of-ours_2";
                    policy.exception = exception;
                    policy.scope = scope;
                    policy.hooks = hooks;
                    policy.reject_invalid =
                        further && exception == StreamException::Reject && scope == MidstreamScope::All;
                    if (further) policy.log = PacketLog{"[mid stream] #1: it's ", 7};
                    EXPECT_EQ(complaints(policy), "") << to_string(exception) << ' ' << to_string(scope);
                }
            }
        }
    }
}

TEST_F(RulesetText, is_taken_at_the_ends_of_every_range) {
    StreamExceptionPolicy policy;
    policy.name = std::string(StreamExceptionPolicy::kLongestName, 'x');
    policy.exception = StreamException::Continue;
    policy.hooks = {Hook::Output};
    policy.remember_flushed_for = StreamExceptionPolicy::kLongestMemory;
    policy.remember_at_most = StreamExceptionPolicy::kLargestMemory;
    policy.log = PacketLog{std::string(kLongestLogPrefix, 'p'), 10000};
    for (const int priority : {StreamExceptionPolicy::kFirstPriority, StreamExceptionPolicy::kLastPriority}) {
        policy.priority = priority;
        EXPECT_EQ(complaints(policy), "") << priority;
    }
}

}  // namespace kernel_ruleset_text_test
}  // namespace headgate::testing
