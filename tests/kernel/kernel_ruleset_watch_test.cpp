// SPDX-License-Identifier: GPL-2.0-or-later
// The watch that detects changes to the policy's table, and the keeper that restores it. nft(8) makes the changes.
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>
#include <fstream>

#include "daemon/policy_reconciler.h"
#include "kernel/own_namespace.h"
#include "midstream/kernel_ruleset.h"
#include "midstream/ruleset_watch.h"
#include "support/ruleset_conformance.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace kernel_ruleset_watch_test {

using daemon::PolicyFinding;
using midstream::RulesetWatch;

class WatchedRuleset : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!namespace_.reason_to_skip().empty()) GTEST_SKIP() << namespace_.reason_to_skip();
        nft("add table inet others; add chain inet others c; add set inet others s { type inet_service; }");
        const auto applied = ruleset_->apply(policy_);
        ASSERT_TRUE(applied.has_value()) << applied.error().message;
        auto watch = RulesetWatch::open({});
        ASSERT_TRUE(watch.has_value()) << watch.error().message;
        watch_ = std::make_unique<RulesetWatch>(std::move(*watch));
    }

    void nft(const std::string& commands) const {
        const auto file = folder_.write("commands", commands + "\n");
        ASSERT_EQ(std::system(("nft -f " + file).c_str()), 0) << commands;
    }

    /// The handle of the first rule in the chain.
    [[nodiscard]] std::string first_rule(const std::string& chain) const {
        const auto file = folder_.path("listing");
        EXPECT_EQ(std::system(("nft -a list chain inet headgate " + chain + " >" + file).c_str()), 0);
        std::ifstream listing{file};
        const std::string text{std::istreambuf_iterator<char>{listing}, {}};
        const auto first = text.find("# handle ", text.find("# handle ") + 1);
        return first == std::string::npos ? "" : text.substr(first + 9, text.find('\n', first) - first - 9);
    }

    [[nodiscard]] bool readable() const {
        pollfd waiting{watch_->fd(), POLLIN, 0};
        return ::poll(&waiting, 1, 0) == 1;
    }
    [[nodiscard]] bool changed() { return watch_->changed().value(); }

    OwnNamespace namespace_;
    TemporaryFolder folder_;
    StreamExceptionPolicy policy_ = policy_named("reject");
    std::unique_ptr<Ruleset> ruleset_ = midstream::KernelRuleset::open({}, folder_.path("run"));
    std::unique_ptr<RulesetWatch> watch_;
};

TEST_F(WatchedRuleset, at_rest_reports_nothing) {
    EXPECT_FALSE(readable());
    EXPECT_FALSE(changed());
}

TEST_F(WatchedRuleset, reports_a_flush_of_everything) {
    nft("flush ruleset");
    EXPECT_TRUE(readable());
    EXPECT_TRUE(changed());
    EXPECT_FALSE(readable());
    EXPECT_FALSE(changed()) << "told once";
}

TEST_F(WatchedRuleset, reports_that_the_table_is_deleted) {
    nft("delete table inet headgate");
    EXPECT_TRUE(changed());
}

TEST_F(WatchedRuleset, reports_that_the_table_is_made_dormant) {
    nft("add table inet headgate { flags dormant; }");
    EXPECT_TRUE(changed());
}

TEST_F(WatchedRuleset, reports_that_a_rule_is_deleted) {
    const auto rule = first_rule("forward_1");
    ASSERT_FALSE(rule.empty());
    nft("delete rule inet headgate forward_1 handle " + rule);
    EXPECT_TRUE(changed());
}

TEST_F(WatchedRuleset, reports_that_a_rule_or_a_chain_is_added) {
    nft("insert rule inet headgate forward_1 accept");
    EXPECT_TRUE(changed());
    nft("add chain inet headgate another");
    EXPECT_TRUE(changed());
}

TEST_F(WatchedRuleset, reports_our_own_change) {
    ASSERT_TRUE(ruleset_->apply(policy_named("another")).has_value());
    EXPECT_TRUE(changed());
    ASSERT_TRUE(ruleset_->apply(policy_named("another")).has_value());
    EXPECT_FALSE(readable()) << "what is in force is not applied again";
}

TEST_F(WatchedRuleset, reports_nothing_when_other_tables_change) {
    nft("add rule inet others c accept");
    nft("add element inet others s { 80, 443 }");
    nft("add table ip headgate; add chain ip headgate c");
    nft("delete table inet others");
    EXPECT_TRUE(readable());
    EXPECT_FALSE(changed());
}

