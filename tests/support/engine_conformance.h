// SPDX-License-Identifier: GPL-2.0-or-later
// How the engine uses any flow table: instantiated with table and store in memory (unit tests), and with the kernel's
// table and the store on disk (kernel tests).
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <vector>

#include "headgate/clock.h"

#include "operations/engine.h"
#include "support/flow_builder.h"
#include "support/forwarding_seams.h"
#include "support/insert_flows.h"
#include "support/remove_flows.h"
#include "support/temporary_folder.h"

namespace headgate::testing {

/// `Environment` has `FlowTable& table()`, `Ruleset& ruleset()`, `OperationStore& store()`, all empty, and
/// `std::string reason_to_skip()`.
template <typename Environment>
class EngineConformance : public ::testing::Test {
  protected:
    void SetUp() override {
        if (const auto reason = environment_.reason_to_skip(); !reason.empty()) GTEST_SKIP() << reason;
        audit_ = std::make_unique<operations::AuditTrail>(folder_.path("audit.log"), clock_);
        engine_ = std::make_unique<operations::Engine>(
            store(), clock_, *audit_, [this](const Endpoint&) { return access_to(table(), environment_.ruleset()); },
            operations::EngineSettings{.state_dir = folder_.path("")});
    }

    FlowTable& table() { return environment_.table(); }
    OperationStore& store() { return environment_.store(); }

    void insert(std::uint16_t first_port, std::uint16_t last_port) {
        std::vector<Flow> flows;
        for (auto port = first_port; port <= last_port; ++port)
            flows.push_back(tcp_flow().from_port(port).established());
        ASSERT_TRUE(inserted(table(), flows));
    }

    static operations::OperationRequest request_for(OperationType type, const FlowQuery& query) {
        operations::OperationRequest request;
        request.type = type;
        request.endpoint = {"edge", "a", ""};
        request.query = query;
        return request;
    }

    FlowOperation run(const operations::OperationRequest& request) {
        const auto started = engine_->start(request);
        EXPECT_TRUE(started.has_value()) << (started ? "" : started.error().message);
        if (!started) return {};
        EXPECT_EQ(started->status, OperationStatus::InProgress);
        return engine_->wait(started->id, std::chrono::minutes{1}).value();
    }

    std::vector<FlowRow> flows_of(const FlowOperation& operation) {
        return store().flows(operation.id, 0, SIZE_MAX).value();
    }

    std::vector<std::uint16_t> ports_left() {
        std::vector<std::uint16_t> ports;
        for (const auto& each : flows_of(run(request_for(OperationType::Capture, query_for_all()))))
            ports.push_back(each.flow.original.source_port);
        std::ranges::sort(ports);
        return ports;
    }

