// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/rest/flow_log_stream.h"

#include <fmt/format.h>

#include <utility>

#include "http/rest/server_sent_event.h"

namespace headgate::http {
namespace {

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
        append(": no flow has ended\n\n");
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

}  // namespace headgate::http
