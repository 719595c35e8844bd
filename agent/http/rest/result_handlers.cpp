// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/rest/result_handlers.h"

#include <algorithm>
#include <array>
#include <memory>

#include "flow/flow_csv.h"
#include "flow/flow_json.h"
#include "http/content_negotiation.h"
#include "http/problem.h"
#include "http/rest/parameters.h"
#include "operations/results_json.h"

namespace headgate::http {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kNdjson = "application/x-ndjson";
constexpr std::string_view kCsv = "text/csv";
constexpr std::array kForms{kJson, kNdjson, kCsv};

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

/// A format for a list of flows.
class FlowForm {
  public:
    virtual ~FlowForm() = default;
    virtual void begin(fmt::memory_buffer& /*out*/) {}
    virtual void row(fmt::memory_buffer& out, const StoredFlow& row) = 0;
    virtual void end(fmt::memory_buffer& /*out*/) {}
};

/// The same document as `headgate operations results ID --json` prints.
class JsonForm final : public FlowForm {
  public:
    JsonForm(FlowOperation operation, std::string next_cursor)
        : operation_(std::move(operation)), next_cursor_(std::move(next_cursor)) {}

    void begin(fmt::memory_buffer& out) override { document_.begin(out, operation_); }
    void row(fmt::memory_buffer& out, const StoredFlow& row) override { document_.flow(out, row); }
    void end(fmt::memory_buffer& out) override { document_.end(out, operation_, next_cursor_); }

  private:
    FlowOperation operation_;
    std::string next_cursor_;
    operations::ResultsJson document_;
};

class NdjsonForm final : public FlowForm {
  public:
    explicit NdjsonForm(const Moment& moment) : moment_(moment) {}

    void row(fmt::memory_buffer& out, const StoredFlow& row) override {
        append_flow_json(out, row, moment_);
        out.push_back('\n');
    }

  private:
    Moment moment_;
};

class CsvForm final : public FlowForm {
  public:
    explicit CsvForm(const Moment& moment) : moment_(moment) {}

    void begin(fmt::memory_buffer& out) override { append_flow_csv_header(out); }
    void row(fmt::memory_buffer& out, const StoredFlow& row) override { append_flow_csv(out, row, moment_); }

  private:
    Moment moment_;
};

std::shared_ptr<FlowForm> form_of(std::string_view type, const FlowOperation& operation, const Page& page) {
    if (type == kNdjson) return std::make_shared<NdjsonForm>(moment_of(operation));
    if (type == kCsv) return std::make_shared<CsvForm>(moment_of(operation));
    return std::make_shared<JsonForm>(operation, page.next_cursor);
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
    auto listed = operations.for_each_flow(id, page.first, [&](std::span<const StoredFlow> flows) -> Result<void> {
        const auto wanted = flows.first(std::min<std::uint64_t>(left, flows.size()));
        left -= wanted.size();
        taken = take(wanted);
        if (taken && left == 0) return refused("the page is full");
        return taken;
    });
    return taken && left == 0 ? taken : listed;
}

Result<void> send_flows(const Page& page, gateway::FlowOperations& operations, const std::string& id, FlowForm& form,
                        const BodySink& send) {
    fmt::memory_buffer out;
    const auto send_gathered = [&] {
        auto sent = send({out.data(), out.size()});
        out.clear();
        return sent;
    };
    form.begin(out);
    RETURN_IF_ERROR(for_each_of(page, operations, id, [&](std::span<const StoredFlow> flows) -> Result<void> {
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

Response show_results(const Request& request, gateway::FlowOperations& operations) {
    const auto type = preferred_type(request.header("Accept"), kForms);
    if (!type) return problem(406, "Accept: there are application/json, application/x-ndjson and text/csv");
    const auto operation = operations.find(id_of(request));
    if (!operation) return problem_of(operation.error());
    const auto page = read_page(operations, request);
    if (!page) return problem_of(page.error());
    if (!kind_of(operation->type).has_early_flows && operation->status == OperationStatus::InProgress) {
        return problem(
            409, fmt::format("operation {} is in progress: its flows are available when it has ended", operation->id));
    }
    Response answer;
    answer.content_type = *type == kCsv ? "text/csv; charset=utf-8; header=present" : *type;
    answer.headers.emplace_back("Vary", "Accept");
    if (!page->next_cursor.empty() && *type != kJson) answer.headers.emplace_back("X-Next-Cursor", page->next_cursor);
    answer.stream = [&operations, id = operation->id, page = *page, form = form_of(*type, *operation, *page)](
                        const BodySink& send) { return send_flows(page, operations, id, *form, send); };
    return answer;
}

}  // namespace headgate::http
