// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/metrics/health_handlers.h"

#include <algorithm>

#include "flow/json_members.h"
#include "gateway/version.h"

namespace headgate::http {
namespace {

void add_finding(JsonMembers& members, const gateway::Finding& finding) {
    members.text("check", finding.check);
    if (!finding.endpoint.firewall.empty()) {
        members.text("firewall", finding.endpoint.firewall);
        members.text("availability_zone", finding.endpoint.availability_zone);
    }
    members.number("ok", finding.is_good());
    if (!finding.is_good()) members.text("message", finding.fault);
}

}  // namespace

Response show_health(const Request& /*request*/) {
    return json_answer(200, fmt::format(R"({{"status":"ok","version":"{}"}})", gateway::kVersion));
}

Response show_readiness(const Request& /*request*/, gateway::Monitoring& monitoring) {
    const auto findings = monitoring.readiness();
    const bool is_ready = std::ranges::all_of(findings, &gateway::Finding::is_good);
    fmt::memory_buffer out;
    out.push_back('{');
    JsonMembers members{out};
    members.number("ready", is_ready);
    members.objects("checks", findings, add_finding);
    out.push_back('}');
    return json_answer(is_ready ? 200 : 503, fmt::to_string(out));
}

}  // namespace headgate::http
