// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/rest/operation_events.h"

#include "http/problem.h"
#include "http/rest/parameters.h"
#include "http/rest/server_sent_event.h"
#include "operations/operation_json.h"

namespace headgate::http {
namespace {

std::string data_of(const FlowOperation& operation) {
    fmt::memory_buffer out;
    operations::append_operation_json(out, operation);
    return fmt::to_string(out);
}

}  // namespace

Result<void> send_events(gateway::FlowOperations& operations, const std::string& id,
                         const std::function<bool()>& is_over, const EventPace& pace, const BodySink& send) {
    std::string sent;
    auto told_at = std::chrono::steady_clock::now();
    const auto say = [&](std::string_view text) {
        told_at = std::chrono::steady_clock::now();
        return send(text);
    };
    for (auto operation = operations.find(id);; operation = operations.wait(id, pace.look)) {
        if (!operation) return tl::unexpected(operation.error());
        auto now = data_of(*operation);
        if (operation->status != OperationStatus::InProgress) return say(server_sent_event("end", now));
        if (is_over()) return {};
        Result<void> said;
        if (now != sent) {
            said = say(server_sent_event("progress", now));
            sent = std::move(now);
        } else if (std::chrono::steady_clock::now() - told_at >= pace.keep_alive) {
            said = say(": still in progress\n\n");
        }
        if (!said) return said;
    }
}

Response follow_operation(const Request& request, gateway::FlowOperations& operations) {
    const auto operation = operations.find(id_of(request));
    if (!operation) return problem_of(operation.error());
    Response answer;
    answer.content_type = kEventStream;
    answer.headers.emplace_back("Cache-Control", "no-store");
    answer.stream = [&operations, id = operation->id, is_over = request.is_over](const BodySink& send) {
        return send_events(operations, id, is_over, {}, send);
    };
    return answer;
}

}  // namespace headgate::http
