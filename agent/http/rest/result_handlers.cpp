// SPDX-License-Identifier: GPL-2.0-or-later
// The flows of an operation over HTTP, in any number: as JSON, NDJSON or CSV; and packed, for the command line.
#include <algorithm>
#include <array>
#include <functional>
#include <memory>

#include "flow/flow_csv.h"
#include "flow/flow_json.h"
#include "http/flow_blocks.h"
#include "http/problem.h"
#include "http/rest/handlers.h"
#include "http/rest/parameters.h"
#include "operations/results_json.h"

namespace headgate::http {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kNdjson = "application/x-ndjson";
constexpr std::string_view kCsv = "text/csv";
constexpr std::array kForms{kJson, kNdjson, kCsv, kFlowBlocks};

constexpr std::uint64_t kAllFlows = UINT64_MAX;
constexpr std::uint64_t kLargestPage = 1'000'000;
constexpr std::uint64_t kLastCursor = INT64_MAX - kLargestPage;  ///< the store numbers rows with signed 64-bit integers

/// In bytes. Large enough that a system call costs little in comparison; each slow client occupies that much memory.
constexpr std::size_t kPiece = 32UL * 1024;

/// A range of an operation's flows.
struct Page {
    std::uint64_t first = 0;
    std::uint64_t limit = kAllFlows;
    std::string next_cursor;  ///< empty: the last page
};

using FlowPart = std::function<void(fmt::memory_buffer& out)>;

/// A format for a list of flows.
struct FlowForm {
    FlowPart begin;
    std::function<void(fmt::memory_buffer& out, const FlowRow& row)> row;
    FlowPart end = [](fmt::memory_buffer& /*out*/) {};
};

/// The same document as `headgate operations results ID --json` prints.
FlowForm json_form(const FlowOperation& operation, const std::string& next_cursor) {
    const auto document = std::make_shared<operations::ResultsJson>();
    return {[=](auto& out) { document->begin(out, operation); },
            [=](auto& out, const auto& row) { document->flow(out, row); },
            [=](auto& out) { document->end(out, operation, next_cursor); }};
}

FlowForm form_of(std::string_view type, const FlowOperation& operation, const Page& page) {
    if (type == kJson) return json_form(operation, page.next_cursor);
    const auto moment = moment_of(operation);
    if (type == kCsv) {
        const auto verdicts = has_verdicts(operation) ? CsvVerdicts::Yes : CsvVerdicts::No;
        return {[=](auto& out) { append_flow_csv_header(out, verdicts); },
                [=](auto& out, const auto& row) { append_flow_csv(out, row, moment, verdicts); }};
    }
    return {[](auto& /*out*/) {},
            [=](auto& out, const auto& row) {
                append_flow_json(out, row, moment);
                out.push_back('\n');
            }};
}

Result<Page> read_page(gateway::FlowOperations& operations, const Request& request) {
    const auto first = number_of(request, "cursor", 0, 0, kLastCursor);
    if (!first)
        return invalid("cursor: \"{}\" does not come from an earlier answer", text_of(request, "cursor").value_or(""));
    ASSIGN_OR_RETURN(const auto limit, number_of(request, "limit", kAllFlows, 1, kLargestPage));
    Page page{*first, limit, {}};
    if (page.limit == kAllFlows) return page;
    const auto next = page.first + page.limit;
    ASSIGN_OR_RETURN(const auto behind, operations.flows(id_of(request), next, 1));
    if (!behind.empty()) page.next_cursor = fmt::format("{}", next);
    return page;
}

Result<void> for_each_of(const Page& page, gateway::FlowOperations& operations, const std::string& id,
                         const StoredFlowSink& take) {
    auto left = page.limit;
    Result<void> taken;
    auto listed = operations.for_each_flow(id, page.first, [&](std::span<const FlowRow> flows) -> Result<void> {
        const auto wanted = flows.first(std::min<std::uint64_t>(left, flows.size()));
        left -= wanted.size();
        taken = take(wanted);
        if (taken && left == 0) return refused("the page is full");
        return taken;
    });
    return taken && left == 0 ? taken : listed;
}

Result<void> send_flows(const Page& page, gateway::FlowOperations& operations, const std::string& id,
                        const FlowForm& form, const BodySink& send) {
    fmt::memory_buffer out;
    const auto send_gathered = [&] {
        auto sent = send({out.data(), out.size()});
        out.clear();
        return sent;
    };
    form.begin(out);
    RETURN_IF_ERROR(for_each_of(page, operations, id, [&](std::span<const FlowRow> flows) -> Result<void> {
        for (const auto& each : flows) {
            form.row(out, each);
            if (out.size() < kPiece) continue;
            RETURN_IF_ERROR(send_gathered());
        }
        return send_gathered();
    }));
    form.end(out);
    return send_gathered();
}

}  // namespace

Result<Response> show_results(const Request& request, gateway::FlowOperations& operations) {
    const auto type = preferred_type(request.header("Accept"), kForms);
    if (!type) return problem(406, "Accept: there are application/json, application/x-ndjson and text/csv");
    ASSIGN_OR_RETURN(const auto operation, operations.find(id_of(request)));
    ASSIGN_OR_RETURN(const auto page, read_page(operations, request));
    const bool is_packed = *type == kFlowBlocks;
    if (is_packed && page.limit != kAllFlows) return invalid("limit: {} has whole blocks of flows", kFlowBlocks);
    if (!kind_of(operation.type).has_early_flows && operation.status == OperationStatus::InProgress) {
        return refused("operation {} is in progress: its flows are available when it has ended", operation.id);
    }
    Response answer;
    answer.content_type = *type == kCsv ? "text/csv; charset=utf-8; header=present" : *type;
    answer.headers.emplace_back("Vary", "Accept");
    if (!page.next_cursor.empty() && *type != kJson) answer.headers.emplace_back("X-Next-Cursor", page.next_cursor);
    if (is_packed) {
        answer.stream = [&operations, id = operation.id, first = page.first](const BodySink& send) {
            return operations.for_each_block(id, first, [&](const auto& block) { return send_block(block, send); });
        };
        return answer;
    }
    answer.stream = [&operations, id = operation.id, page, form = form_of(*type, operation, page)](
                        const BodySink& send) { return send_flows(page, operations, id, form, send); };
    return answer;
}

}  // namespace headgate::http
