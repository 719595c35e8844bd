// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/flow_rows.h"

#include <algorithm>
#include <utility>

#include "operations/packed_bytes.h"
#include "operations/packed_verdict.h"

namespace headgate::operations {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHeader = 1 + sizeof(std::uint32_t);

/// Two IPv6 tuples and all optional parts take 171 bytes; an outcome takes less.
constexpr std::size_t kLongestRow = 192;
constexpr std::size_t kShortestRow = 17;  // IPv4, with addresses, protocol and id only
constexpr std::size_t kShortestOutcome = 1;

/// Some 60 KiB of memory.
constexpr std::uint64_t kRowsRead = 256;

using Writer = PackedWriter<kLongestRow>;
using Reader = PackedReader;

namespace tuple_part {
constexpr std::uint8_t kIpv6Source = 1U << 0U;
constexpr std::uint8_t kIpv6Destination = 1U << 1U;
constexpr std::uint8_t kPorts = 1U << 2U;
constexpr std::uint8_t kIcmp = 1U << 3U;
constexpr std::uint8_t kAll = 0x0F;
}  // namespace tuple_part

namespace row_part {
constexpr std::uint8_t kZoneDirection = 3U;  // two bits with the direction
constexpr std::uint8_t kZone = 1U << 2U;
constexpr std::uint8_t kReply = 1U << 3U;  // absent: the swapped original tuple
constexpr std::uint8_t kVerdict = 1U << 4U;
constexpr std::uint8_t kAll = 0x1F;
}  // namespace row_part

namespace condition_part {
constexpr std::uint8_t kMark = 1U << 0U;
constexpr std::uint8_t kTimeout = 1U << 1U;
constexpr std::uint8_t kProtocolState = 1U << 2U;
constexpr std::uint8_t kCountersOriginal = 1U << 3U;
constexpr std::uint8_t kCountersReply = 1U << 4U;
constexpr std::uint8_t kStarted = 1U << 5U;
constexpr std::uint8_t kStopped = 1U << 6U;
constexpr std::uint8_t kAll = 0x7F;
}  // namespace condition_part

namespace outcome_part {
constexpr std::uint8_t kOutcome = 7U;  // three bits: 0 for none, else the outcome plus one
constexpr std::uint8_t kError = 1U << 3U;
constexpr std::uint8_t kCondition = 1U << 4U;
constexpr std::uint8_t kAll = 0x1F;
}  // namespace outcome_part

template <typename... Args>
tl::unexpected<Error> damaged(fmt::format_string<Args...> format, Args&&... args) {
    return make_error(ErrorKind::Damaged, format, std::forward<Args>(args)...);
}

constexpr std::uint8_t part_if(bool present, std::uint8_t part) {
    return present ? part : std::uint8_t{0};
}

void pack_tuple(Writer& out, const FlowTuple& tuple) {
    const bool ports = tuple.source_port != 0 || tuple.destination_port != 0;
    const bool icmp = tuple.icmp_type != 0 || tuple.icmp_code != 0 || tuple.icmp_id != 0;
    out.octet(
        static_cast<std::uint8_t>(part_if(tuple.source.family == Family::Ipv6, tuple_part::kIpv6Source) |
                                  part_if(tuple.destination.family == Family::Ipv6, tuple_part::kIpv6Destination) |
                                  part_if(ports, tuple_part::kPorts) | part_if(icmp, tuple_part::kIcmp)));
    out.octet(static_cast<std::uint8_t>(tuple.protocol));
    out.address(tuple.source);
    out.address(tuple.destination);
    if (ports) {
        out.fixed(tuple.source_port);
        out.fixed(tuple.destination_port);
    }
    if (icmp) {
        out.octet(tuple.icmp_type);
        out.octet(tuple.icmp_code);
        out.fixed(tuple.icmp_id);
    }
}

FlowTuple unpack_tuple(Reader& in) {
    const std::uint8_t parts = in.octet();
    if ((parts & ~tuple_part::kAll) != 0) in.spoil();
    FlowTuple tuple;
    tuple.protocol = static_cast<Protocol>(in.octet());
    tuple.source = in.address((parts & tuple_part::kIpv6Source) != 0 ? Family::Ipv6 : Family::Ipv4);
    tuple.destination = in.address((parts & tuple_part::kIpv6Destination) != 0 ? Family::Ipv6 : Family::Ipv4);
    if ((parts & tuple_part::kPorts) != 0) {
        tuple.source_port = in.fixed<std::uint16_t>();
        tuple.destination_port = in.fixed<std::uint16_t>();
    }
    if ((parts & tuple_part::kIcmp) != 0) {
        tuple.icmp_type = in.octet();
        tuple.icmp_code = in.octet();
        tuple.icmp_id = in.fixed<std::uint16_t>();
    }
    return tuple;
}

void pack_counters(Writer& out, const std::optional<Counters>& counters) {
    if (!counters) return;
    out.number(counters->packets);
    out.number(counters->bytes);
}

std::optional<Counters> unpack_counters(Reader& in, bool present) {
    if (!present) return std::nullopt;
    Counters counters;
    counters.packets = in.number<std::uint64_t>();
    counters.bytes = in.number<std::uint64_t>();
    return counters;
}

void pack_time(Writer& out, const std::optional<Timestamp>& time) {
    if (time) out.fixed(static_cast<std::uint64_t>(time->time_since_epoch().count()));
}

std::optional<Timestamp> unpack_time(Reader& in, bool present) {
    if (!present) return std::nullopt;
    return Timestamp{std::chrono::nanoseconds{static_cast<std::int64_t>(in.fixed<std::uint64_t>())}};
}

/// The properties of a flow that can change.
void pack_condition(Writer& out, const Flow& flow) {
    namespace part = condition_part;
    out.octet(static_cast<std::uint8_t>(
        part_if(flow.mark.has_value(), part::kMark) | part_if(flow.timeout.has_value(), part::kTimeout) |
        part_if(flow.protocol_state.has_value(), part::kProtocolState) |
        part_if(flow.counters_original.has_value(), part::kCountersOriginal) |
        part_if(flow.counters_reply.has_value(), part::kCountersReply) |
        part_if(flow.started.has_value(), part::kStarted) | part_if(flow.stopped.has_value(), part::kStopped)));
    out.number(flow.status);
    if (flow.mark) out.number(*flow.mark);
    if (flow.timeout) out.number(static_cast<std::uint64_t>(flow.timeout->count()));
    if (flow.protocol_state) out.octet(*flow.protocol_state);
    pack_counters(out, flow.counters_original);
    pack_counters(out, flow.counters_reply);
    pack_time(out, flow.started);
    pack_time(out, flow.stopped);
}

void unpack_condition(Reader& in, Flow& flow) {
    const std::uint8_t parts = in.octet();
    if ((parts & ~condition_part::kAll) != 0) in.spoil();
    const auto has = [&](std::uint8_t part) { return (parts & part) != 0; };
    flow.status = in.number<std::uint32_t>();
    flow.mark.reset();
    if (has(condition_part::kMark)) flow.mark = in.number<std::uint32_t>();
    flow.timeout.reset();
    if (has(condition_part::kTimeout)) {
        flow.timeout = std::chrono::seconds{static_cast<std::int64_t>(in.number<std::uint64_t>())};
    }
    flow.protocol_state.reset();
    if (has(condition_part::kProtocolState)) flow.protocol_state = in.octet();
    flow.counters_original = unpack_counters(in, has(condition_part::kCountersOriginal));
    flow.counters_reply = unpack_counters(in, has(condition_part::kCountersReply));
    flow.started = unpack_time(in, has(condition_part::kStarted));
    flow.stopped = unpack_time(in, has(condition_part::kStopped));
}

void pack_flow(Writer& out, const FlowRow& row) {
    const auto& flow = row.flow;
    const bool plain = flow.reply == swapped(flow.original);
    out.octet(static_cast<std::uint8_t>(static_cast<std::uint8_t>(flow.zone_direction) |
                                        part_if(flow.zone != 0, row_part::kZone) | part_if(!plain, row_part::kReply) |
                                        part_if(static_cast<bool>(row.verdict), row_part::kVerdict)));
    pack_tuple(out, flow.original);
    if (!plain) pack_tuple(out, flow.reply);
    out.fixed(flow.id);
    if (flow.zone != 0) out.fixed(flow.zone);
    pack_condition(out, flow);
}

/// Returns whether the row goes on with a verdict.
bool unpack_flow(Reader& in, Flow& flow) {
    const std::uint8_t parts = in.octet();
    const std::uint8_t direction = parts & row_part::kZoneDirection;
    if ((parts & ~row_part::kAll) != 0 || direction > static_cast<std::uint8_t>(ZoneDirection::Reply)) in.spoil();
    flow.zone_direction = static_cast<ZoneDirection>(direction);
    flow.original = unpack_tuple(in);
    flow.reply = (parts & row_part::kReply) != 0 ? unpack_tuple(in) : swapped(flow.original);
    flow.id = in.fixed<std::uint32_t>();
    if ((parts & row_part::kZone) != 0) flow.zone = in.fixed<std::uint16_t>();
    unpack_condition(in, flow);
    return (parts & row_part::kVerdict) != 0;
}

/// Whether an outcome contains the flow's final condition, or that of the row still applies.
enum class Condition : std::uint8_t { AsInTheRow, AtTheEnd };

void pack_outcome(Writer& out, const Flow& flow, std::optional<Outcome> outcome, int error, Condition condition) {
    const unsigned number = outcome ? static_cast<unsigned>(*outcome) + 1 : 0;
    out.octet(static_cast<std::uint8_t>(number | part_if(error != 0, outcome_part::kError) |
                                        part_if(condition == Condition::AtTheEnd, outcome_part::kCondition)));
    if (error != 0) out.number(static_cast<std::uint32_t>(error));
    if (condition == Condition::AtTheEnd) pack_condition(out, flow);
}

void unpack_outcome(Reader& in, FlowRow& stored) {
    const std::uint8_t parts = in.octet();
    const std::uint8_t number = parts & outcome_part::kOutcome;
    if ((parts & ~outcome_part::kAll) != 0 || number > static_cast<std::uint8_t>(Outcome::Protected) + 1) in.spoil();
    stored.outcome.reset();
    if (number != 0) stored.outcome = static_cast<Outcome>(number - 1);
    stored.error = 0;
    if ((parts & outcome_part::kError) != 0) stored.error = static_cast<int>(in.number<std::uint32_t>());
    if ((parts & outcome_part::kCondition) != 0) unpack_condition(in, stored.flow);
}

template <std::size_t Capacity>
void append(PackedBytes& out, const PackedWriter<Capacity>& row) {
    if (out.empty()) out.resize(kHeader);
    out.insert(out.end(), row.bytes().begin(), row.bytes().end());
}

void write_header(PackedBytes& out, std::uint32_t count) {
    Writer header;
    header.octet(kVersion);
    header.fixed(count);
    if (out.empty()) out.resize(kHeader);
    std::ranges::copy(header.bytes(), out.begin());
}

/// Number of rows. Refuses more than the remaining bytes can hold.
Result<std::uint32_t> unpack_header(Reader& in, std::size_t shortest) {
    const std::uint8_t version = in.octet();
    const auto count = in.fixed<std::uint32_t>();
    if (!in.good()) return damaged("a block of flows is cut short");
    if (version != kVersion) return damaged("a block of flows has format {}, and {} is known", version, kVersion);
    if (count > in.left() / shortest)
        return damaged("a block of flows is damaged: {} rows in {} bytes", count, in.left());
    return count;
}

Result<void> judge(const Reader& in, std::uint32_t count) {
    if (!in.good()) return damaged("a block of {} flows is damaged", count);
    if (in.left() != 0) return damaged("a block of {} flows has {} bytes too many", count, in.left());
    return {};
}

Result<FlowBlockReader> reader_at(const PackedFlows& block, std::uint64_t row) {
    ASSIGN_OR_RETURN(auto reader, FlowBlockReader::open(block.rows, block.outcomes));
    if (reader.left() != block.count) return damaged("a block of {} flows has {} rows", block.count, reader.left());
    return reader.read(row - block.first).map([&](const auto&) { return reader; });
}

}  // namespace

