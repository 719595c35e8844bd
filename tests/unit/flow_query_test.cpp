// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/flow_query.h"

#include <gtest/gtest.h>

#include <random>

#include "support/flow_builder.h"

namespace headgate {
namespace flow_query_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

constexpr Timestamp kNow{std::chrono::seconds{1'800'000'000}};

Verdict judged(const FlowQuery& query, const Flow& flow) {
    return judge(query, flow, {.now = kNow});
}

TEST(FlowQuery, one_matching_filter_is_enough) {
    auto query = query_for("source=10.0.1.2");
    query.filters.push_back(parse_flow_filter("destination-port=53").value());
    EXPECT_EQ(judged(query, tcp_flow().from("10.0.1.2")), Verdict::Match);
    EXPECT_EQ(judged(query, udp_flow().from("10.9.9.9").to("10.0.2.2", 53)), Verdict::Match);
    EXPECT_EQ(judged(query, udp_flow().from("10.9.9.9").to("10.0.2.2", 54)), Verdict::NoMatch);
}

TEST(FlowQuery, active_flows_are_all_but_the_closed_ones) {
    auto query = query_for_all();
    query.states = StateScope::Active;
    EXPECT_EQ(judged(query, tcp_flow().in_state(1)), Verdict::Match);
    EXPECT_EQ(judged(query, tcp_flow().in_state(3)), Verdict::Match);
    EXPECT_EQ(judged(query, tcp_flow().in_state(4)), Verdict::Match);
    for (const auto closed : {std::uint8_t{6}, std::uint8_t{7}, std::uint8_t{8}}) {
        EXPECT_EQ(judged(query, tcp_flow().in_state(closed)), Verdict::Closed);
    }
    EXPECT_EQ(judged(query, sctp_flow().in_state(7)), Verdict::Closed) << "SHUTDOWN_ACK_SENT";
    EXPECT_EQ(judged(query, sctp_flow().in_state(1)), Verdict::Closed);
}

TEST(FlowQuery, without_a_state_a_flow_matches_whatever_its_own) {
    for (const auto states : {std::optional<StateScope>{}, std::optional{StateScope::Any}}) {
        auto query = query_for_all();
        query.states = states;
        for (std::uint8_t state = 0; state <= 9; ++state) {
            EXPECT_EQ(judged(query, tcp_flow().in_state(state)), Verdict::Match);
            EXPECT_EQ(judged(query, sctp_flow().in_state(state)), Verdict::Match);
        }
        EXPECT_EQ(judged(query, udp_flow()), Verdict::Match);
    }
}

TEST(FlowQuery, a_closed_flow_that_would_not_match_anyway_is_not_reported_as_closed) {
    auto query = query_for("source=10.0.1.2");
    query.states = StateScope::Active;
    query.minimum_age = 300s;
    query.minimum_bytes = 10;
    const auto closed = [] { return tcp_flow().from("10.0.1.2").in_state(8).with_bytes(5, 5).started_at(kNow - 300s); };
    EXPECT_EQ(judged(query, closed()), Verdict::Closed);
    EXPECT_EQ(judged(query, closed().from("10.0.1.3")), Verdict::NoMatch);
    EXPECT_EQ(judged(query, closed().with_bytes(1, 1)), Verdict::NoMatch);
    EXPECT_EQ(judged(query, closed().started_at(kNow - 299s)), Verdict::NoMatch);
    EXPECT_EQ(judged(query, tcp_flow().from("10.0.1.2").in_state(8)), Verdict::NoMatch);
}

TEST(FlowQuery, the_words_for_states_are_understood) {
    for (const auto states :
         {StateScope::Active, StateScope::New, StateScope::Established, StateScope::Closed, StateScope::Any})
        EXPECT_EQ(parse_name_in_any_case<StateScope>(to_string(states)).value(), states);
    EXPECT_EQ(parse_name_in_any_case<StateScope>("any").value(), StateScope::Any);
    EXPECT_EQ(parse_name_in_any_case<StateScope>("OPEN").error().message,
              "\"OPEN\" is none of ACTIVE, NEW, ESTABLISHED, CLOSED and ANY");
}

TEST(FlowQuery, a_state_can_be_chosen) {
    auto query = query_for_all();
    query.states = StateScope::New;
    EXPECT_EQ(judged(query, tcp_flow().in_state(2)), Verdict::Match);
    EXPECT_EQ(judged(query, udp_flow()), Verdict::Match);
    EXPECT_EQ(judged(query, udp_flow().established()), Verdict::NoMatch);
    query.states = StateScope::Closed;
    EXPECT_EQ(judged(query, tcp_flow().in_state(7)), Verdict::Match);
    EXPECT_EQ(judged(query, tcp_flow().in_state(3)), Verdict::NoMatch);
}

TEST(FlowQuery, filters_look_at_the_original_addresses_by_default) {
    const Flow snat = tcp_flow().from("10.0.1.2", 1000).to("198.51.100.1", 443).leaving_as("192.0.2.1", 5000);
    const Flow dnat = tcp_flow().from("198.51.100.9", 1000).to("192.0.2.1", 443).redirected_to("10.0.2.2", 8443);
    auto by_inside = query_for("source=10.0.1.2");
    auto by_outside = query_for("source=192.0.2.1,source-port=5000");
    EXPECT_EQ(judged(by_inside, snat), Verdict::Match);
    EXPECT_EQ(judged(by_outside, snat), Verdict::NoMatch);
    by_inside.side = by_outside.side = MatchSide::Translated;
    EXPECT_EQ(judged(by_inside, snat), Verdict::NoMatch);
    EXPECT_EQ(judged(by_outside, snat), Verdict::Match);
    by_inside.side = by_outside.side = MatchSide::Any;
    EXPECT_EQ(judged(by_inside, snat), Verdict::Match);
    EXPECT_EQ(judged(by_outside, snat), Verdict::Match);

    auto to_server = query_for("destination=10.0.2.2,destination-port=8443");
    EXPECT_EQ(judged(to_server, dnat), Verdict::NoMatch);
    to_server.side = MatchSide::Translated;
    EXPECT_EQ(judged(to_server, dnat), Verdict::Match);
}

TEST(FlowQuery, both_directions_exchange_source_and_destination) {
    auto query = query_for("source=10.0.2.2,source-port=80");
    EXPECT_EQ(judged(query, tcp_flow().to("10.0.2.2", 80)), Verdict::NoMatch);
    query.direction = MatchDirection::Both;
    EXPECT_EQ(judged(query, tcp_flow().to("10.0.2.2", 80)), Verdict::Match);
    EXPECT_EQ(judged(query, tcp_flow().from("10.0.2.2", 80)), Verdict::Match);
    EXPECT_EQ(judged(query, tcp_flow().to("10.0.2.2", 81)), Verdict::NoMatch);
}

TEST(FlowQuery, zone_mark_and_bytes_stand_beside_the_filters) {
    auto query = query_for_all();
    query.zone = std::uint16_t{5};
    EXPECT_EQ(judged(query, tcp_flow().in_zone(5)), Verdict::Match);
    EXPECT_EQ(judged(query, tcp_flow()), Verdict::NoMatch);

    query = query_for_all();
    query.mark = MarkMatch{0x10, 0xF0};
    EXPECT_EQ(judged(query, tcp_flow().with_mark(0x13)), Verdict::Match);
    EXPECT_EQ(judged(query, tcp_flow().with_mark(0x23)), Verdict::NoMatch);

    query = query_for_all();
    query.minimum_bytes = 1000;
    EXPECT_EQ(judged(query, tcp_flow().with_bytes(400, 600)), Verdict::Match);
    EXPECT_EQ(judged(query, tcp_flow().with_bytes(400, 599)), Verdict::NoMatch);
    EXPECT_EQ(judged(query, tcp_flow()), Verdict::BytesUnknown);

    query = query_for_all();
    query.minimum_packets = 2;
    const auto one_packet_each_way = tcp_flow().with_bytes(40, 40);
    EXPECT_EQ(judged(query, one_packet_each_way), Verdict::Match);
    EXPECT_EQ(judged(query, tcp_flow()), Verdict::BytesUnknown);
    query.minimum_packets = 3;
    EXPECT_EQ(judged(query, one_packet_each_way), Verdict::NoMatch);
    query.minimum_packets = 2;
    query.minimum_bytes = 81;
    EXPECT_EQ(judged(query, one_packet_each_way), Verdict::NoMatch) << "both conditions hold";
}

TEST(FlowQuery, a_minimum_age_leaves_out_the_younger_ones) {
    auto query = query_for_all();
    query.minimum_age = 300s;
    EXPECT_EQ(judged(query, tcp_flow().started_at(kNow - 300s)), Verdict::Match);
    EXPECT_EQ(judged(query, tcp_flow().started_at(kNow - 299s)), Verdict::NoMatch);
    EXPECT_EQ(judged(query, tcp_flow().started_at(kNow + 10s)), Verdict::NoMatch);
}

TEST(FlowQuery, a_flow_without_a_time_stamp_is_as_old_as_time_stamps_are_known_to_be) {
    auto query = query_for_all();
    query.minimum_age = 300s;
    EXPECT_EQ(judge(query, tcp_flow(), {.now = kNow}), Verdict::AgeUnknown);
    EXPECT_EQ(judge(query, tcp_flow(), {.now = kNow, .timestamps_for = 300s}), Verdict::Match);
    EXPECT_EQ(judge(query, tcp_flow(), {.now = kNow, .timestamps_for = 299s}), Verdict::AgeUnknown);
    query.minimum_age = 0s;
    EXPECT_EQ(judge(query, tcp_flow(), {.now = kNow}), Verdict::Match);
}

TEST(FlowQuery, a_flow_whose_time_stamp_cannot_be_right_is_of_unknown_age) {
    auto query = query_for_all();
    query.minimum_age = 3600s;
    const auto judged_now = [&](Timestamp start) {
        return judge(query, tcp_flow().started_at(start), {.now = kNow, .up = 86400s, .timestamps_for = 86400s});
    };
    EXPECT_EQ(judged_now(kNow - 3600s), Verdict::Match);
    EXPECT_EQ(judged_now(kNow - 86400s), Verdict::Match);
    EXPECT_EQ(judged_now(kNow - 48h), Verdict::AgeUnknown) << "the clock has gone forward by days";
    EXPECT_EQ(judged_now(kNow + 48h), Verdict::AgeUnknown) << "the clock has gone back by days";
    query.minimum_age = 0s;
    EXPECT_EQ(judged_now(kNow + 48h), Verdict::Match) << "no age is asked for";
}

TEST(FlowQuery, a_flow_that_is_out_for_another_reason_is_not_counted_as_unknown) {
    auto query = query_for("source=10.0.1.2");
    query.minimum_age = 300s;
    query.minimum_bytes = 10;
    EXPECT_EQ(judged(query, tcp_flow().from("10.0.1.3")), Verdict::NoMatch);
    EXPECT_EQ(judged(query, tcp_flow().with_bytes(1, 1)), Verdict::NoMatch);
    EXPECT_EQ(judged(query, tcp_flow().started_at(kNow)), Verdict::NoMatch);
}

TEST(FlowQuery, takes_1_to_20_filters) {
    EXPECT_FALSE(validated(FlowQuery{}).has_value());
    auto query = query_for("protocol=tcp");
    query.filters.resize(20, query.filters.front());
    EXPECT_TRUE(validated(query).has_value());
    query.filters.resize(21, query.filters.front());
    EXPECT_EQ(validated(query).error().message, "21 filters; an operation takes 20 at most");
}

TEST(MarkMatch, is_a_value_with_or_without_a_mask) {
    EXPECT_EQ(parse_mark_match("5").value(), (MarkMatch{5, 0xFFFFFFFF}));
    EXPECT_EQ(parse_mark_match("0x10/0xF0").value(), (MarkMatch{0x10, 0xF0}));
    EXPECT_EQ(to_string(MarkMatch{0x10, 0xF0}), "0x10/0xf0");
    for (const auto* text : {"", "x", "0x", "-1", "4294967296", "1/", "/1", "0x100/0xff", "1/2/3"}) {
        EXPECT_FALSE(parse_mark_match(text).has_value()) << text;
    }
}

// A second implementation, as simple as possible: compares the prefix bit by bit.
bool naively_in(const std::optional<Prefix>& prefix, const Address& address) {
    if (!prefix) return true;
    if (prefix->address.family != address.family) return false;
    for (unsigned bit = 0; bit < prefix->length; ++bit) {
        const unsigned shift = 7 - bit % 8;
        if ((prefix->address.octets[bit / 8] >> shift & 1) != (address.octets[bit / 8] >> shift & 1)) return false;
    }
    return true;
}

bool naively_matches(const FlowFilter& filter, const Address& source, const Address& destination, Protocol protocol,
                     unsigned source_port, unsigned destination_port) {
    bool protocol_fits = filter.protocols.empty();
    for (const auto each : filter.protocols)
        protocol_fits = protocol_fits || each == protocol;
    const bool some_port = source_port != 0 || destination_port != 0;
    const bool ports =
        protocol == Protocol::Tcp || protocol == Protocol::Udp || (protocol == Protocol::Sctp && some_port);
    const auto port_fits = [&](const std::optional<PortRange>& range, unsigned port) {
        return !range || (ports && range->first <= port && port <= range->last);
    };
    return protocol_fits && naively_in(filter.source, source) && naively_in(filter.destination, destination) &&
           port_fits(filter.source_port, source_port) && port_fits(filter.destination_port, destination_port);
}

bool naively_judged(const FlowQuery& query, const Flow& flow) {
    bool matched = false;
    for (const auto& filter : query.filters) {
        const bool after = naively_in(filter.translated_source, flow.reply.destination) &&
                           naively_in(filter.translated_destination, flow.reply.source);
        const bool after_exchanged = naively_in(filter.translated_source, flow.reply.source) &&
                                     naively_in(filter.translated_destination, flow.reply.destination);
        for (const bool translated : {false, true}) {
            if (query.side == MatchSide::Original && translated) continue;
            if (query.side == MatchSide::Translated && !translated) continue;
            const Address& source = translated ? flow.reply.destination : flow.original.source;
            const Address& destination = translated ? flow.reply.source : flow.original.destination;
            const unsigned source_port = translated ? flow.reply.destination_port : flow.original.source_port;
            const unsigned destination_port = translated ? flow.reply.source_port : flow.original.destination_port;
            const auto protocol = flow.original.protocol;
            matched |= after && naively_matches(filter, source, destination, protocol, source_port, destination_port);
            if (query.direction == MatchDirection::Both) {
                matched |= after_exchanged &&
                           naively_matches(filter, destination, source, protocol, destination_port, source_port);
            }
        }
    }
    return matched;
}

class RandomFlows {
  public:
    Address address(Family family) {
        // Few distinct addresses, so that prefixes often match.
        Address address{family, {}};
        address.octets[0] = family == Family::Ipv4 ? 10 : 0x20;
        address.octets[address_octets(family) - 1] = pick(8);
        address.octets[address_octets(family) - 2] = pick(4);
        return address;
    }
    Family family() { return pick(2) == 0 ? Family::Ipv4 : Family::Ipv6; }
    Protocol protocol() {
        constexpr std::array kSome{Protocol::Tcp, Protocol::Udp, Protocol::Sctp, Protocol::Icmp, Protocol::Gre};
        return kSome[pick(kSome.size())];
    }
    Flow flow() {
        const Family chosen = family();
        Flow flow;
        flow.original = {address(chosen), address(chosen), protocol(), port(), port()};
        flow.reply = swapped(flow.original);
        if (pick(3) == 0) flow.reply.destination = address(chosen);
        if (pick(3) == 0) flow.reply.source = address(chosen);
        if (pick(3) == 0) flow.reply.destination_port = port();
        return flow;
    }
    FlowFilter filter() {
        FlowFilter filter;
        const Family chosen = family();
        if (pick(2) == 0) filter.source = prefix(chosen);
        if (pick(2) == 0) filter.destination = prefix(chosen);
        if (pick(2) == 0) filter.source_port = range();
        if (pick(2) == 0) filter.destination_port = range();
        if (pick(4) == 0) filter.translated_source = prefix(chosen);
        if (pick(4) == 0) filter.translated_destination = prefix(chosen);
        for (auto count = pick(3); count > 0; --count)
            filter.protocols.push_back(protocol());
        return filter;
    }
    FlowQuery query() {
        FlowQuery query;
        for (auto count = 1 + pick(3); count > 0; --count)
            query.filters.push_back(filter());
        query.side = static_cast<MatchSide>(pick(3));
        query.direction = static_cast<MatchDirection>(pick(2));
        return query;
    }

  private:
    std::uint8_t pick(std::size_t below) { return static_cast<std::uint8_t>(random_() % below); }
    std::uint16_t port() { return pick(6); }
    PortRange range() {
        const auto first = port();
        return {first, static_cast<std::uint16_t>(first + pick(3))};
    }
    Prefix prefix(Family chosen) {
        const auto bits = address_bits(chosen);
        const auto length = bits - pick(12);
        return parse_prefix_of(address(chosen), length);
    }
    static Prefix parse_prefix_of(Address address, unsigned length) {
        for (unsigned bit = length; bit < address_bits(address.family); ++bit) {
            address.octets[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
        }
        return {address, static_cast<std::uint8_t>(length)};
    }

    std::mt19937 random_{20261121};
};

TEST(FlowQuery, agrees_with_a_naive_reference_over_random_flows_and_queries) {
    RandomFlows random;
    unsigned matches = 0;
    for (int i = 0; i < 200'000; ++i) {
        const FlowQuery query = random.query();
        const Flow flow = random.flow();
        const bool expected = naively_judged(query, flow);
        matches += expected ? 1 : 0;
        ASSERT_EQ(matches_filters(query, flow.original, flow.reply), expected) << to_string(query.filters.front());
        ASSERT_TRUE(!expected || may_match_filters(query, flow.original)) << to_string(query.filters.front());
    }
    EXPECT_GT(matches, 1000U);
}

}  // namespace flow_query_test
}  // namespace headgate
