// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/scan_plan.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace headgate::conntrack {
namespace {

constexpr std::uint64_t kAllZones = 65'536;

/// Rows of a dump that cost as much as a failed lookup: slightly less than one. Rounded up, which favours the dump.
constexpr std::uint64_t kRowsPerLookup = 1;

/// Entries of the host that a walk passes in the time of one lookup.
constexpr std::uint64_t kWalkedPerLookup = 16;

/// A dump of any table walks the host's whole hash, so that this many lookups are always cheaper.
constexpr std::uint64_t kAlwaysWorthIt = 256;

bool can_be_looked_up(Protocol protocol) {
    // The protocols with ports that every kernel since 5.15 identifies by their ports.
    return protocol == Protocol::Tcp || protocol == Protocol::Udp || protocol == Protocol::Sctp;
}

bool names_full_tuples(const FlowFilter& filter) {
    return filter.source && filter.source->is_single_address() && filter.destination &&
           filter.destination->is_single_address() && filter.source_port && filter.source_port->is_single_port() &&
           filter.destination_port && filter.destination_port->is_single_port() && !filter.protocols.empty() &&
           std::ranges::all_of(filter.protocols, can_be_looked_up);
}

/// A lookup finds an entry by its original or its reply tuple (nf_conntrack_find_get): the given tuple finds flows that
/// match originally, and the swapped tuple flows that match translated or in the other direction.
std::vector<FlowTuple> tuples_to_look_up(const FlowQuery& query) {
    std::vector<FlowTuple> tuples;
    for (const auto& filter : query.filters) {
        for (const auto protocol : filter.protocols) {
            FlowTuple tuple;
            tuple.source = filter.source->address;
            tuple.destination = filter.destination->address;
            tuple.protocol = protocol;
            tuple.source_port = filter.source_port->first;
            tuple.destination_port = filter.destination_port->first;
            const bool as_original = query.side != MatchSide::Translated || query.direction == MatchDirection::Both;
            const bool as_reply = query.side != MatchSide::Original || query.direction == MatchDirection::Both;
            if (as_original) tuples.push_back(tuple);
            if (as_reply) tuples.push_back(swapped(tuple));
        }
    }
    return tuples;
}

/// The zones in which an entry of the wanted zone can be found. An entry whose zone applies to one direction only has
/// the other direction's tuple in zone 0 (nf_conntrack_zones.h, nf_ct_zone_id).
std::vector<std::uint16_t> zones_to_look_in(const std::optional<std::uint16_t>& wanted) {
    if (!wanted) return {};
    if (*wanted == 0) return {0};
    return {*wanted, 0};
}

/// The value on which all of a query's filters agree.
template <typename Part>
auto common(const FlowQuery& query, Part part) -> decltype(part(query.filters.front())) {
    const auto first = part(query.filters.front());
    const bool all = std::ranges::all_of(query.filters, [&](const auto& filter) { return part(filter) == first; });
    return all ? first : decltype(first){};
}

std::optional<Protocol> only_protocol_of(const FlowFilter& filter) {
    return filter.protocols.size() == 1 ? std::optional{filter.protocols.front()} : std::nullopt;
}

/// The status bits express the flow state only for protocols without a state machine of their own.
std::optional<StatusMatch> status_for(const FlowQuery& query) {
    const bool stateless = std::ranges::all_of(query.filters, [](const FlowFilter& filter) {
        return !filter.protocols.empty() && std::ranges::none_of(filter.protocols, has_protocol_state);
    });
    if (!stateless) return std::nullopt;
    if (query.states == StateScope::New) return StatusMatch{0, flow_status::kSeenReply};
    if (query.states == StateScope::Established) return StatusMatch{flow_status::kSeenReply, flow_status::kSeenReply};
    return std::nullopt;
}

/// Whether the program that walks the hash can tell nearly no flow that is out of scope.
bool leaves_nothing_out(const FlowQuery& query) {
    const auto states = query.states.value_or(StateScope::Any);
    const bool has_conditions = query.mark || query.zone || query.minimum_age.count() > 0 ||
                                (states != StateScope::Any && states != StateScope::Active);
    return !has_conditions && std::ranges::any_of(query.filters, &FlowFilter::matches_everything);
}

/// All flows are better walked, too, if they need not be looked up; and also a few flows beside many entries of other
/// namespaces: a dump walks those, too, and keeps softirqs off until it has found enough of its own.
bool is_worth_walking(const FlowQuery& query, const TableFacts& facts) {
    constexpr std::uint64_t kSparse = 3;
    if (!facts.walks_from || facts.entries_of_host < *facts.walks_from) return false;
    return facts.may_trust_rows || facts.entries * kSparse < facts.entries_of_host || !leaves_nothing_out(query);
}

KernelFilter candidate_for(const FlowQuery& query, KernelVersion kernel) {
    KernelFilter filter;
    filter.family = common(query, [](const FlowFilter& each) { return each.family(); });
    if (filter.family) filter.protocol = common(query, only_protocol_of);
    filter.mark = query.mark;
    filter.status = status_for(query);
    if (kernel >= KernelVersion{6, 8}) filter.zone = query.zone;
    return filter;
}

double share_of(std::uint64_t passing, const DumpSample& sample) {
    return sample.rows == 0 ? 0 : static_cast<double>(passing) / static_cast<double>(sample.rows);
}

bool spares_enough(std::uint64_t passing, const DumpSample& sample) {
    constexpr double kWorthIt = 0.95;
    return share_of(passing, sample) <= kWorthIt;
}

/// Filters that pass only rare rows are unsuitable: the fewer rows pass, the more rows the kernel examines for each
/// piece.
bool is_common(std::uint64_t passing, const DumpSample& sample) {
    constexpr double kNeverBelow = 0.1;
    return sample.rows >= kSampleRows / 2 && share_of(passing, sample) >= kNeverBelow;
}

std::string describe_filter(const KernelFilter& filter) {
    std::string text;
    const auto add = [&](std::string_view what, std::string_view value) {
        text.append(text.empty() ? "" : " ").append(what).append("=").append(value);
    };
    if (filter.family) add("family", to_string(*filter.family));
    if (filter.protocol) add("protocol", to_string(*filter.protocol));
    if (filter.mark) add("mark", to_string(*filter.mark));
    if (filter.status) add("status", fmt::format("{:#x}/{:#x}", filter.status->value, filter.status->mask));
    if (filter.zone) add("zone", fmt::format("{}", *filter.zone));
    return text;
}

}  // namespace