void FlowBlock::add(const FlowRow& row) {
    Writer packed;
    pack_flow(packed, row);
    append(rows_, packed);
    if (row.verdict) add_verdict(row.verdict);
    Writer outcome;
    pack_outcome(outcome, row.flow, row.outcome, row.error, Condition::AsInTheRow);
    append(outcomes_, outcome);
    has_outcomes_ = has_outcomes_ || row.outcome || row.error != 0;
    ++count_;
}

void FlowBlock::add_verdict(const SharedVerdict& verdict) {
    const auto [known, is_new] = verdicts_.emplace(verdict.get(), verdicts_.size());
    PackedWriter<sizeof(std::uint64_t) + 2> number;
    number.number(known->second);
    append(rows_, number);
    if (!is_new) return;
    append_verdict(rows_, *verdict);
    kept_.push_back(verdict);
}

const PackedBytes& FlowBlock::rows() {
    write_header(rows_, count_);
    return rows_;
}

const PackedBytes& FlowBlock::outcomes() {
    write_header(outcomes_, count_);
    return outcomes_;
}

PackedBytes pack_endings(std::span<const FlowRow> endings) {
    PackedBytes packed;
    for (const auto& ending : endings) {
        Writer out;
        pack_outcome(out, ending.flow, ending.outcome, ending.error, Condition::AtTheEnd);
        append(packed, out);
    }
    write_header(packed, static_cast<std::uint32_t>(endings.size()));
    return packed;
}

