// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/aws/flow_results.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "base/text.h"
#include "http/aws/flow_filters.h"
#include "http/aws/flow_operations.h"
#include "http/aws/next_token.h"
#include "http/aws/scope.h"
#include "http/aws/shape_writer.h"
#include "http/aws/shapes.h"

namespace headgate::http::aws {
namespace {

constexpr std::string_view kResultList = "results";

/// A flush may have many rows that are not listed, so they are scanned in blocks of this size.
constexpr std::size_t kRowsAtATime = 256;

struct ResultListing {
    OperationReference operation;
    std::uint64_t first = 0;  ///< row number within the operation
    std::int32_t page = kLargestPage;
};

struct ResultPage {
    std::vector<StoredFlow> flows;
    std::optional<std::uint64_t> next;  ///< first row of the next page
};

/// Parses `results:ID:ROW`; a token of another operation is refused.
Result<std::uint64_t> parse_row(std::string_view id, std::string_view token) {
    ASSIGN_OR_RETURN(const auto place, parse_next_token(kResultList, token));
    std::string_view row{place};
    const bool is_of_operation = take_until(row, ':') == id;
    const auto number = parse_unsigned<std::uint64_t>(row);
    if (is_of_operation && number) return *number;
    return invalid("not a token that the results of operation {} have given", id);
}

Result<ResultListing> read_result_listing(JsonReader& reader) {
    ResultListing listing;
    take_operation_reference(reader, listing.operation);
    reader.optional_parsed("NextToken", listing.first,
                           [&](std::string_view token) { return parse_row(listing.operation.id, token); });
    take_number(reader, "MaxResults", listing.page, 1, kLargestPage);
    return reader.finish().map([&] { return std::move(listing); });
}

bool has_results(const FlowOperation& operation) {
    return operation.status == OperationStatus::Completed || operation.status == OperationStatus::CompletedWithErrors;
}

bool is_result(const FlowOperation& operation, const StoredFlow& row) {
    return !kind_of(operation.type).has_outcomes || row.outcome == Outcome::Flushed;
}

/// Searches on for the first flow of the next page, so that NextToken is never followed by an empty page.
Result<ResultPage> read_page(gateway::FlowOperations& operations, const FlowOperation& operation,
                             const ResultListing& listing) {
    ResultPage page;
    if (!has_results(operation)) return page;
    const auto size = static_cast<std::size_t>(listing.page);
    for (auto row = listing.first;;) {
        ASSIGN_OR_RETURN(const auto rows, operations.flows(operation.id, row, kRowsAtATime));
        for (const auto& each : rows) {
            const bool is_listed = is_result(operation, each);
            if (is_listed && page.flows.size() == size) {
                page.next = row;
                return page;
            }
            if (is_listed) page.flows.push_back(each);
            ++row;
        }
        if (rows.size() < kRowsAtATime) return page;
    }
}

/// Sum of both directions, saturating; absent where the kernel counted neither.
std::optional<std::uint64_t> sum(const Flow& flow, std::uint64_t Counters::*counter) {
    if (!flow.counters_original && !flow.counters_reply) return std::nullopt;
    const auto there = flow.counters_original.value_or(Counters{}).*counter;
    const auto back = flow.counters_reply.value_or(Counters{}).*counter;
    return there > UINT64_MAX - back ? UINT64_MAX : there + back;
}

template <typename Stream>
Stream saturated(std::uint64_t value) {
    return static_cast<Stream>(std::min<std::uint64_t>(value, std::numeric_limits<Stream>::max()));
}

void add_flow(JsonMembers& members, const Flow& flow, const Moment& moment) {
    const auto& tuple = flow.original;
    add_address(members, "SourceAddress", to_string(tuple.source));
    add_address(members, "DestinationAddress", to_string(tuple.destination));
    if (has_ports(tuple)) {
        members.text("SourcePort", fmt::format("{}", tuple.source_port));
        members.text("DestinationPort", fmt::format("{}", tuple.destination_port));
    }
    members.text("Protocol", protocol_number(tuple.protocol));
    if (const auto lived = age(flow, moment)) {
        members.number("Age", saturated<std::int32_t>(static_cast<std::uint64_t>(lived->count())));
    }
    if (const auto packets = sum(flow, &Counters::packets)) {
        members.number("PacketCount", saturated<std::int32_t>(*packets));
    }
    if (const auto bytes = sum(flow, &Counters::bytes)) members.number("ByteCount", saturated<std::int64_t>(*bytes));
}

}  // namespace

Result<std::string> list_flow_operation_results(const Request& /*request*/, JsonReader& reader,
                                                gateway::Inventory& inventory, gateway::FlowOperations& operations) {
    ASSIGN_OR_RETURN(const auto listing, read_result_listing(reader));
    ASSIGN_OR_RETURN(const auto operation, find_operation(inventory, operations, listing.operation));
    ASSIGN_OR_RETURN(const auto page, read_page(operations, operation, listing));
    return json_of([&](JsonMembers& members) {
        add_operation(members, *inventory.configuration(), operation);
        members.objects("Flows", page.flows, [&](JsonMembers& flow, const StoredFlow& each) {
            add_flow(flow, each.flow, moment_of(operation));
        });
        if (page.next) {
            members.text("NextToken", next_token(kResultList, fmt::format("{}:{}", operation.id, *page.next)));
        }
    });
}

}  // namespace headgate::http::aws
