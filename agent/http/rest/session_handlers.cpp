// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/rest/session_handlers.h"

#include "gateway/request_json.h"
#include "gateway/version.h"
#include "http/problem.h"
#include "operations/operation_fields.h"

namespace headgate::http {

Response show_session(const Request& request) {
    fmt::memory_buffer out;
    out.push_back('{');
    JsonMembers members{out};
    members.object("caller", [&](JsonMembers& inner) { write_members(inner, request.caller); });
    members.text("role", to_string(request.permissions.role));
    if (request.permissions.firewalls) members.texts("firewalls", *request.permissions.firewalls);
    members.text("version", gateway::kVersion);
    out.push_back('}');
    return json_answer(200, fmt::to_string(out));
}

Response validate_request(const Request& request, gateway::Inventory& inventory) {
    const auto wanted = gateway::read_request_json(request.body);
    if (!wanted) return problem_of(wanted.error());
    // A flush from a capture runs at the capture's endpoint.
    if (wanted->from_operation.empty()) {
        const auto configuration = inventory.configuration();
        const auto& [firewall, availability_zone, network_namespace] = wanted->endpoint;
        const auto endpoint = config::find_endpoint(*configuration, firewall, availability_zone);
        if (!endpoint) return problem_of(endpoint.error());
    }
    fmt::memory_buffer out;
    if (auto appended = gateway::append_request_json(out, *wanted); !appended) return problem_of(appended.error());
    return json_answer(200, fmt::to_string(out));
}

}  // namespace headgate::http