KernelVersion parse_kernel_version(std::string_view release) {
    const auto number = [&] {
        const auto digits = release.substr(0, release.find_first_not_of("0123456789"));
        release.remove_prefix(std::min(release.size(), digits.size() + 1));
        return parse_unsigned<unsigned>(digits);
    };
    const auto major = number();
    const auto minor = number();
    return major && minor ? KernelVersion{*major, *minor} : KernelVersion{};
}

bool KernelFilter::passes(const Flow& flow) const noexcept {
    if (family && flow.original.source.family != *family) return false;
    if (protocol && flow.original.protocol != *protocol) return false;
    if (mark && (flow.mark.value_or(0) & mark->mask) != mark->value) return false;
    if (status && (flow.status & status->mask) != status->value) return false;
    return !zone || flow.zone == *zone;
}

std::uint64_t Lookups::count() const noexcept {
    return tuples.size() * (zones.empty() ? kAllZones : zones.size());
}

Candidate Lookups::at(std::uint64_t index) const {
    const std::uint64_t zone = index / tuples.size();
    return {tuples[index % tuples.size()], zones.empty() ? static_cast<std::uint16_t>(zone) : zones[zone]};
}

ScanPlan plan_scan(const FlowQuery& query, const TableFacts& facts) {
    ScanPlan plan;
    const bool walks = is_worth_walking(query, facts);
    if (walks) plan.method = ScanPlan::Method::Walk;
    if (std::ranges::all_of(query.filters, names_full_tuples)) {
        const Lookups lookups{tuples_to_look_up(query), zones_to_look_in(query.zone)};
        const auto count = lookups.count();
        const auto costs = count * (walks ? kWalkedPerLookup : kRowsPerLookup);
        const auto entries = walks ? facts.entries_of_host : facts.entries;
        if (count <= kAlwaysWorthIt || costs <= entries) {
            plan.method = ScanPlan::Method::Lookup;
            plan.lookups = lookups;
            plan.reason = "every filter names a full tuple";
            return plan;
        }
        plan.reason =
            fmt::format("{} lookups would cost more than a {} of {} entries", count, walks ? "walk" : "table", entries);
    } else {
        plan.reason = "a filter leaves part of the tuple open";
    }
    plan.worth_a_sample = facts.entries >= kSampleFrom;
    if (plan.worth_a_sample) plan.candidate = candidate_for(query, facts.kernel);
    return plan;
}

std::vector<KernelFilter> choose_dumps(const KernelFilter& candidate, const DumpSample& sample) {
    if (sample.typical_piece > kLongestPause) return {KernelFilter{}};  // the hash is full of other namespaces' entries
    if (!candidate.empty() && spares_enough(sample.passing, sample) && is_common(sample.passing, sample)) {
        return {candidate};
    }
    const bool one_family = candidate.family.has_value();
    if (!one_family && is_common(sample.ipv4, sample) && is_common(sample.rows - sample.ipv4, sample)) {
        KernelFilter ipv4;
        ipv4.family = Family::Ipv4;
        KernelFilter ipv6;
        ipv6.family = Family::Ipv6;
        return {ipv4, ipv6};
    }
    return {KernelFilter{}};
}

std::string describe(const std::vector<KernelFilter>& dumps) {
    if (dumps.size() == 1 && dumps.front().empty()) return "one dump, not filtered";
    std::string text;
    for (const auto& dump : dumps)
        text.append(text.empty() ? "" : ", beside it ").append(describe_filter(dump));
    return fmt::format("the kernel filters: {}", text);
}

std::string describe(const ScanPlan& plan) {
    if (plan.method == ScanPlan::Method::Lookup) {
        const auto& [tuples, zones] = plan.lookups;
        const auto where = zones.empty() ? "all zones" : fmt::format("zone {}", fmt::join(zones, " and "));
        return fmt::format("lookup of {} tuple{} in {}: {}", tuples.size(), tuples.size() == 1 ? "" : "s", where,
                           plan.reason);
    }
    if (plan.method == ScanPlan::Method::Walk) return fmt::format("{}: {}", kHashWalk, plan.reason);
    const auto filter = plan.candidate.empty() ? std::string{}
                                               : fmt::format(", filtered by the kernel ({}) if enough flows pass",
                                                             describe_filter(plan.candidate));
    return fmt::format("{}{}: {}", kFullScan, filter, plan.reason);
}

}  // namespace headgate::conntrack
