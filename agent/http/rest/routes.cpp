// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/rest/routes.h"

#include <memory>

#include "http/access/authorized_gateway.h"
#include "http/problem.h"
#include "http/rest/handlers.h"

namespace headgate::http {

namespace {

/// Takes the request, and the parts of the gateway that it uses.
template <typename... Parts>
using RestHandler = Result<Response> (*)(const Request&, Parts&...);

/// Restricts the handler, and the stream that runs after it has returned, to the caller's permissions.
template <typename... Parts>
Response as_allowed(gateway::ManagedGateway& gateway, access::ReplayGuard& replays, RestHandler<Parts...> handler,
                    const Request& request) {
    const std::shared_ptr<gateway::ManagedGateway> theirs = access::authorized(gateway, request, replays);
    auto answer = handler(request, theirs->part<Parts>()...);
    if (!answer) return problem_of(answer.error());
    if (answer->stream) {
        answer->stream = [theirs, stream = std::move(answer->stream)](const BodySink& send) { return stream(send); };
    }
    return std::move(*answer);
}

Response serve_openapi_document(const Request& /*request*/) {
    Response answer;
    answer.content_type = "application/yaml";
    answer.body = openapi_document();
    return answer;
}

}  // namespace

Router make_router(gateway::ManagedGateway& gateway, access::ReplayGuard& replays, Metrics& metrics) {
    const auto on = [&]<typename... Parts>(RestHandler<Parts...> handler) {
        return [handler, &gateway, &replays](const Request& request) {
            return as_allowed(gateway, replays, handler, request);
        };
    };
    const auto show_metrics = [&](const Request& request) {
        return metrics_answer(metrics, *access::authorized(gateway, request, replays));
    };
    const std::vector<std::string_view> endpoint{"firewall", "availability_zone"};
    return Router{{
        {"POST", "/v1/operations", Body::Json, {}, on(start_operation)},
        {"GET",
         "/v1/operations",
         Body::None,
         {"type", "status", "firewall", "availability_zone", "user", "since", "limit", "cursor"},
         on(list_operations),
         Openness::Known,
         {"firewall"}},
        {"GET", "/v1/operations/{id}", Body::None, {"wait_ms"}, on(show_operation)},
        {"POST", "/v1/operations/{id}/cancel", Body::None, {}, on(cancel_operation)},
        {"GET", "/v1/operations/{id}/events", Body::None, {}, on(follow_operation)},
        {"GET", "/v1/operations/{id}/results", Body::None, {"cursor", "limit"}, on(show_results)},
        {"POST", "/v1/validate", Body::Json, {}, on(validate_request)},
        {"GET", "/v1/session", Body::None, {}, show_session},
        {"GET", "/v1/overview", Body::None, {}, on(show_overview)},
        {"GET", "/v1/firewalls", Body::None, {}, on(list_firewalls)},
        {"GET", "/v1/flow-table", Body::None, endpoint, on(show_flow_table)},
        {"GET",
         "/v1/flow-log",
         Body::None,
         {"reason", "filter", "firewall", "since", "until", "user", "operation", "latest", "follow"},
         on(show_flow_log),
         Openness::Known,
         {"reason", "filter", "firewall"}},
        {"GET", "/v1/stream-exception-policy", Body::None, endpoint, on(show_policy)},
        {"PUT", "/v1/stream-exception-policy", Body::Json, endpoint, on(apply_policy)},
        {"DELETE", "/v1/stream-exception-policy", Body::None, endpoint, on(remove_policy)},
        {"GET", "/v1/stream-exception-policies", Body::None, {}, on(list_policies)},
        {"GET", "/v1/stream-exception-policies/{name}", Body::None, {}, on(show_named_policy)},
        {"GET", "/v1/quarantine", Body::None, endpoint, on(show_quarantine)},
        {"POST", "/v1/quarantine", Body::Json, endpoint, on(add_quarantine)},
        {"POST", "/v1/quarantine/extend", Body::Json, endpoint, on(extend_quarantine)},
        {"POST", "/v1/quarantine/remove", Body::Json, endpoint, on(remove_quarantine)},
        {"GET", "/v1/configuration", Body::None, {}, on(show_configuration)},
        {"GET", "/openapi.yaml", Body::None, {}, serve_openapi_document, Openness::Anybody},
        {"GET", "/healthz", Body::None, {}, show_health, Openness::Anybody},
        {"GET", "/readyz", Body::None, {}, on(show_readiness)},
        {"GET", "/metrics", Body::None, {}, show_metrics},
    }};
}

}  // namespace headgate::http
