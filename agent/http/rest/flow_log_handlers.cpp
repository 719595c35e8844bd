// SPDX-License-Identifier: GPL-2.0-or-later
// The flow log over HTTP: flows that have ended, and flows that end while the client reads.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "headgate/flow_query.h"

#include "base/scalars.h"
#include "base/text.h"
#include "flow/flow_json.h"
#include "flowlog/recent_flow_buffer.h"
#include "gateway/whole_operation_id.h"
#include "http/problem.h"
#include "http/rest/event_stream.h"
#include "http/rest/handlers.h"
#include "http/rest/parameters.h"

namespace headgate::http {
namespace {

using gateway::EndedFlowQuery;

struct OfferedForm {
    std::string_view type;
    RecordForm form;
};
constexpr std::array kRecordForms{OfferedForm{"application/json", RecordForm::Json},
                                  OfferedForm{"application/x-ndjson", RecordForm::Ndjson},
                                  OfferedForm{kEventStream, RecordForm::Events}};
constexpr std::array kAllTypes{kRecordForms[0].type, kRecordForms[1].type, kRecordForms[2].type};
constexpr std::array kEndlessTypes{kRecordForms[1].type, kRecordForms[2].type};

Result<void> parse_reasons(const Request& request, EndedFlowQuery& query) {
    for (auto texts : texts_of(request, "reason")) {
        do {
            const auto reason = parse_name_in_any_case<EndReason>(take_until(texts, ','));
            if (!reason) return tl::unexpected(Error{reason.error()}.within("reason"));
            query.reasons.push_back(*reason);
        } while (!texts.empty());
    }
    return {};
}

Result<void> parse_filters(const Request& request, EndedFlowQuery& query) {
    for (const auto text : texts_of(request, "filter")) {
        auto filter = parse_flow_filter(text);
        if (!filter) return tl::unexpected(std::move(filter.error()).within("filter"));
        query.filters.push_back(std::move(*filter));
    }
    if (query.filters.size() > kMaxFilters) return invalid("filter: {} of them at most", kMaxFilters);
    return {};
}

void parse_firewalls(const Request& request, EndedFlowQuery& query) {
    const auto names = texts_of(request, "firewall");
    if (!names.empty()) query.firewalls.emplace(names.begin(), names.end());
}

Result<void> parse_origin(const Request& request, EndedFlowQuery& query) {
    query.user = text_of(request, "user");
    return parse_parameter(request, "operation", query.operation_id, gateway::parse_operation_id)
        .and_then([&] { return parse_parameter(request, "since", query.since, parse_rfc3339); })
        .and_then([&] { return parse_parameter(request, "until", query.until, parse_rfc3339); });
}

Result<void> parse_extent(const Request& request, EndedFlowQuery& query) {
    constexpr auto kMost = flowlog::RecentFlowBuffer::kKept;
    ASSIGN_OR_RETURN(const auto latest, number_of(request, "latest", kMost, 0, kMost));
    query.latest = latest;
    std::optional<bool> follow;
    auto parsed = parse_parameter(request, "follow", follow, parse_boolean);
    query.follow = follow.value_or(false);
    return parsed;
}

Result<EndedFlowQuery> read_query(const Request& request) {
    EndedFlowQuery query;
    parse_firewalls(request, query);
    return parse_reasons(request, query)
        .and_then([&] { return parse_filters(request, query); })
        .and_then([&] { return parse_origin(request, query); })
        .and_then([&] { return parse_extent(request, query); })
        .map([&] { return std::move(query); });
}

std::optional<OfferedForm> choose_form(const Request& request, bool follow) {
    const auto accept = request.header("Accept");
    const auto type = follow ? preferred_type(accept, kEndlessTypes) : preferred_type(accept, kAllTypes);
    if (!type) return std::nullopt;
    return *std::ranges::find(kRecordForms, *type, &OfferedForm::type);
}

using Clock = std::chrono::steady_clock;

/// In bytes. Large enough that a system call costs little in comparison; each slow client occupies that much memory.
constexpr std::size_t kRecordPiece = 16UL * 1024;

class RecordWriter {
  public:
    RecordWriter(RecordForm form, const RecordPace& pace, const BodySink& send)
        : form_(form), pace_(pace), send_(send) {
        if (form_ == RecordForm::Json) append(R"({"records":[)");
    }

    Result<void> record(std::string_view record) {
        switch (form_) {
            case RecordForm::Json:
                if (!std::exchange(is_first_, false)) append(",");
                append(record);
                break;
            case RecordForm::Ndjson:
                append(record);
                append("\n");
                break;
            case RecordForm::Events:
                append(server_sent_event("ended", record));
                break;
        }
        return out_.size() < kRecordPiece ? Result<void>{} : send_gathered();
    }

    /// Called when no further record is available for the moment.
    Result<void> pause() {
        if (out_.size() != 0 || !has_begun_) return send_gathered();
        if (form_ != RecordForm::Events || Clock::now() - sent_at_ < pace_.keep_alive) return {};
        append(server_sent_comment("no flow has ended"));
        return send_gathered();
    }

    Result<void> finish() {
        if (form_ == RecordForm::Json) append("]}");
        return send_gathered();
    }

  private:
    void append(std::string_view text) { out_.append(text); }

    Result<void> send_gathered() {
        has_begun_ = true;
        sent_at_ = Clock::now();
        auto sent = send_({out_.data(), out_.size()});
        out_.clear();
        return sent;
    }

    const RecordForm form_;
    const RecordPace pace_;
    const BodySink& send_;
    fmt::memory_buffer out_;
    bool is_first_ = true;
    bool has_begun_ = false;
    Clock::time_point sent_at_ = Clock::now();
};

}  // namespace

Result<void> send_records(gateway::EndedFlows& ended_flows, const gateway::EndedFlowQuery& query, RecordForm form,
                          const RecordPace& pace, const BodySink& send) {
    RecordWriter writer{form, pace, send};
    Result<void> sent;
    auto watched = query;
    watched.is_over = [&] {
        if (query.is_over()) return true;
        if (query.follow) sent = writer.pause();
        return !sent;
    };
    RETURN_IF_ERROR(
        ended_flows.for_each_ended(watched, [&](std::string_view record) { return writer.record(record); }));
    return sent ? writer.finish() : sent;
}

Result<Response> show_flow_log(const Request& request, gateway::EndedFlows& ended_flows) {
    ASSIGN_OR_RETURN(auto query, read_query(request));
    const auto form = choose_form(request, query.follow);
    if (!form) {
        return problem(406, query.follow ? "Accept: with follow there are application/x-ndjson and text/event-stream"
                                         : "Accept: there are application/json, application/x-ndjson and "
                                           "text/event-stream");
    }
    query.is_over = request.is_over;
    if (form->form == RecordForm::Events) query.follow = true;
    Response answer;
    answer.content_type = form->type;
    answer.headers.emplace_back("Cache-Control", "no-store");
    answer.headers.emplace_back("Vary", "Accept");
    answer.stream = [&ended_flows, query = std::move(query), form = form->form](const BodySink& send) {
        return send_records(ended_flows, query, form, {}, send);
    };
    return answer;
}

}  // namespace headgate::http
