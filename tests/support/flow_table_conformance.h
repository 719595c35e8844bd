// SPDX-License-Identifier: GPL-2.0-or-later
// Requirements on every FlowTable. Instantiated with the in-memory table (unit tests) and the kernel's (kernel tests),
// so that the two behave alike.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "support/flow_builder.h"
#include "support/insert_flows.h"
#include "support/remove_flows.h"
#include "support/scan_collector.h"

namespace headgate::testing {

/// `Environment` has `FlowTable& table()` with an empty table, and `std::string reason_to_skip()`.
template <typename Environment>
class FlowTableConformance : public ::testing::Test {
  protected:
    void SetUp() override {
        if (const auto reason = environment_.reason_to_skip(); !reason.empty()) GTEST_SKIP() << reason;
    }

    void insert(const std::vector<Flow>& flows) { ASSERT_TRUE(inserted(environment_.table(), flows)); }

    std::vector<FlowRow> scan(const FlowQuery& query) {
        ScanCollector collector;
        const auto report = environment_.table().scan(query, now(), collector);
        EXPECT_TRUE(report.has_value()) << (report ? "" : report.error().message);
        if (report) {
            EXPECT_EQ(report->matched, collector.rows.size());
            said_empty_ = report->empty_table;
        }
        return collector.rows;
    }

    std::vector<FlowRow> remove(const std::vector<FlowRow>& rows, const Confirmation& confirm = unconditionally) {
        return removed(environment_.table(), rows, confirm);
    }

    static Moment now() {
        return {.now = std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now())};
    }

    /// A table may identify flows by tuple, zone and start time instead.
    static constexpr bool kComparesIds = !requires { Environment::kIgnoresIds; };

    Environment environment_;
    bool said_empty_ = false;  ///< by the last scan
};

TYPED_TEST_SUITE_P(FlowTableConformance);

TYPED_TEST_P(FlowTableConformance, an_empty_table_has_no_rows) {
    EXPECT_TRUE(this->scan(query_for_all()).empty());
    EXPECT_TRUE(this->said_empty_);
    EXPECT_TRUE(this->scan(query_for("destination-port=80")).empty());
    EXPECT_TRUE(this->said_empty_);
    EXPECT_EQ(this->environment_.table().usage()->in_use, 0U);
}

TYPED_TEST_P(FlowTableConformance, a_flow_comes_back_as_it_was_inserted) {
    const std::vector<Flow> flows{
        tcp_flow().from("10.0.1.2", 4711).to("10.0.2.2", 80).established().with_mark(5),
        udp_flow().from("2001:db8:1::2", 5353).to("2001:db8:2::2", 53).in_zone(7),
        icmp_flow().from("10.0.1.2").to("10.0.2.2"),
        icmpv6_flow(),
        tcp_flow().from("10.0.1.3", 4712).to("192.0.2.1", 443).established().redirected_to("10.0.2.2", 8443),
        tcp_flow().from("10.0.1.4", 4713).to("10.0.2.2", 443).established().leaving_as("192.0.2.9", 61000),
        sctp_flow().from("10.0.1.5", 4714).to("10.0.2.2", 443).in_state(4).leaving_as("192.0.2.9", 61001),
        icmp_flow().from("10.0.1.6").to("10.0.2.2").leaving_as("192.0.2.9", 4242),
    };
    this->insert(flows);
    const auto rows = this->scan(query_for_all());
    ASSERT_EQ(rows.size(), flows.size());
    for (const auto& flow : flows) {
        const auto found = std::ranges::find(rows, flow.original, [](const auto& row) { return row.flow.original; });
        ASSERT_NE(found, rows.end());
        EXPECT_EQ(found->flow.reply, flow.reply);
        EXPECT_EQ(found->flow.zone, flow.zone);
        EXPECT_EQ(found->flow.mark, flow.mark);
        EXPECT_EQ(found->flow.protocol_state, flow.protocol_state);
        EXPECT_EQ(state(found->flow), state(flow));
        EXPECT_NE(found->flow.id, 0U);
    }
}

TYPED_TEST_P(FlowTableConformance, inserting_tells_of_each_flow_in_order_whether_it_was_there) {
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= 300; ++port)
        flows.push_back(tcp_flow().from_port(port));
    this->insert({flows[0], flows[150], flows[299]});
    std::vector<std::uint16_t> already_there;
    std::size_t told = 0;
    const auto done = this->environment_.table().insert(flows, [&](const Flow& flow, Insertion result, int error) {
        EXPECT_EQ(flow.original, flows[told++].original);
        EXPECT_EQ(error, result == Insertion::Exists ? EEXIST : 0);
        if (result == Insertion::Exists) already_there.push_back(flow.original.source_port);
    });
    ASSERT_TRUE(done.has_value()) << done.error().message;
    EXPECT_EQ(told, 300U);
    EXPECT_EQ(already_there, (std::vector<std::uint16_t>{1, 151, 300}));
    EXPECT_EQ(this->scan(query_for_all()).size(), 300U);
}