    Environment environment_;
    TemporaryFolder folder_;
    SystemClock clock_;
    std::unique_ptr<operations::AuditTrail> audit_;
    std::unique_ptr<operations::Engine> engine_;
};

TYPED_TEST_SUITE_P(EngineConformance);

TYPED_TEST_P(EngineConformance, what_a_capture_finds_is_in_the_store) {
    this->insert(1, 10);
    const auto operation = this->run(this->request_for(OperationType::Capture, query_for("source-port=1:4")));
    EXPECT_EQ(operation.status, OperationStatus::Completed);
    EXPECT_EQ(operation.counts.scanned, 10U);
    EXPECT_EQ(operation.counts.matched, 4U);
    EXPECT_EQ(this->flows_of(operation).size(), 4U);
    EXPECT_EQ(this->store().find(operation.id).value(), operation);
}

TYPED_TEST_P(EngineConformance, a_flush_keeps_what_became_of_every_flow) {
    this->insert(1, 10);
    auto request = this->request_for(OperationType::Flush, query_for("source-port=1:4"));
    request.protected_filters = {parse_flow_filter("source-port=4").value()};
    const auto operation = this->run(request);
    EXPECT_EQ(operation.status, OperationStatus::Completed);
    EXPECT_EQ(operation.counts.flushed, 3U);
    EXPECT_EQ(operation.counts.protected_flows, 1U);
    for (const auto& each : this->flows_of(operation)) {
        const bool spared = each.flow.original.source_port == 4;
        EXPECT_EQ(each.outcome, spared ? Outcome::Protected : Outcome::Flushed);
    }
    EXPECT_EQ(this->ports_left(), (std::vector<std::uint16_t>{4, 5, 6, 7, 8, 9, 10}));
}

TYPED_TEST_P(EngineConformance, exactly_what_another_operation_found_is_flushed) {
    this->insert(1, 3);
    const auto capture = this->run(this->request_for(OperationType::Capture, query_for("protocol=tcp")));
    this->insert(4, 5);
    auto request = this->request_for(OperationType::Flush, {});
    request.from_operation = capture.id;
    const auto flush = this->run(request);
    EXPECT_EQ(flush.counts.flushed, 3U);
    EXPECT_EQ(flush.query, capture.query) << "so that it can be told later why they were flushed";
    EXPECT_EQ(this->ports_left(), (std::vector<std::uint16_t>{4, 5}));
}

TYPED_TEST_P(EngineConformance, what_a_dry_run_found_can_be_flushed) {
    this->insert(1, 3);
    auto request = this->request_for(OperationType::Flush, query_for_all());
    request.dry_run = true;
    const auto preview = this->run(request);
    EXPECT_EQ(this->flows_of(preview).size(), 3U);
    request.dry_run = false;
    request.from_operation = preview.id;
    EXPECT_EQ(this->run(request).counts.flushed, 3U);
    EXPECT_TRUE(this->ports_left().empty());
}

TYPED_TEST_P(EngineConformance, a_flow_that_took_the_place_of_a_captured_one_is_left_alone) {
    this->insert(1, 2);
    const auto capture = this->run(this->request_for(OperationType::Capture, query_for_all()));
    EXPECT_EQ(this->run(this->request_for(OperationType::Flush, query_for("source-port=1"))).counts.flushed, 1U);
    this->insert(1, 1);
    auto request = this->request_for(OperationType::Flush, {});
    request.from_operation = capture.id;
    const auto flush = this->run(request);
    EXPECT_EQ(flush.counts.flushed, 1U);
    EXPECT_EQ(flush.counts.gone, 1U);
    EXPECT_EQ(this->ports_left(), std::vector<std::uint16_t>{1});
}

TYPED_TEST_P(EngineConformance, a_second_operation_on_an_endpoint_is_refused_with_the_id_of_the_first) {
    FlowOperation first;
    first.id = "the-first";
    first.endpoint = {"edge", "a", ""};
    const auto lock = operations::EndpointLock::acquire(this->folder_.path(""), first);
    ASSERT_TRUE(lock.has_value());
    const auto refused = this->engine_->start(this->request_for(OperationType::Capture, query_for_all()));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind, ErrorKind::Busy);
    EXPECT_NE(refused.error().message.find("operation the-first"), std::string::npos) << refused.error().message;
    auto elsewhere = this->request_for(OperationType::Capture, query_for_all());
    elsewhere.endpoint.availability_zone = "b";
    EXPECT_EQ(this->run(elsewhere).status, OperationStatus::Completed) << "other zones go on";
}

TYPED_TEST_P(EngineConformance, what_was_cut_is_settled_before_the_next_operation) {
    this->insert(1, 4);
    const auto captured = this->flows_of(this->run(this->request_for(OperationType::Capture, query_for_all())));
    FlowOperation cut;
    cut.id = "cut";
    cut.type = OperationType::Flush;
    cut.phase = OperationPhase::Flushing;
    cut.endpoint = {"edge", "a", ""};
    cut.requested_at = this->clock_.now();
    cut.counts.matched = 6;
    std::vector<FlowRow> rows;
    for (const auto& each : captured)
        rows.push_back({each.flow, {}});
    ASSERT_TRUE(this->store().begin(cut, {}).has_value());
    ASSERT_TRUE(this->store().append_pending("cut", rows).has_value());
    // One flow was deleted before the power failed.
    removed(this->table(), std::span{rows}.first(1));

    EXPECT_EQ(this->ports_left().size(), 3U) << "the next operation works";
    const auto settled = this->store().find("cut").value().value();
    EXPECT_EQ(settled.status, OperationStatus::CompletedWithErrors);
    EXPECT_EQ(settled.status_message, "Flow operation error");
    EXPECT_EQ(settled.counts.gone, 1U);
    EXPECT_EQ(settled.counts.failed, 5U) << "three are still there, and two never came to be ended";
    const auto flows = this->flows_of(settled);
    ASSERT_EQ(flows.size(), 4U);
    EXPECT_EQ(flows.front().outcome, Outcome::Gone);
    EXPECT_EQ(flows.back().outcome, Outcome::Failed);
    EXPECT_EQ(flows.back().error, ECANCELED);
}

REGISTER_TYPED_TEST_SUITE_P(EngineConformance, what_a_capture_finds_is_in_the_store,
                            a_flush_keeps_what_became_of_every_flow, exactly_what_another_operation_found_is_flushed,
                            what_a_dry_run_found_can_be_flushed,
                            a_flow_that_took_the_place_of_a_captured_one_is_left_alone,
                            a_second_operation_on_an_endpoint_is_refused_with_the_id_of_the_first,
                            what_was_cut_is_settled_before_the_next_operation);

}  // namespace headgate::testing
