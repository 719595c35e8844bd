// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/configuration_json.h"

#include <algorithm>
#include <iterator>

#include "base/scalars.h"
#include "config/duration.h"
#include "config/syslog_target.h"
#include "flow/json_members.h"

namespace headgate::gateway {
namespace {

namespace fs = std::filesystem;

void add_path(JsonMembers& members, std::string_view name, const std::optional<fs::path>& path) {
    if (path) members.text(name, path->native());
}

template <typename Values, typename Print>
void add_texts(JsonMembers& members, std::string_view name, const Values& values, const Print& print) {
    std::vector<std::string> texts;
    std::ranges::transform(values, std::back_inserter(texts), print);
    members.texts(name, texts);
}

void add_endpoint(JsonMembers& members, const config::FirewallEndpoint& endpoint) {
    members.text("availability_zone", endpoint.availability_zone);
    if (endpoint.availability_zone_id) members.text("availability_zone_id", *endpoint.availability_zone_id);
    if (endpoint.netns) members.text("netns", *endpoint.netns);
    if (endpoint.conntrack_zone) members.number("conntrack_zone", *endpoint.conntrack_zone);
    if (endpoint.stream_exception_policy) {
        members.text("stream_exception_policy", *endpoint.stream_exception_policy);
    }
}

void add_firewall(JsonMembers& members, const config::Firewall& firewall) {
    members.text("name", firewall.name);
    members.objects("endpoints", firewall.endpoints, add_endpoint);
}

void add_tls(JsonMembers& members, const config::Tls& tls) {
    add_path(members, "certificate", tls.certificate);
    add_path(members, "key", tls.key);
    add_path(members, "client_ca", tls.client_ca);
}

void add_listener(JsonMembers& members, const config::Listener& listener) {
    members.text("address", to_string(listener.address));
    members.number("port", listener.port);
    if (listener.tls) members.object("tls", [&](JsonMembers& tls) { add_tls(tls, *listener.tls); });
}

void add_http(JsonMembers& members, const config::Http& http) {
    add_path(members, "socket", http.socket);
    members.objects("listeners", http.listeners, add_listener);
    add_path(members, "credentials", http.credentials);
    members.number("insecure_loopback", http.insecure_loopback);
    members.number("connections", http.connections);
    members.number("requests_per_second", http.requests_per_second);
}

void add_sink(JsonMembers& members, const config::FlowLogSink& sink) {
    add_path(members, "file", sink.file);
    if (sink.standard_output) members.number("stdout", true);
    if (sink.journald) members.number("journald", true);
    if (sink.syslog) members.text("syslog", to_string(*sink.syslog));
    add_path(members, "unix_datagram", sink.unix_datagram);
}

void add_flow_log(JsonMembers& members, const config::FlowLog& log) {
    members.text("format", to_string(log.format));
    add_texts(members, "reasons", log.reasons, [](config::FlowLogReason each) { return std::string{to_string(each)}; });
    add_texts(members, "filters", log.filters, [](const FlowFilter& each) { return to_string(each); });
    members.text("queue", size_text(log.queue));
    members.objects("sinks", log.sinks, add_sink);
}

/// In the order of config/settings.cpp.
void add_settings(JsonMembers& members, const config::Configuration& configuration) {
    members.text("region", configuration.region);
    members.text("account", configuration.account);
    add_path(members, "state_dir", configuration.state_dir);
    members.text("retention", config::duration_text(configuration.retention));
    members.text("disk_budget", size_text(configuration.disk_budget));
    members.text("operation_timeout", config::duration_text(configuration.operation_timeout));
    members.objects("firewalls", configuration.firewalls, add_firewall);
    add_texts(members, "protected", configuration.protected_filters,
              [](const FlowFilter& each) { return to_string(each); });
    members.text("stream_exception_policy", configuration.stream_exception_policy);
    members.object("http", [&](JsonMembers& inner) { add_http(inner, configuration.http); });
    members.object("flow_log", [&](JsonMembers& inner) { add_flow_log(inner, configuration.flow_log); });
    add_path(members, "audit_log", configuration.audit_log);
}

void add_firewall_settings(JsonMembers& members, const config::Configuration& configuration) {
    members.text("region", configuration.region);
    members.text("account", configuration.account);
    members.text("retention", config::duration_text(configuration.retention));
    members.text("operation_timeout", config::duration_text(configuration.operation_timeout));
    members.objects("firewalls", configuration.firewalls, add_firewall);
    members.text("stream_exception_policy", configuration.stream_exception_policy);
}

}  // namespace

void append_configuration_json(fmt::memory_buffer& out, const config::Configuration& configuration) {
    out.push_back('{');
    JsonMembers members{out};
    members.object("configuration", [&](JsonMembers& inner) { add_settings(inner, configuration); });
    add_texts(members, "files", configuration.files, [](const fs::path& each) { return each.native(); });
    out.push_back('}');
}

void append_firewall_configuration_json(fmt::memory_buffer& out, const config::Configuration& configuration) {
    out.push_back('{');
    JsonMembers members{out};
    members.object("configuration", [&](JsonMembers& inner) { add_firewall_settings(inner, configuration); });
    out.push_back('}');
}

}  // namespace headgate::gateway