Result<FlowBlockReader> FlowBlockReader::open(std::span<const std::byte> rows, std::span<const std::byte> outcomes) {
    Reader in{rows};
    ASSIGN_OR_RETURN(const auto count, unpack_header(in, kShortestRow));
    if (outcomes.empty()) return FlowBlockReader{in, std::nullopt, count};
    Reader ends{outcomes};
    ASSIGN_OR_RETURN(const auto ended, unpack_header(ends, kShortestOutcome));
    if (ended != count) return damaged("a block of {} flows has {} outcomes", count, ended);
    return FlowBlockReader{in, ends, count};
}

Result<std::vector<FlowRow>> FlowBlockReader::read(std::uint64_t count) {
    std::vector<FlowRow> flows(std::min<std::uint64_t>(count, left_));
    left_ -= static_cast<std::uint32_t>(flows.size());
    for (auto& flow : flows) {
        if (unpack_flow(rows_, flow.flow)) flow.verdict = read_shared_verdict();
        if (outcomes_) unpack_outcome(*outcomes_, flow);
    }
    const auto judge_part = [&](const Reader& in) {
        return left_ == 0 || !in.good() ? judge(in, count_) : Result<void>{};
    };
    RETURN_IF_ERROR(judge_part(rows_));
    RETURN_IF_ERROR(outcomes_ ? judge_part(*outcomes_) : Result<void>{});
    return flows;
}

SharedVerdict FlowBlockReader::read_shared_verdict() {
    const auto number = rows_.number<std::uint64_t>();
    if (number > verdicts_.size()) rows_.spoil();
    if (!rows_.good()) return {};
    if (number == verdicts_.size()) verdicts_.emplace_back(read_verdict(rows_));
    return verdicts_[number];
}

Result<std::vector<FlowRow>> unpack(std::span<const std::byte> rows, std::span<const std::byte> outcomes) {
    return FlowBlockReader::open(rows, outcomes).and_then([](FlowBlockReader&& reader) {
        return reader.read(reader.left());
    });
}

Result<std::vector<FlowRow>> unpack_from(const PackedFlows& block, std::uint64_t row, std::uint64_t count) {
    return reader_at(block, row).and_then([&](FlowBlockReader&& reader) { return reader.read(count); });
}

Result<void> for_each_from(const PackedFlows& block, std::uint64_t row, const StoredFlowSink& sink) {
    ASSIGN_OR_RETURN(auto reader, reader_at(block, row));
    while (reader.left() != 0) {
        ASSIGN_OR_RETURN(const auto flows, reader.read(kRowsRead));
        RETURN_IF_ERROR(sink(flows));
    }
    return {};
}

}  // namespace headgate::operations
