// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/scan_plan.h"

#include <gtest/gtest.h>

#include "support/flow_builder.h"

namespace headgate::conntrack {
namespace scan_plan_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

constexpr auto kFullTuple = "source=10.0.1.2,source-port=4711,destination=10.0.2.2,destination-port=80,protocol=tcp";
constexpr TableFacts kSmall{{6, 18}, 1000};
constexpr TableFacts kLarge{{6, 18}, 1'000'000};

TEST(ScanPlan, dumps_when_a_filter_leaves_part_of_the_tuple_open) {
    for (const auto* filter :
         {"source=10.0.1.2", "source=10.0.1.2,source-port=4711,destination=10.0.2.2,destination-port=80",
          "source=10.0.1.2,source-port=4711,destination=10.0.2.2,destination-port=80:81,protocol=tcp",
          "source=10.0.1.2,source-port=4711,destination=10.0.2.0/24,destination-port=80,protocol=tcp"}) {
        EXPECT_EQ(plan_scan(query_for(filter), kLarge).method, ScanPlan::Method::Dump) << filter;
    }
    auto one_of_two = query_for(kFullTuple);
    one_of_two.filters.push_back(parse_flow_filter("protocol=udp").value());
    EXPECT_EQ(plan_scan(one_of_two, kLarge).method, ScanPlan::Method::Dump);
}

TEST(ScanPlan, looks_up_full_tuples_in_the_zone_that_is_named) {
    auto query = query_for(kFullTuple);
    query.zone = std::uint16_t{0};
    const auto plan = plan_scan(query, kSmall);
    EXPECT_EQ(plan.method, ScanPlan::Method::Lookup);
    EXPECT_EQ(plan.lookups.zones, std::vector<std::uint16_t>{0});
    EXPECT_EQ(plan.lookups.tuples, std::vector<FlowTuple>{tcp_flow().from("10.0.1.2", 4711).to("10.0.2.2", 80)});
}

TEST(ScanPlan, looks_in_zone_0_too_where_a_zone_may_hold_in_one_direction_only) {
    auto query = query_for(kFullTuple);
    query.zone = std::uint16_t{7};
    EXPECT_EQ(plan_scan(query, kSmall).lookups.zones, (std::vector<std::uint16_t>{7, 0}));
}

TEST(ScanPlan, looks_in_every_zone_when_none_is_named_unless_a_dump_is_cheaper) {
    EXPECT_EQ(plan_scan(query_for(kFullTuple), kLarge).method, ScanPlan::Method::Lookup);
    EXPECT_EQ(plan_scan(query_for(kFullTuple), kLarge).lookups.count(), 65'536U);
    EXPECT_EQ(plan_scan(query_for(kFullTuple), kSmall).method, ScanPlan::Method::Dump);
    auto many = query_for(kFullTuple);
    many.filters.resize(20, many.filters.front());
    EXPECT_EQ(plan_scan(many, kLarge).method, ScanPlan::Method::Dump);
}

TEST(ScanPlan, names_each_pair_of_a_tuple_and_a_zone_once) {
    const FlowTuple one = tcp_flow().from_port(1);
    const FlowTuple two = tcp_flow().from_port(2);
    const Lookups in_two_zones{{one, two}, {7, 0}};
    std::vector<Candidate> named;
    for (std::uint64_t i = 0; i < in_two_zones.count(); ++i)
        named.push_back(in_two_zones.at(i));
    EXPECT_EQ(named, (std::vector<Candidate>{{one, 7}, {two, 7}, {one, 0}, {two, 0}}));
    const Lookups everywhere{{one, two}, {}};
    EXPECT_EQ(everywhere.count(), 131'072U);
    EXPECT_EQ(everywhere.at(0), (Candidate{one, 0}));
    EXPECT_EQ(everywhere.at(131'071), (Candidate{two, 65'535}));
}

TEST(ScanPlan, looks_up_the_reply_tuple_for_translated_addresses_and_both_for_both_directions) {
    const FlowTuple tuple = tcp_flow().from("10.0.1.2", 4711).to("10.0.2.2", 80);
    auto query = query_for(kFullTuple);
    query.zone = std::uint16_t{0};
    query.side = MatchSide::Translated;
    EXPECT_EQ(plan_scan(query, kSmall).lookups.tuples, std::vector<FlowTuple>{swapped(tuple)});
    query.side = MatchSide::Any;
    EXPECT_EQ(plan_scan(query, kSmall).lookups.tuples, (std::vector<FlowTuple>{tuple, swapped(tuple)}));
    query.side = MatchSide::Original;
    query.direction = MatchDirection::Both;
    EXPECT_EQ(plan_scan(query, kSmall).lookups.tuples, (std::vector<FlowTuple>{tuple, swapped(tuple)}));
}

TEST(ScanPlan, never_pushes_an_address_or_a_port_down) {
    const auto plan = plan_scan(query_for("source=2001:db8::/64,destination-port=443,protocol=tcp"), kLarge);
    KernelFilter expected;
    expected.family = Family::Ipv6;
    expected.protocol = Protocol::Tcp;
    EXPECT_EQ(plan.candidate, expected);
}

TEST(ScanPlan, pushes_down_only_what_every_filter_agrees_on) {
    auto query = query_for("source=10.0.1.0/24,protocol=tcp");
    query.filters.push_back(parse_flow_filter("destination=10.0.2.0/24,protocol=udp").value());
    KernelFilter family_only;
    family_only.family = Family::Ipv4;
    EXPECT_EQ(plan_scan(query, kLarge).candidate, family_only);
    query.filters.push_back(parse_flow_filter("protocol=tcp").value());
    EXPECT_TRUE(plan_scan(query, kLarge).candidate.empty());
}

TEST(ScanPlan, pushes_a_protocol_down_only_with_a_family) {
    EXPECT_TRUE(plan_scan(query_for("protocol=tcp"), kLarge).candidate.empty());
}

TEST(ScanPlan, pushes_a_zone_down_from_6_8_on) {
    auto query = query_for_all();
    query.zone = std::uint16_t{5};
    EXPECT_EQ(plan_scan(query, {{6, 8}, 1'000'000}).candidate.zone, std::uint16_t{5});
    EXPECT_TRUE(plan_scan(query, {{6, 1}, 1'000'000}).candidate.empty());
}

TEST(ScanPlan, reads_states_from_the_status_bits_only_where_they_are_there) {
    auto query = query_for("protocol=udp");
    query.states = StateScope::Established;
    EXPECT_EQ(plan_scan(query, kLarge).candidate.status, (StatusMatch{2, 2}));
    query.states = StateScope::New;
    EXPECT_EQ(plan_scan(query, kLarge).candidate.status, (StatusMatch{0, 2}));
    query = query_for("protocol=tcp");
    query.states = StateScope::Established;
    EXPECT_FALSE(plan_scan(query, kLarge).candidate.status.has_value());
}

TEST(ScanPlan, leaves_small_tables_unfiltered) {
    EXPECT_TRUE(plan_scan(query_for("source=10.0.1.0/24"), kSmall).candidate.empty());
}

/// Of a host whose hash may be walked from 50,000 entries on.
TableFacts walkable(std::uint64_t entries, std::uint64_t entries_of_host) {
    return {{6, 18}, entries, entries_of_host, 50'000};
}

TEST(ScanPlan, walks_the_hash_where_it_has_enough_entries) {
    using enum ScanPlan::Method;
    const auto query = query_for("source=10.0.1.0/24");
    EXPECT_EQ(plan_scan(query, walkable(50'000, 50'000)).method, Walk);
    EXPECT_EQ(plan_scan(query, walkable(49'999, 49'999)).method, Dump);
    EXPECT_EQ(plan_scan(query, walkable(10, 50'000)).method, Walk) << "a dump walks the entries of all namespaces, too";
    EXPECT_EQ(plan_scan(query, kLarge).method, Dump) << "no walk is possible";
    EXPECT_EQ(describe(plan_scan(query, walkable(50'000, 50'000))),
              "walk of the hash in the kernel: a filter leaves part of the tuple open");
}

TEST(ScanPlan, dumps_all_flows_unless_most_entries_are_those_of_other_namespaces) {
    using enum ScanPlan::Method;
    auto query = query_for_all();
    query.states = StateScope::Active;
    EXPECT_EQ(plan_scan(query, walkable(1'000'000, 1'000'000)).method, Dump);
    EXPECT_EQ(plan_scan(query, walkable(1'000, 1'000'000)).method, Walk);
    query.states = StateScope::Closed;
    EXPECT_EQ(plan_scan(query, walkable(1'000'000, 1'000'000)).method, Walk);
    query = query_for_all();
    query.minimum_age = 5min;
    EXPECT_EQ(plan_scan(query, walkable(1'000'000, 1'000'000)).method, Walk);
}

TEST(ScanPlan, walks_for_all_flows_where_they_need_not_be_looked_up) {
    auto facts = walkable(50'000, 50'000);
    facts.may_trust_rows = true;
    EXPECT_EQ(plan_scan(query_for_all(), facts).method, ScanPlan::Method::Walk);
    facts.entries = facts.entries_of_host = 49'999;
    EXPECT_EQ(plan_scan(query_for_all(), facts).method, ScanPlan::Method::Dump);
}

TEST(ScanPlan, looks_a_tuple_up_in_every_zone_only_where_a_walk_takes_longer) {
    using enum ScanPlan::Method;
    EXPECT_EQ(plan_scan(query_for(kFullTuple), walkable(1'000'000, 1'000'000)).method, Walk);
    EXPECT_EQ(plan_scan(query_for(kFullTuple), walkable(2'000'000, 2'000'000)).method, Lookup);
    auto query = query_for(kFullTuple);
    query.zone = std::uint16_t{0};
    EXPECT_EQ(plan_scan(query, walkable(1'000'000, 1'000'000)).method, Lookup);
}

TEST(ScanPlan, of_a_walk_has_the_dump_to_fall_back_on) {
    const auto plan = plan_scan(query_for("source=10.0.1.0/24,protocol=tcp"), walkable(1'000'000, 1'000'000));
    EXPECT_TRUE(plan.worth_a_sample);
    EXPECT_EQ(plan.candidate.protocol, Protocol::Tcp);
}

KernelFilter of_family(Family family) {
    KernelFilter filter;
    filter.family = family;
    return filter;
}

DumpSample sample_of(std::uint64_t rows, std::uint64_t passing, std::uint64_t ipv4, std::chrono::nanoseconds piece) {
    return {rows, passing, ipv4, piece};
}

using Dumps = std::vector<KernelFilter>;

TEST(Dumps, are_filtered_when_enough_rows_pass) {
    const auto candidate = of_family(Family::Ipv4);
    const Dumps filtered{candidate};
    const Dumps whole{KernelFilter{}};
    EXPECT_EQ(choose_dumps(candidate, sample_of(4000, 2000, 2000, 300us)), filtered);
    EXPECT_EQ(choose_dumps(candidate, sample_of(4000, 3200, 3200, 300us)), filtered);
    EXPECT_EQ(choose_dumps(candidate, sample_of(4000, 3950, 3950, 300us)), whole) << "spares too little";
    EXPECT_EQ(choose_dumps(candidate, sample_of(4000, 300, 300, 10us)), whole) << "too few pass to promise anything";
    EXPECT_EQ(choose_dumps(candidate, sample_of(4000, 2000, 2000, 1100us)), whole)
        << "others' entries make even an unfiltered piece slow";
    EXPECT_EQ(choose_dumps(candidate, sample_of(100, 50, 50, 300us)), whole) << "too small a sample";
}

TEST(Dumps, run_side_by_side_for_the_families_where_both_are_common) {
    const Dumps both{of_family(Family::Ipv4), of_family(Family::Ipv6)};
    const Dumps whole{KernelFilter{}};
    EXPECT_EQ(choose_dumps({}, sample_of(4000, 4000, 3000, 200us)), both);
    EXPECT_EQ(choose_dumps({}, sample_of(4000, 4000, 3900, 200us)), whole) << "hardly any IPv6";
    EXPECT_EQ(choose_dumps({}, sample_of(4000, 4000, 300, 200us)), whole) << "hardly any IPv4";
    EXPECT_EQ(choose_dumps({}, sample_of(0, 0, 0, 0us)), whole);
}

TEST(KernelVersion, is_read_from_a_release) {
    EXPECT_EQ(parse_kernel_version("6.1.0-41-amd64"), (KernelVersion{6, 1}));
    EXPECT_EQ(parse_kernel_version("6.18.44"), (KernelVersion{6, 18}));
    EXPECT_LT(parse_kernel_version("6.8-rc1"), (KernelVersion{6, 18}));
    EXPECT_EQ(parse_kernel_version("linux"), KernelVersion{});
}

}  // namespace scan_plan_test
}  // namespace headgate::conntrack
