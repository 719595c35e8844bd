// SPDX-License-Identifier: GPL-2.0-or-later
// The filter of the program in the kernel, decided by the program's own code.
#include "conntrack/walk/walk_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <span>

#include "conntrack/bpf/walk_match.h"
#include "support/flow_builder.h"
#include "support/walk_rows.h"

namespace headgate::conntrack {
namespace walk_filter_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

const Moment kNow{.now = Timestamp{500'000h}, .up = 1h};

bool passes(const FlowQuery& query, const Flow& flow) {
    const auto filter = compile_filter(query, kNow);
    const auto row = walked(flow);
    const std::span tests{filter->test, filter->tests};
    return meets_conditions(filter.get(), &row) != 0 &&
           std::ranges::any_of(tests, [&](const walk_test& test) { return passes_test(&test, &row) != 0; });
}

bool passes(std::string_view filter, const Flow& flow) {
    return passes(query_for(filter), flow);
}

TEST(WalkFilter, compares_prefixes_ports_and_protocols) {
    const auto flow = tcp_flow().from("10.0.1.2", 4711).to("10.0.2.2", 80);
    for (const auto* filter :
         {"source=10.0.1.2", "source=10.0.1.0/30", "destination=10.0.2.0/24", "source=0.0.0.0/0", "protocol=tcp",
          "source-port=4711", "source-port=4000:5000,destination-port=80", "protocol=udp,protocol=tcp"}) {
        EXPECT_TRUE(passes(filter, flow)) << filter;
    }
    for (const auto* filter :
         {"source=10.0.1.3", "source=10.0.1.4/30", "destination=10.0.1.2", "source=::/0", "protocol=udp",
          "source-port=4712", "source-port=1:4710", "source=10.0.1.2,destination-port=81"}) {
        EXPECT_FALSE(passes(filter, flow)) << filter;
    }
}

TEST(WalkFilter, compares_all_bits_of_an_ipv6_prefix) {
    const auto flow = udp_flow().from("2001:db8:1:2:3:4:5:6", 1).to("2001:db8::1", 53);
    EXPECT_TRUE(passes("source=2001:db8:1:2:3:4:5:6,destination=2001:db8::1", flow));
    EXPECT_TRUE(passes("source=2001:db8:1:2:3:4:5:4/126", flow));
    EXPECT_FALSE(passes("source=2001:db8:1:2:3:4:5:0/126", flow));
    EXPECT_FALSE(passes("destination=2001:db8::2", flow));
    EXPECT_FALSE(passes("source=0.0.0.0/0", flow));
}

TEST(WalkFilter, with_a_port_leaves_out_protocols_that_have_none) {
    EXPECT_FALSE(passes("destination-port=0:65535", icmp_flow()));
    EXPECT_FALSE(passes("destination-port=0:65535", FlowBuilder{Protocol::Gre}));
    EXPECT_TRUE(passes("destination-port=0:65535", sctp_flow()));
}

TEST(WalkFilter, looks_at_translated_addresses_in_the_reply) {
    const auto flow =
        tcp_flow().from("10.0.1.2", 1).to("192.0.2.9", 80).leaving_as("192.0.2.1", 7).redirected_to("10.0.2.2", 8080);
    EXPECT_TRUE(passes("translated-source=192.0.2.1,translated-destination=10.0.2.2", flow));
    EXPECT_FALSE(passes("translated-source=10.0.1.2", flow));
    auto query = query_for("source=192.0.2.1,source-port=7,destination=10.0.2.2,destination-port=8080");
    EXPECT_FALSE(passes(query, flow));
    query.side = MatchSide::Any;
    EXPECT_TRUE(passes(query, flow));
    query.side = MatchSide::Translated;
    EXPECT_TRUE(passes(query, flow));
    query = query_for("source=10.0.2.2,destination=192.0.2.1");
    query.side = MatchSide::Translated;
    EXPECT_FALSE(passes(query, flow));
    query.direction = MatchDirection::Both;
    EXPECT_TRUE(passes(query, flow));
}

TEST(WalkFilter, compares_mark_zone_and_state) {
    auto query = query_for_all();
    query.mark = MarkMatch{0x10, 0xF0};
    EXPECT_TRUE(passes(query, tcp_flow().with_mark(0x15)));
    EXPECT_FALSE(passes(query, tcp_flow().with_mark(0x20)));
    query = query_for_all();
    query.zone = std::uint16_t{7};
    EXPECT_TRUE(passes(query, tcp_flow().in_zone(7, ZoneDirection::Reply)));
    EXPECT_FALSE(passes(query, tcp_flow()));
    query = query_for_all();
    query.states = StateScope::Established;
    EXPECT_TRUE(passes(query, tcp_flow().established()));
    EXPECT_FALSE(passes(query, tcp_flow().established().in_state(7)));
    EXPECT_FALSE(passes(query, tcp_flow().in_state(1)));
    EXPECT_TRUE(passes(query, udp_flow().established()));
    EXPECT_FALSE(passes(query, udp_flow()));
    query.states = StateScope::Closed;
    EXPECT_TRUE(passes(query, sctp_flow().in_state(7)));
    EXPECT_FALSE(passes(query, sctp_flow().in_state(4)));
}

TEST(WalkFilter, leaves_out_closed_flows_only_where_they_are_not_to_be_counted) {
    auto query = query_for_all();
    query.states = StateScope::Active;
    EXPECT_TRUE(passes(query, tcp_flow().in_state(7)));
}

TEST(WalkFilter, leaves_out_flows_that_are_known_to_be_too_young) {
    auto query = query_for_all();
    query.minimum_age = 60s;
    const auto of_age = [](std::chrono::nanoseconds age) { return tcp_flow().started_at(kNow.now - age); };
    EXPECT_TRUE(passes(query, of_age(60s)));
    EXPECT_FALSE(passes(query, of_age(60s - 1us)));
    EXPECT_FALSE(passes(query, of_age(0s)));
    EXPECT_TRUE(passes(query, tcp_flow())) << "its age is unknown, and it is to be counted";
    query.minimum_age = 48h;
    EXPECT_TRUE(passes(query, of_age(2h))) << "before the machine was up: the clock was set, so the age is unknown";
    EXPECT_FALSE(passes(query, of_age(1h)));
}

TEST(WalkFilter, takes_an_operations_filters_and_no_more_than_the_program) {
    auto query = query_for("source=10.0.0.0/8");
    query.filters.resize(kMaxFilters, query.filters.front());
    query.direction = MatchDirection::Both;
    query.side = MatchSide::Any;
    EXPECT_EQ(compile_filter(query, kNow)->tests, 4 * kMaxFilters);
    query.filters.resize(WALK_MOST_TESTS, query.filters.front());
    EXPECT_EQ(compile_filter(query, kNow), nullptr);
}

/// Few values, so that filters and flows often meet.
class RandomCases {
  public:
    explicit RandomCases(unsigned seed) : random_(seed) {}

    Flow flow() {
        const bool v6 = one_of(2) == 0;
        FlowBuilder flow{protocol()};
        flow.from(address(v6), port()).to(address(v6), port());
        if (one_of(3) == 0) flow.leaving_as(address(v6), port());
        if (one_of(3) == 0) flow.redirected_to(address(v6), port());
        if (one_of(2) == 0) flow.established();
        flow.in_state(static_cast<std::uint8_t>(one_of(11)));  // conntrack has one of each entry that can have one
        if (one_of(2) == 0) flow.started_at(kNow.now - std::chrono::minutes{one_of(100)});
        flow.with_mark(one_of(4)).in_zone(static_cast<std::uint16_t>(one_of(3)));
        return flow;
    }

    FlowQuery query() {
        FlowQuery query;
        query.filters.resize(1 + one_of(3));
        std::ranges::generate(query.filters, [&] { return filter(); });
        query.side = MatchSide{static_cast<std::uint8_t>(one_of(3))};
        query.direction = one_of(2) == 0 ? MatchDirection::Both : MatchDirection::AsGiven;
        if (one_of(2) == 0) query.states = StateScope{static_cast<std::uint8_t>(one_of(5))};
        if (one_of(4) == 0) query.mark = MarkMatch{one_of(2), 1};
        if (one_of(4) == 0) query.zone = static_cast<std::uint16_t>(one_of(3));
        if (one_of(3) == 0) query.minimum_age = std::chrono::minutes{one_of(100)};
        return query;
    }

  private:
    unsigned one_of(unsigned count) { return std::uniform_int_distribution<unsigned>{0, count - 1}(random_); }
    std::uint16_t port() { return static_cast<std::uint16_t>(one_of(4) * 7); }
    std::string address(bool v6) { return fmt::format("{}{}", v6 ? "2001:db8::" : "10.0.0.", 1 + one_of(6)); }
    Protocol protocol() {
        constexpr Protocol kAll[] = {Protocol::Tcp, Protocol::Udp,  Protocol::Sctp, Protocol::Icmp,
                                     Protocol::Gre, Protocol::Dccp, Protocol{89}};
        return kAll[one_of(std::size(kAll))];
    }

    FlowFilter filter() {
        FlowFilter filter;
        const bool v6 = one_of(2) == 0;
        const auto maybe_prefix = [&](std::optional<Prefix>& prefix) {
            if (one_of(3) == 0)
                prefix = parse_prefix(fmt::format("{}{}", v6 ? "2001:db8::" : "10.0.0.",
                                                  one_of(2) == 0 ? (v6 ? "4/126" : "4/30") : "5"))
                             .value();
        };
        const auto maybe_ports = [&](std::optional<PortRange>& range) {
            if (one_of(4) == 0) range = PortRange{port(), 14};
        };
        maybe_prefix(filter.source);
        maybe_prefix(filter.destination);
        maybe_prefix(filter.translated_source);
        maybe_prefix(filter.translated_destination);
        maybe_ports(filter.source_port);
        maybe_ports(filter.destination_port);
        if (one_of(3) == 0) filter.protocols = {protocol(), protocol()};
        return filter;
    }

    std::minstd_rand random_;
};

TEST(WalkFilter, never_leaves_out_a_flow_that_matches_and_few_others_pass) {
    RandomCases cases{1};
    unsigned matching = 0;
    unsigned others = 0;
    for (int i = 0; i < 2000; ++i) {
        const auto query = cases.query();
        for (int j = 0; j < 20; ++j) {
            const Flow flow = cases.flow();
            const bool matches = judge(query, flow, kNow) != Verdict::NoMatch;
            const bool passed = passes(query, flow);
            ASSERT_TRUE(passed || !matches) << to_string(query.filters.front()) << " and " << query.filters.size() - 1
                                            << " others leave out a flow of " << to_string(flow.original.protocol);
            matching += matches ? 1 : 0;
            others += passed && !matches ? 1 : 0;
        }
    }
    EXPECT_GT(matching, 2000U);
    EXPECT_LT(others * 10, matching);
}

}  // namespace walk_filter_test
}  // namespace headgate::conntrack
