// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "config/value_types.h"

namespace headgate::config {
namespace {

using namespace std::chrono_literals;
using Need = Setting::Need;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kTiB = std::uint64_t{1} << 40U;
constexpr auto kYear = std::chrono::hours{24 * 365};

/// Rejects conflicting endpoints. A firewall whose name is missing or not read yet is not compared by name.
Result<void> check_beside(const Firewall& firewall, const FirewallEndpoint& endpoint, const Firewall& other_firewall,
                          const FirewallEndpoint& other) {
    const auto& zone = endpoint.availability_zone;
    const bool same_firewall = !firewall.name.empty() && firewall.name == other_firewall.name;
    if (same_firewall && zone == other.availability_zone) {
        return invalid("availability_zone: firewall {} has an endpoint in {} already", firewall.name, zone);
    }
    if (same_firewall && zone_id(endpoint) == zone_id(other)) {
        return invalid("availability_zone_id: {} is the id of zone {} of firewall {} already", zone_id(other),
                       other.availability_zone, firewall.name);
    }
    if (namespace_path(endpoint) != namespace_path(other)) return {};
    if (endpoint.conntrack_zone == other.conntrack_zone) {
        return invalid("the endpoint of firewall {} in {} has this flow table already (netns and conntrack_zone)",
                       other_firewall.name, other.availability_zone);
    }
    if (endpoint.stream_exception_policy != other.stream_exception_policy) {
        return invalid(
            "stream_exception_policy: a network namespace has one policy, and the endpoint of firewall {} in {} is in "
            "the same one and says otherwise",
            other_firewall.name, other.availability_zone);
    }
    return {};
}

Result<void> check_endpoint(const Configuration& all, const Firewall& firewall, const FirewallEndpoint& endpoint) {
    for (const auto& other : endpoints_of(all)) {
        if (other.endpoint == &endpoint) continue;
        RETURN_IF_ERROR(check_beside(firewall, endpoint, *other.firewall, *other.endpoint));
    }
    return {};
}

/// Moves the last firewall's endpoints to an earlier firewall of that name.
Result<void> join_namesakes(std::vector<Firewall>& firewalls) {
    auto& last = firewalls.back();
    auto& first = *std::ranges::find(firewalls, last.name, &Firewall::name);
    if (&first == &last) return {};
    std::ranges::move(last.endpoints, std::back_inserter(first.endpoints));
    firewalls.pop_back();
    return {};
}

Result<void> check_listener(const std::vector<Listener>& listeners, const Listener& listener) {
    if (!listener.tls && !is_loopback(listener.address)) {
        return invalid("tls: missing, and {} is not a loopback address", to_string(listener.address));
    }
    const auto same = [&](const Listener& other) {
        return other.address == listener.address && other.port == listener.port;
    };
    if (std::ranges::count_if(listeners, same) > 1) {
        return invalid("port: there is a listener on {} port {} already", to_string(listener.address), listener.port);
    }
    return {};
}

SettingMap settings_of(FirewallEndpoint& endpoint, const Firewall& firewall, const Configuration& all) {
    SettingMap known;
    known.add(required("availability_zone", endpoint.availability_zone, name(), "eu-central-1a",
                       "The availability zone; a firewall has one endpoint in each."));
    known.add(optional("availability_zone_id", endpoint.availability_zone_id, name(), "euc1-az2",
                       "The zone's id, by which requests of the AWS API may name it; without it, the zone's name."));
    known.add(optional("netns", endpoint.netns, network_namespace(), "gw-a",
                       "The network namespace whose flow table this is; without it, the agent's own."));
    known.add(optional("conntrack_zone", endpoint.conntrack_zone, number<std::uint16_t>(0, 65535), "5",
                       "Narrows the endpoint to the flows of one conntrack zone."));
    known.add(optional("stream_exception_policy", endpoint.stream_exception_policy, policy(), "drop",
                       "The policy to keep in force here, in place of the one for all endpoints."));
    known.check = [&] { return check_endpoint(all, firewall, endpoint); };
    return known;
}

SettingMap settings_of(Firewall& firewall, Configuration& all) {
    SettingMap known;
    known.add(required("name", firewall.name, name(), "edge",
                       "The firewall's name; one that is named again gets the further endpoints."));
    known.add(list_of_maps(
        "endpoints", Need::Required, firewall.endpoints,
        [&](FirewallEndpoint& endpoint) { return settings_of(endpoint, firewall, all); },
        "The firewall's flow tables."));
    known.check = [&] { return join_namesakes(all.firewalls); };
    return known;
}

SettingMap settings_of(Tls& tls) {
    SettingMap known;
    known.add(required("certificate", tls.certificate, path(), "/etc/headgate/tls.crt",
                       "The certificate, with those between it and its root, as PEM."));
    known.add(required("key", tls.key, path(), "/etc/headgate/tls.key", "The private key, as PEM."));
    known.add(optional("client_ca", tls.client_ca, path(), "/etc/headgate/ca.crt",
                       "The authority that signs the certificates of clients. With it, each client must show one."));
    return known;
}

SettingMap settings_of(Listener& listener, const std::vector<Listener>& all) {
    SettingMap known;
    known.add(required("address", listener.address, address(), "127.0.0.1", "The address to listen on."));
    known.add(required("port", listener.port, number<std::uint16_t>(1, 65535), "8443", "The TCP port to listen on."));
    known.add(map(
        "tls", listener.tls, [](Tls& tls) { return settings_of(tls); },
        "TLS for this listener. Required unless the address is a loopback address."));
    known.check = [&] { return check_listener(all, listener); };
    return known;
}

SettingMap settings_of(Http& http) {
    SettingMap known;
    known.add(with_default("socket", http.socket, socket_path(), "The Unix socket of the agent."));
    known.add(list_of_maps(
        "listeners", Need::Optional, http.listeners,
        [&](Listener& listener) { return settings_of(listener, http.listeners); },
        "Where HTTP is served over TCP; without any, on the Unix socket alone."));
    known.add(optional("credentials", http.credentials, path(), "/etc/headgate/credentials.yaml",
                       "The file of access keys and tokens."));
    known.add(with_default("insecure_loopback", http.insecure_loopback, boolean(),
                           "With `true`, listeners on loopback addresses ask for no credentials."));
    known.add(with_default("connections", http.connections, number<std::uint16_t>(1, 1024),
                           "How many requests over TCP are answered at once; each takes a thread."));
    known.add(with_default(
        "requests_per_second", http.requests_per_second, number<std::uint16_t>(1, 65535),
        "How many requests in a second one key, token or certificate may send; after a pause, twice as many at once."));
    return known;
}

std::string described(const FlowLogSink& sink) {
    if (sink.file) return fmt::format("file {}", sink.file->native());
    if (sink.syslog) return fmt::format("syslog {}", to_string(*sink.syslog));
    if (sink.unix_datagram) return fmt::format("unix_datagram {}", sink.unix_datagram->native());
    return sink.journald ? "journald" : "stdout";
}

Result<void> check_sink(const std::vector<FlowLogSink>& sinks, const FlowLogSink& sink) {
    if (std::ranges::count(sinks, sink) < 2) return {};
    return invalid("{} is in the list twice", described(sink));
}

SettingMap settings_of(FlowLogSink& sink, const std::vector<FlowLogSink>& all) {
    SettingMap known;
    known.keys = SettingMap::Keys::ExactlyOne;
    known.add(optional("file", sink.file, path(), "/var/log/headgate/flow.json", "A file that records are added to."));
    known.add(optional("stdout", sink.standard_output, only_true(), "true", "The agent's standard output."));
    known.add(optional("journald", sink.journald, only_true(), "true", "systemd's journal."));
    known.add(optional("syslog", sink.syslog, syslog_target(), "udp://192.0.2.1:514",
                       "A syslog service (RFC 5424); without a port, 514 for UDP and 601 for TCP."));
    known.add(optional("unix_datagram", sink.unix_datagram, socket_path(), "/run/collector.sock",
                       "A Unix socket that takes a record a datagram."));
    known.check = [&] { return check_sink(all, sink); };
    return known;
}

/// An empty sink that marks the default, until a file has the key.
const FlowLogSink& placeholder() {
    static const FlowLogSink none;
    return none;
}

FlowLogSink default_sink() {
    FlowLogSink sink;
    sink.file = "/var/log/headgate/flow.json";
    return sink;
}

Setting sinks_of(FlowLog& log) {
    auto sinks = list_of_maps(
        "sinks", Need::Optional, log.sinks, [&](FlowLogSink& sink) { return settings_of(sink, log.sinks); },
        "Where records go: without this key to /var/log/headgate/flow.json, with `[]` nowhere.");
    sinks.when_absent = {fmt::format("[{{file: {}}}]", default_sink().file->native())};
    sinks.begin = [&log] { std::erase(log.sinks, placeholder()); };
    return sinks;
}

SettingMap settings_of(FlowLog& log) {
    SettingMap known;
    known.add(with_default("format", log.format, choice<FlowLogFormat>(),
                           "How records look: Suricata's EVE, or that inside the envelope of AWS Network Firewall."));
    known.add(
        set_with_default("reasons", log.reasons, flow_log_reason(),
                         "For which ends of a flow there is a record; a later file's list replaces an earlier one's."));
    known.add(list("filters", log.filters, flow_filter(), "destination=10.0.2.0/24,protocol=tcp",
                   "Of which flows there are records; without any, of all."));
    known.add(with_default("queue", log.queue, size(kMiB, 1024 * kMiB),
                           "How much may wait for each sink; beyond it the oldest records are dropped."));
    known.add(sinks_of(log));
    return known;
}

}  // namespace

void begin_reading(Configuration& configuration) {
    configuration.flow_log.sinks = {placeholder()};
}

void end_reading(Configuration& configuration) {
    std::ranges::replace(configuration.flow_log.sinks, placeholder(), default_sink());
    if (configuration.firewalls.empty()) configuration.firewalls.push_back(default_firewall());
}

SettingMap settings_of(Configuration& c) {
    SettingMap known;
    const auto add_visible = [&](auto member, Setting setting) {
        setting.copy_for_confined = [&c, member](const Configuration& from) { c.*member = from.*member; };
        known.add(std::move(setting));
    };
    add_visible(&Configuration::region,
                with_default("region", c.region, name(), "The region in the ARNs of firewalls, and nowhere else."));
    add_visible(&Configuration::account, with_default("account", c.account, account(),
                                                      "The account in the ARNs of firewalls, and nowhere else."));
    known.add(with_default("state_dir", c.state_dir, path(), "Where operations and their results are kept."));
    add_visible(
        &Configuration::retention,
        with_default("retention", c.retention, duration(1min, kYear),
                     "How long an operation can be looked up after it ended, in time that the machine was up."));
    known.add(with_default("disk_budget", c.disk_budget, size(16 * kMiB, 1024 * kTiB),
                           "What operations may take on disk; above it the oldest go, captures before flushes."));
    add_visible(&Configuration::operation_timeout,
                with_default("operation_timeout", c.operation_timeout, duration(1s, std::chrono::hours{24}),
                             "After this time an operation fails."));
    known.add(with_default("fast_scan", c.fast_scan, choice<FastScan>(),
                           "How large flow tables are searched. `auto`: by programs in the kernel (BPF), where the "
                           "process may load them. `off`: through ctnetlink alone."));
    known.add(
        with_default("fast_flush", c.fast_flush, boolean(),
                     "With `true`, a program in the kernel (BPF) ends flows of TCP and UDP by letting them expire, "
                     "where the process may load it; it uses functions of the kernel that may change between "
                     "versions. Otherwise ctnetlink ends each flow."));
    add_visible(
        &Configuration::firewalls,
        list_of_maps(
            "firewalls", Need::Optional, c.firewalls, [&](Firewall& firewall) { return settings_of(firewall, c); },
            "The firewalls. Without any there is one, named after the host, with an endpoint on the current "
            "network namespace in the availability zone `local`."));
    known.add(list("protected", c.protected_filters, protected_filter(),
                   "source=10.255.0.0/16,destination-port=22,protocol=tcp",
                   "Flows that no flush ends, whichever side began them, except with `--include-protected`."));
    add_visible(&Configuration::stream_exception_policy,
                with_default(
                    "stream_exception_policy", c.stream_exception_policy, policy(),
                    "The policy that the agent keeps in force on every endpoint that names none of its own. `none`: it "
                    "keeps none, and what `headgate policy apply` put in force stays. `removed`: no policy is to "
                    "be in force; the agent removes one that is applied."));
    known.add(map(
        "http", c.http, [](Http& http) { return settings_of(http); }, "The HTTP endpoint."));
    known.add(map(
        "flow_log", c.flow_log, [](FlowLog& log) { return settings_of(log); }, "The log of ended flows."));
    known.add(
        with_default("audit_log", c.audit_log, path(), "The file with a line for every operation that was asked for."));
    return known;
}

Configuration visible_when_confined(const Configuration& whole) {
    Configuration visible;
    for (const auto& setting : settings_of(visible).settings)
        if (setting.copy_for_confined) setting.copy_for_confined(whole);
    return visible;
}

}  // namespace headgate::config