TEST_F(WatchedRuleset, reports_nothing_when_flows_are_remembered_and_forgotten) {
    const auto rows = rows_from_ports(1, 1000);
    ASSERT_EQ(ruleset_->remember(rows, std::chrono::seconds{60}).value(), Remembered::All);
    ASSERT_EQ(ruleset_->remember(rows, std::chrono::seconds{90}).value(), Remembered::All);
    ASSERT_TRUE(ruleset_->forget(rows).has_value());
    ASSERT_TRUE(ruleset_->open_window(Protocol::Tcp, std::chrono::seconds{60}).has_value());
    EXPECT_TRUE(readable());
    EXPECT_FALSE(changed());
}

TEST_F(WatchedRuleset, reports_that_events_were_lost) {
    const int little = 1;
    ASSERT_EQ(::setsockopt(watch_->fd(), SOL_SOCKET, SO_RCVBUF, &little, sizeof little), 0);
    for (int port = 1; port < 20; ++port)
        nft("add element inet others s { " + std::to_string(port) + " }");
    EXPECT_EQ(watch_->take_losses(), 0U);
    EXPECT_TRUE(changed()) << "no word about ours, but some were lost";
    EXPECT_GE(watch_->take_losses(), 1U);
    EXPECT_EQ(watch_->take_losses(), 0U) << "told once";
    EXPECT_FALSE(changed());
    nft("delete table inet headgate");
    EXPECT_TRUE(changed()) << "the socket works as before";
}

TEST_F(WatchedRuleset, can_be_watched_before_there_is_one_and_in_another_namespace) {
    const auto first = netlink::NetworkNamespace::open("/proc/thread-self/ns/net");
    ASSERT_TRUE(first.has_value()) << first.error().message;
    const OwnNamespace empty;
    auto here = RulesetWatch::open({});
    auto there = RulesetWatch::open(*first);
    ASSERT_TRUE(here.has_value() && there.has_value());
    EXPECT_FALSE(here->changed().value());
    nft("add table inet headgate");
    EXPECT_TRUE(here->changed().value());
    EXPECT_FALSE(there->changed().value());
}

class KeptRuleset : public WatchedRuleset {
  protected:
    PolicyFinding keep() {
        const auto kept = daemon::PolicyReconciler{*ruleset_, policy_}.keep();
        EXPECT_TRUE(kept.has_value()) << kept.error().message;
        EXPECT_EQ(ruleset_->in_force().value(), policy_);
        EXPECT_EQ(ruleset_->condition().value(), RulesetCondition::AsApplied);
        return kept.has_value() ? kept->found : PolicyFinding::Unverified;
    }
};

TEST_F(KeptRuleset, is_left_alone_as_long_as_it_is_as_applied) {
    EXPECT_EQ(keep(), PolicyFinding::InForce);
    EXPECT_FALSE(readable()) << "nothing was written";
}

TEST_F(KeptRuleset, is_put_back_after_a_flush_of_everything) {
    nft("flush ruleset");
    EXPECT_EQ(keep(), PolicyFinding::Missing);
    EXPECT_TRUE(changed());
    EXPECT_EQ(keep(), PolicyFinding::InForce);
    EXPECT_FALSE(readable()) << "told of its own repair, it does not begin again";
}

TEST_F(KeptRuleset, is_restored_after_another_process_changed_it) {
    nft("insert rule inet headgate forward_1 accept");
    EXPECT_EQ(keep(), PolicyFinding::Changed);
    EXPECT_EQ(keep(), PolicyFinding::InForce);
}

TEST_F(KeptRuleset, is_woken_after_another_process_made_it_dormant) {
    nft("add table inet headgate { flags dormant; }");
    EXPECT_EQ(keep(), PolicyFinding::Changed);
}

TEST_F(KeptRuleset, takes_the_place_of_another_policy_and_of_none) {
    ASSERT_TRUE(ruleset_->apply(policy_named("another")).has_value());
    EXPECT_EQ(keep(), PolicyFinding::Another);
    ASSERT_TRUE(ruleset_->remove().has_value());
    EXPECT_EQ(keep(), PolicyFinding::Nothing);
}

}  // namespace kernel_ruleset_watch_test
}  // namespace headgate::testing
