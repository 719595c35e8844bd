#include "http/routes.h"

#include "http/endpoint_handlers.h"
#include "http/operation_handlers.h"

namespace headgate::http {

Router make_router(gateway::Gateway& gateway) {
    const auto on = [&](Answer (*handler)(gateway::Gateway&, const Request&)) {
        return [handler, &gateway](const Request& request) { return handler(gateway, request); };
    };
    const std::vector<std::string_view> endpoint{"firewall", "availability_zone"};
    return Router{{
        {"POST", "/v1/operations", Body::Json, {}, on(start_operation)},
        {"GET",
         "/v1/operations",
         Body::None,
         {"type", "status", "firewall", "availability_zone", "limit", "before"},
         on(list_operations)},
        {"GET", "/v1/operations/{id}", Body::None, {"wait_ms"}, on(show_operation)},
        {"POST", "/v1/operations/{id}/cancel", Body::None, {}, on(cancel_operation)},
        {"GET", "/v1/operations/{id}/flows", Body::None, {"first"}, on(stream_flows)},
        {"GET", "/v1/flow-table", Body::None, endpoint, on(show_flow_table)},
        {"GET", "/v1/stream-exception-policy", Body::None, endpoint, on(show_policy)},
        {"PUT", "/v1/stream-exception-policy", Body::Json, endpoint, on(apply_policy)},
        {"DELETE", "/v1/stream-exception-policy", Body::None, endpoint, on(remove_policy)},
    }};
}

}  // namespace headgate::http