TYPED_TEST_P(FlowTableConformance, only_matching_flows_are_reported) {
    this->insert({tcp_flow().to_port(80).established(), tcp_flow().to_port(81).established(), udp_flow().to_port(80)});
    const auto rows = this->scan(query_for("destination-port=80,protocol=tcp"));
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(rows.front().flow.original.destination_port, 80);
    EXPECT_TRUE(this->scan(query_for("destination-port=82")).empty());
    EXPECT_FALSE(this->said_empty_);
}

TYPED_TEST_P(FlowTableConformance, closed_flows_are_counted_beside_active_ones_and_reported_otherwise) {
    this->insert({tcp_flow().in_state(3), tcp_flow().from_port(2).in_state(7), sctp_flow().from_port(3).in_state(7),
                  udp_flow()});
    const auto told = [&](std::optional<StateScope> states) {
        auto query = query_for_all();
        query.states = states;
        ScanCollector collector;
        const auto report = this->environment_.table().scan(query, this->now(), collector);
        return std::pair{report.value().matched, report.value().closed};
    };
    using Told = std::pair<std::uint64_t, std::uint64_t>;
    EXPECT_EQ(told(StateScope::Active), (Told{2, 2}));
    EXPECT_EQ(told(StateScope::Closed), (Told{2, 0}));
    EXPECT_EQ(told(StateScope::Established), (Told{1, 0}));
    EXPECT_EQ(told(StateScope::New), (Told{1, 0}));
    EXPECT_EQ(told(StateScope::Any), (Told{4, 0}));
    EXPECT_EQ(told(std::nullopt), (Told{4, 0}));
}

TYPED_TEST_P(FlowTableConformance, a_full_tuple_is_found_in_whatever_zone_it_is) {
    this->insert({tcp_flow().from("10.0.1.2", 1).to("10.0.2.2", 2).in_zone(4000)});
    const auto query = query_for("source=10.0.1.2,source-port=1,destination=10.0.2.2,destination-port=2,protocol=tcp");
    EXPECT_EQ(this->scan(query).size(), 1U);
    auto in_zone = query;
    in_zone.zone = std::uint16_t{4000};
    EXPECT_EQ(this->scan(in_zone).size(), 1U);
    in_zone.zone = std::uint16_t{0};
    EXPECT_TRUE(this->scan(in_zone).empty());
}

TYPED_TEST_P(FlowTableConformance, a_full_tuple_finds_translated_and_reversed_flows_when_asked) {
    this->insert({tcp_flow().from("10.0.1.4", 4713).to("10.0.2.2", 443).leaving_as("192.0.2.9", 61000)});
    auto query = query_for("source=192.0.2.9,source-port=61000,destination=10.0.2.2,destination-port=443,protocol=tcp");
    query.zone = std::uint16_t{0};
    EXPECT_TRUE(this->scan(query).empty());
    query.side = MatchSide::Translated;
    EXPECT_EQ(this->scan(query).size(), 1U);
    auto reversed =
        query_for("source=10.0.2.2,source-port=443,destination=10.0.1.4,destination-port=4713,protocol=tcp");
    reversed.zone = std::uint16_t{0};
    EXPECT_TRUE(this->scan(reversed).empty());
    reversed.direction = MatchDirection::Both;
    EXPECT_EQ(this->scan(reversed).size(), 1U);
}

TYPED_TEST_P(FlowTableConformance, removing_ends_exactly_the_rows_given_in_their_order) {
    std::vector<Flow> flows;
    for (std::uint16_t port = 1; port <= 300; ++port)
        flows.push_back(tcp_flow().from_port(port).established());
    this->insert(flows);
    auto rows = this->scan(query_for("source-port=101:300"));
    ASSERT_EQ(rows.size(), 200U);
    const auto endings = this->remove(rows);
    ASSERT_EQ(endings.size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(endings[i].outcome, Outcome::Flushed);
        EXPECT_EQ(endings[i].flow.original, rows[i].flow.original);
        EXPECT_EQ(protocol_state_name(endings[i].flow), "ESTABLISHED");
    }
    EXPECT_EQ(this->scan(query_for_all()).size(), 100U);
}

TYPED_TEST_P(FlowTableConformance, a_flow_that_ended_by_itself_is_gone) {
    this->insert({tcp_flow().from_port(1), tcp_flow().from_port(2), tcp_flow().from_port(3)});
    const auto rows = this->scan(query_for("source-port=2"));
    this->remove(rows);
    const auto endings = this->remove(rows);
    ASSERT_EQ(endings.size(), 1U);
    EXPECT_EQ(endings.front().outcome, Outcome::Gone);
    EXPECT_EQ(endings.front().error, 0);
    EXPECT_EQ(this->scan(query_for_all()).size(), 2U);
}

