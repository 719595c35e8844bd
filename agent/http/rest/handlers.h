// SPDX-License-Identifier: GPL-2.0-or-later
// The REST interface: one function per route, with the parts of the gateway that it uses. Streams of events and records
// have a function of their own, and intervals. An error becomes the response that its kind has.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "headgate/result.h"

#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http {

/// Answers 202 with the operation. A request with an Idempotency-Key that is already known starts no other operation.
[[nodiscard]] Result<Response> start_operation(const Request& request, gateway::FlowOperations& operations,
                                               gateway::RefusedRequests& refused_requests);

/// Validates a request as start_operation() does, but starts nothing: for user interfaces.
[[nodiscard]] Result<Response> validate_request(const Request& request, gateway::Inventory& inventory);

/// Newest first; with `next_cursor` if there may be more.
[[nodiscard]] Result<Response> list_operations(const Request& request, gateway::FlowOperations& operations);

/// With `wait_ms`, waits up to that many milliseconds for the operation to end; 30 seconds at most.
[[nodiscard]] Result<Response> show_operation(const Request& request, gateway::FlowOperations& operations);
[[nodiscard]] Result<Response> cancel_operation(const Request& request, gateway::FlowOperations& operations);

/// Sends `event: progress` whenever the operation has changed, and `event: end` when it has ended, each with the
/// operation as its data; then the stream ends. It also ends when the client disconnects or the server stops.
[[nodiscard]] Result<Response> follow_operation(const Request& request, gateway::FlowOperations& operations);

struct EventPace {
    std::chrono::milliseconds look{250};           ///< between two reads of an operation in progress
    std::chrono::milliseconds keep_alive{15'000};  ///< after this time without an event, a comment is sent
};
[[nodiscard]] Result<void> send_events(gateway::FlowOperations& operations, const std::string& id,
                                       const std::function<bool()>& is_over, const EventPace& pace,
                                       const BodySink& send);

/// Answers in the form that Accept prefers; 406 if it accepts none. `cursor` and `limit` in the query select a page.
/// Unless the page is the last, the response has the cursor of the next one: in JSON as a member, otherwise in the
/// header X-Next-Cursor. A capture in progress yields the flows found so far; a flush in progress is a 409.
[[nodiscard]] Result<Response> show_results(const Request& request, gateway::FlowOperations& operations);

/// The gateway at a glance: usage of its flow tables, counters of stream exception policies, operations in progress.
/// Answers once as JSON, or as server-sent events whenever the overview has changed. Reads no individual flows, so that
/// clients can poll it continuously.
[[nodiscard]] Result<Response> show_overview(const Request& request, gateway::FlowOperations& operations,
                                             gateway::Monitoring& monitoring, gateway::Inventory& inventory);

struct OverviewPace {
    std::chrono::milliseconds look{2000};          ///< between two reads of the gateway
    std::chrono::milliseconds slice{200};          ///< between two checks, meanwhile, whether the client still waits
    std::chrono::milliseconds keep_alive{15'000};  ///< after this time without a change, a comment is sent
};
/// Sends `event: overview` until the client disconnects or the gateway shuts down.
[[nodiscard]] Result<void> send_overviews(gateway::FlowOperations& operations, gateway::Monitoring& monitoring,
                                          gateway::Inventory& inventory, const std::function<bool()>& is_over,
                                          const OverviewPace& pace, const BodySink& send);

/// Answers in the form that Accept prefers: JSON, NDJSON or server-sent events; 406 if it accepts none. `reason`
/// (repeatable, or a list with commas), `filter`, `firewall`, `since`, `until`, `user` and `operation` select flows;
/// `latest` limits the number of those that ended before the request. With `follow=true`, and always as events, the
/// stream continues until the client disconnects; JSON is then not offered.
[[nodiscard]] Result<Response> show_flow_log(const Request& request, gateway::EndedFlows& ended_flows);

enum class RecordForm : std::uint8_t {
    Json,    ///< `{"records":[RECORD,...]}`
    Ndjson,  ///< one record per line
    Events,  ///< server-sent events: `event: ended`, the record as its data
};
struct RecordPace {
    std::chrono::milliseconds keep_alive{15'000};  ///< after this time without an event, a comment is sent
};
/// Sends buffered records whenever the gateway begins to wait for more, so that the client does not wait for a full
/// buffer. With `follow`, the head of the response is sent by then, too.
[[nodiscard]] Result<void> send_records(gateway::EndedFlows& ended_flows, const gateway::EndedFlowQuery& query,
                                        RecordForm form, const RecordPace& pace, const BodySink& send);

[[nodiscard]] Result<Response> list_firewalls(const Request& request, gateway::Inventory& inventory);
[[nodiscard]] Result<Response> list_policies(const Request& request, gateway::Inventory& inventory);
[[nodiscard]] Result<Response> show_named_policy(const Request& request, gateway::Inventory& inventory);
[[nodiscard]] Result<Response> show_configuration(const Request& request, gateway::Inventory& inventory);

[[nodiscard]] Result<Response> show_flow_table(const Request& request, gateway::FlowTables& tables);

/// The stream exception policy of an endpoint.
[[nodiscard]] Result<Response> show_policy(const Request& request, gateway::StreamExceptionPolicies& policies);
[[nodiscard]] Result<Response> apply_policy(const Request& request, gateway::StreamExceptionPolicies& policies,
                                            gateway::RefusedRequests& refused_requests);
[[nodiscard]] Result<Response> remove_policy(const Request& request, gateway::StreamExceptionPolicies& policies);

/// What is in quarantine on an endpoint, and changes of it. A change is answered with the entries that it names.
[[nodiscard]] Result<Response> show_quarantine(const Request& request, gateway::Quarantines& quarantines);
[[nodiscard]] Result<Response> add_quarantine(const Request& request, gateway::Quarantines& quarantines,
                                              gateway::RefusedRequests& refused_requests);
[[nodiscard]] Result<Response> extend_quarantine(const Request& request, gateway::Quarantines& quarantines,
                                                 gateway::RefusedRequests& refused_requests);
[[nodiscard]] Result<Response> remove_quarantine(const Request& request, gateway::Quarantines& quarantines,
                                                 gateway::RefusedRequests& refused_requests);

/// The caller's identity and permissions as the agent determined them: for user interfaces.
[[nodiscard]] Response show_session(const Request& request);

/// 200 `{"status":"ok","version":"0.1.0"}`, without any check: the response itself is the sign of life.
[[nodiscard]] Response show_health(const Request& request);

/// 200, or 503 where a check failed: `{"ready":false,"checks":[{"check":"policy","firewall":"edge",
/// "availability_zone":"a","ok":false,"message":"..."},...]}`. Lists all checks; firewall and zone are present in
/// checks of an endpoint, message in failed ones.
[[nodiscard]] Result<Response> show_readiness(const Request& request, gateway::Monitoring& monitoring);

}  // namespace headgate::http
