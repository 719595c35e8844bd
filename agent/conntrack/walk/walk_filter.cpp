// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/walk/walk_filter.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

#include "conntrack/walk/walk_row.h"

namespace headgate::conntrack {
namespace {

/// What one tuple must have.
struct TupleScope {
    std::optional<Prefix> source, destination;
    std::optional<PortRange> source_port, destination_port;
};

TupleScope swapped(const TupleScope& scope) {
    return {scope.destination, scope.source, scope.destination_port, scope.source_port};
}

void require(walk_tuple_test& test, const std::optional<Prefix>& prefix, std::size_t offset) {
    if (!prefix) return;
    TupleOctets value = octets_of(test.value);
    TupleOctets mask = octets_of(test.mask);
    for (unsigned bit = 0; bit < prefix->length; ++bit)
        mask.at(offset + bit / 8) |= static_cast<std::uint8_t>(0x80U >> (bit % 8));
    std::ranges::copy(prefix->address.octets, value.begin() + static_cast<std::ptrdiff_t>(offset));
    put_family(value, prefix->address.family);
    mask.at(kFamilyOffset) = mask.at(kFamilyOffset + 1) = 0xFF;
    test.value = tuple_of(value);
    test.mask = tuple_of(mask);
}

walk_tuple_test test_of(const TupleScope& scope) {
    walk_tuple_test test{};
    require(test, scope.source, kSourceOffset);
    require(test, scope.destination, kDestinationOffset);
    const auto source = scope.source_port.value_or(PortRange{});
    const auto destination = scope.destination_port.value_or(PortRange{});
    test.first_source_port = source.first;
    test.last_source_port = source.last;
    test.first_destination_port = destination.first;
    test.last_destination_port = destination.last;
    return test;
}

void set_protocols(walk_test& test, const FlowFilter& filter) {
    const bool with_ports = filter.source_port || filter.destination_port;
    for (unsigned number = 0; number <= 0xFF; ++number) {
        const Protocol protocol{static_cast<std::uint8_t>(number)};
        const bool named = filter.protocols.empty() || std::ranges::count(filter.protocols, protocol) != 0;
        if (named && (!with_ports || has_ports(protocol))) test.protocols[number / 64] |= 1ULL << (number % 64);
    }
}

/// A reply's source is the translated destination. Of two prefixes for the same address, the program gets one.
void add_tests(std::vector<walk_test>& tests, const FlowFilter& filter, MatchSide side) {
    const auto add = [&](const TupleScope& original, const TupleScope& reply) {
        walk_test test{test_of(original), test_of(reply), {}};
        set_protocols(test, filter);
        tests.push_back(test);
    };
    const TupleScope named{filter.source, filter.destination, filter.source_port, filter.destination_port};
    const TupleScope translated{filter.translated_source, filter.translated_destination, {}, {}};
    if (side != MatchSide::Translated) add(named, swapped(translated));
    if (side == MatchSide::Original) return;
    auto both = swapped(named);
    if (!both.source) both.source = filter.translated_destination;
    if (!both.destination) both.destination = filter.translated_source;
    add({}, both);
}

/// The filter with source and destination exchanged.
FlowFilter reversed(FlowFilter filter) {
    std::swap(filter.source, filter.destination);
    std::swap(filter.source_port, filter.destination_port);
    std::swap(filter.translated_source, filter.translated_destination);
    return filter;
}

/// Whether the query's states include this one. `replied`: whether a reply was seen.
bool has_in_scope(const FlowQuery& query, Protocol protocol, std::optional<std::uint8_t> protocol_state, bool replied) {
    FlowQuery states_alone;
    states_alone.filters = {FlowFilter{}};
    states_alone.states = query.states;
    Flow flow;
    flow.original.protocol = protocol;
    flow.protocol_state = protocol_state;
    flow.status = replied ? flow_status::kSeenReply : 0;
    return judge(states_alone, flow, Moment{}) != Verdict::NoMatch;
}

std::uint32_t states_in_scope(const FlowQuery& query, Protocol protocol) {
    std::uint32_t states = 0;
    for (std::uint8_t state = 0; state < 32; ++state) {
        const bool in_scope = has_in_scope(query, protocol, state, true) || has_in_scope(query, protocol, state, false);
        if (in_scope) states |= 1U << state;
    }
    return states;
}

/// The start times of flows that are known to be too young; age() tells in which cases an age is unknown.
void set_age(walk_filter& filter, std::chrono::seconds minimum, const Moment& moment) {
    using namespace std::chrono_literals;
    filter.first_young = 1;
    filter.last_young = 0;
    if (minimum <= 0s) return;
    const auto now = std::chrono::floor<std::chrono::microseconds>(moment.now);
    const auto longest = moment.up ? std::min(minimum, *moment.up + 1s) : minimum;
    const auto first =
        std::max<std::int64_t>(1, std::chrono::nanoseconds{(now - longest + 1us).time_since_epoch()}.count());
    filter.first_young = static_cast<std::uint64_t>(first);
    filter.last_young = static_cast<std::uint64_t>(std::chrono::nanoseconds{now.time_since_epoch()}.count());
}

}  // namespace

std::unique_ptr<walk_filter> compile_filter(const FlowQuery& query, const Moment& moment) {
    std::vector<walk_test> tests;
    for (const auto& filter : query.filters) {
        add_tests(tests, filter, query.side);
        if (query.direction == MatchDirection::Both) add_tests(tests, reversed(filter), query.side);
    }
    auto compiled = std::make_unique<walk_filter>();
    if (tests.size() > std::size(compiled->test)) return nullptr;
    compiled->tests = static_cast<std::uint32_t>(tests.size());
    std::ranges::copy(tests, std::begin(compiled->test));
    set_age(*compiled, query.minimum_age, moment);
    compiled->mark = query.mark.value_or(MarkMatch{0, 0}).value;
    compiled->mark_mask = query.mark.value_or(MarkMatch{0, 0}).mask;
    compiled->has_zone = query.zone ? 1 : 0;
    compiled->zone = query.zone.value_or(0);
    compiled->tcp_states = states_in_scope(query, Protocol::Tcp);
    compiled->sctp_states = states_in_scope(query, Protocol::Sctp);
    compiled->replies = (has_in_scope(query, Protocol::Udp, {}, false) ? 1U : 0U) |
                        (has_in_scope(query, Protocol::Udp, {}, true) ? 2U : 0U);
    return compiled;
}

}  // namespace headgate::conntrack