TYPED_TEST_P(FlowTableConformance, a_new_flow_on_a_reused_tuple_survives) {
    this->insert({tcp_flow().from_port(1).in_zone(3), tcp_flow().from_port(2)});
    const auto before = this->scan(query_for_all());
    for (const auto& ending : this->remove(before))
        EXPECT_EQ(ending.outcome, Outcome::Flushed);
    // Insert at once, so that the kernel reuses the same memory and thus the same id.
    this->insert({tcp_flow().from_port(2), tcp_flow().from_port(1).in_zone(3)});
    for (const auto& ending : this->remove(before))
        EXPECT_EQ(ending.outcome, Outcome::Gone);
    EXPECT_EQ(this->scan(query_for_all()).size(), 2U);
}

TYPED_TEST_P(FlowTableConformance, a_flow_that_is_not_confirmed_is_gone_for_the_flush_and_survives) {
    this->insert({tcp_flow().from_port(1).with_mark(5), tcp_flow().from_port(2).with_mark(6)});
    const auto endings = this->remove(this->scan(query_for_all()), [](const Flow& flow) { return flow.mark == 6U; });
    ASSERT_EQ(endings.size(), 2U);
    for (const auto& ending : endings)
        EXPECT_EQ(ending.outcome, ending.flow.mark == 6U ? Outcome::Flushed : Outcome::Gone);
    const auto left = this->scan(query_for_all());
    ASSERT_EQ(left.size(), 1U);
    EXPECT_EQ(left.front().flow.original.source_port, 1);
}

TYPED_TEST_P(FlowTableConformance, a_flow_is_confirmed_as_it_is_now) {
    this->insert({tcp_flow().established()});
    auto rows = this->scan(query_for_all());
    ASSERT_EQ(rows.size(), 1U);
    rows.front().flow.protocol_state = std::uint8_t{1};
    std::optional<std::string_view> seen;
    this->remove(rows, [&](const Flow& flow) {
        seen = protocol_state_name(flow);
        return true;
    });
    EXPECT_EQ(seen, "ESTABLISHED");
}

TYPED_TEST_P(FlowTableConformance, a_flow_is_named_by_tuple_zone_and_id) {
    this->insert({tcp_flow().from_port(1).in_zone(5), icmpv6_flow().in_zone(6, ZoneDirection::Original),
                  udp_flow().from_port(3).in_zone(7, ZoneDirection::Reply)});
    const auto rows = this->scan(query_for_all());
    ASSERT_EQ(rows.size(), 3U);
    auto stale = rows;
    for (auto& row : stale)
        ++row.flow.id;
    if (!TestFixture::kComparesIds) stale.clear();
    for (const auto& ending : this->remove(stale))
        EXPECT_EQ(ending.outcome, Outcome::Gone);
    for (const auto& ending : this->remove(rows))
        EXPECT_EQ(ending.outcome, Outcome::Flushed);
    EXPECT_TRUE(this->scan(query_for_all()).empty());
}

TYPED_TEST_P(FlowTableConformance, a_lookup_reports_what_exists_and_changes_nothing) {
    this->insert({tcp_flow().from_port(1), tcp_flow().from_port(2).in_zone(4)});
    auto rows = this->scan(query_for_all());
    ASSERT_EQ(rows.size(), 2U);
    this->remove({rows[0]});
    std::vector<Presence> found;
    ASSERT_TRUE(this->environment_.table()
                    .look_up(rows, [&](const Flow&, Presence presence) { found.push_back(presence); })
                    .has_value());
    EXPECT_EQ(found, (std::vector{Presence::Gone, Presence::There}));
    EXPECT_EQ(this->scan(query_for_all()).size(), 1U);
}

TYPED_TEST_P(FlowTableConformance, an_error_of_the_listener_ends_the_scan_with_it) {
    this->insert({tcp_flow()});
    ScanCollector collector;
    collector.after_block = []() -> Result<void> { return refused("enough"); };
    const auto report = this->environment_.table().scan(query_for_all(), this->now(), collector);
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().message, "enough");
}

REGISTER_TYPED_TEST_SUITE_P(
    FlowTableConformance, an_empty_table_has_no_rows, a_flow_comes_back_as_it_was_inserted,
    inserting_tells_of_each_flow_in_order_whether_it_was_there, only_matching_flows_are_reported,
    closed_flows_are_counted_beside_active_ones_and_reported_otherwise, a_full_tuple_is_found_in_whatever_zone_it_is,
    a_full_tuple_finds_translated_and_reversed_flows_when_asked, removing_ends_exactly_the_rows_given_in_their_order,
    a_flow_that_ended_by_itself_is_gone, a_new_flow_on_a_reused_tuple_survives,
    a_flow_that_is_not_confirmed_is_gone_for_the_flush_and_survives, a_flow_is_confirmed_as_it_is_now,
    a_flow_is_named_by_tuple_zone_and_id, a_lookup_reports_what_exists_and_changes_nothing,
    an_error_of_the_listener_ends_the_scan_with_it);

}  // namespace headgate::testing
