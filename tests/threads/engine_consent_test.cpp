// SPDX-License-Identifier: GPL-2.0-or-later
// What stays of a flush that its user did not agree to, and of the policy that a flush puts in force.
#include <gtest/gtest.h>

#include "operations/engine.h"
#include "support/operating_engine.h"

namespace headgate::testing {
namespace engine_consent_test {

using operations::OperationRequest;

class Asking : public Operating {
  protected:
    FlowOperation preview() {
        auto request = request_for(OperationType::Flush, "source-port=1:4");
        request.dry_run = true;
        request.protected_filters = {parse_flow_filter("source-port=4").value()};
        return run(request);
    }
    static OperationRequest answered(const FlowOperation& preview, Consent consent) {
        auto request = request_for(OperationType::Flush);
        request.query = {};
        request.from_operation = preview.id;
        request.consent = consent;
        return request;
    }
    static bool has(const std::string& line, std::string_view part) { return line.find(part) != std::string::npos; }
};

TEST_F(Asking, a_declined_flush_is_an_operation_of_its_own_that_ended_nothing) {
    const auto shown = preview();
    const auto declined = run(answered(shown, Consent::Declined));
    EXPECT_EQ(result_of(declined), "DECLINED");
    EXPECT_EQ(declined.status, OperationStatus::Failed);
    EXPECT_TRUE(declined.refused);
    EXPECT_FALSE(declined.dry_run);
    EXPECT_EQ(declined.detail, "not confirmed: nothing was flushed");
    EXPECT_EQ(declined.query, shown.query);
    EXPECT_EQ(declined.counts.matched, 4U);
    EXPECT_EQ(declined.counts.flushed, 0U);
    EXPECT_EQ(declined.protected_by, (std::vector<ProtectedBy>{{"protected: source-port=4", 1}}));
    EXPECT_EQ(table_.removals_asked, 0U);
    const auto listed = engine_->list({}).value();
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed.front(), declined);
    EXPECT_EQ(result_of(listed.back()), "COMPLETED") << "the dry run is what it was";
    const auto lines = audit_lines();
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_TRUE(has(lines[1], "\"operation_id\":\"" + declined.id + "\",\"action\":\"flush\"")) << lines[1];
    EXPECT_TRUE(has(lines[1], "\"from_capture\":\"" + shown.id + "\",\"dry_run\":false")) << lines[1];
    EXPECT_TRUE(has(lines[1], R"("result":"DECLINED","detail":"not confirmed: nothing was flushed")")) << lines[1];
}

TEST_F(Asking, a_flush_without_a_terminal_to_ask_on_is_refused_with_the_reason) {
    const auto refused = run(answered(preview(), Consent::NotAsked));
    EXPECT_EQ(result_of(refused), "REFUSED");
    EXPECT_EQ(refused.detail,
              "4 flows match; without a terminal to ask on, a flush requires --yes: nothing was flushed");
    EXPECT_EQ(store_.find(refused.id).value(), refused);
    EXPECT_TRUE(has(audit_lines().back(), R"("result":"REFUSED","detail":"4 flows match; )"));
    EXPECT_EQ(table_.removals_asked, 0U);
}

TEST_F(Asking, what_was_declined_can_be_flushed_later) {
    const auto shown = preview();
    const auto declined = run(answered(shown, Consent::Declined));
    EXPECT_EQ(run(answered(shown, Consent::Given)).counts.flushed, 4U);
    const auto again = engine_->start(answered(declined, Consent::Given));
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().kind, ErrorKind::Refused) << "a declined flush has found nothing itself";
}

TEST_F(Asking, an_answer_waits_for_no_other_operation_and_is_kept_once) {
    const auto shown = preview();
    auto other = shown;
    other.id = "other";
    const auto lock = operations::EndpointLock::acquire(folder_.path(""), other);
    ASSERT_TRUE(lock.has_value());
    auto request = answered(shown, Consent::Declined);
    request.token = "once";
    const auto declined = run(request);
    EXPECT_EQ(result_of(declined), "DECLINED");
    EXPECT_EQ(run(request).id, declined.id);
    EXPECT_EQ(engine_->list({})->size(), 2U);
}

TEST_F(Asking, on_a_full_disk_an_answer_is_kept_in_memory) {
    const auto shown = preview();
    disk_->limit_to(0);
    const auto declined = run(answered(shown, Consent::Declined));
    EXPECT_EQ(result_of(declined), "DECLINED");
    ASSERT_FALSE(declined.warnings.empty());
    EXPECT_TRUE(declined.warnings.front().starts_with("not kept, so it cannot be looked up later: "));
}

TEST_F(Asking, an_answer_about_an_unknown_dry_run_is_an_error_that_the_audit_trail_has) {
    auto unknown = preview();
    unknown.id = "unknown";
    const auto refused = engine_->start(answered(unknown, Consent::Declined));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::NotFound);
    EXPECT_EQ(audit_lines().size(), 2U);
    EXPECT_EQ(engine_->list({})->size(), 1U);
}

TEST_F(Asking, the_policy_that_a_flush_puts_in_force_has_its_own_line_of_audit) {
    auto request = request_for(OperationType::Flush, "source-port=1:4");
    request.policy.emplace().name = "reject";
    const auto flush = run(request);
    EXPECT_TRUE(flush.policy_applied);
    const auto lines = audit_lines();
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0], "{\"time\":\"2026-11-21T00:00:00.000Z\",\"operation_id\":\"" + flush.id +
                            "\",\"action\":\"policy_apply\",\"caller\":{\"face\":\"cli\",\"uid\":0,\"user\":\"root\","
                            "\"sudo_user\":\"alice\",\"source_address\":\"192.0.2.7\"},\"source_address\":"
                            "\"192.0.2.7\",\"firewall\":\"edge\",\"availability_zone\":\"a\","
                            "\"stream_exception_policy\":\"reject\",\"result\":\"COMPLETED\"}");
    request.query = query_for("source-port=5");
    EXPECT_FALSE(run(request).policy_applied) << "it is in force already";
    EXPECT_EQ(audit_lines().size(), 3U);
}

TEST_F(Asking, a_flush_that_ends_nothing_names_the_policy_that_is_in_force) {
    auto request = request_for(OperationType::Flush, "source-port=5");
    request.policy.emplace().name = "reject";
    EXPECT_EQ(run(request).stream_exception_policy, "reject");
    const auto shown = preview();
    for (const auto consent : {Consent::Declined, Consent::NotAsked})
        EXPECT_EQ(run(answered(shown, consent)).stream_exception_policy, "reject");
    EXPECT_TRUE(has(audit_lines().back(), R"("stream_exception_policy":"reject","result":"REFUSED")"));

    auto refused = request_for(OperationType::Flush, "source-port=1:4");
    refused.maximum_flows = 3;
    EXPECT_EQ(run(refused).stream_exception_policy, "reject");
    request.query = query_for("source-port=99");
    request.policy->name = "drop";
    const auto nothing_matched = run(request);
    EXPECT_EQ(nothing_matched.stream_exception_policy, "reject");
    EXPECT_FALSE(nothing_matched.policy_applied);
    EXPECT_TRUE(nothing_matched.warnings.empty()) << "it replaces none";
}

}  // namespace engine_consent_test
}  // namespace headgate::testing
