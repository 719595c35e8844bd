// What a gateway's operator has configured. Plain values; settings.cpp says how each is called, and load.h reads them.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/address.h"
#include "headgate/flow_filter.h"
#include "headgate/result.h"

namespace headgate::config {

inline constexpr std::string_view kNoPolicy = "none";

/// One flow table: a network namespace, or what one conntrack zone holds of it.
struct FirewallEndpoint {
    std::string availability_zone;
    std::optional<std::string> netns;  ///< a name under /run/netns, or an absolute path; absent: the agent's own
    std::optional<std::uint16_t> conntrack_zone;
    std::optional<std::string> stream_exception_policy;  ///< in place of the configuration's
    std::optional<std::string> availability_zone_id{};   ///< absent: the zone's name

    friend bool operator==(const FirewallEndpoint&, const FirewallEndpoint&) = default;
};

struct Firewall {
    std::string name;
    std::vector<FirewallEndpoint> endpoints;  ///< at least one, each in an availability zone of its own

    friend bool operator==(const Firewall&, const Firewall&) = default;
};

struct Tls {
    std::filesystem::path certificate;
    std::filesystem::path key;
    std::optional<std::filesystem::path> client_ca;  ///< with it, clients must show a certificate

    friend bool operator==(const Tls&, const Tls&) = default;
};

struct Listener {
    Address address;
    std::uint16_t port = 0;
    std::optional<Tls> tls;  ///< absent on loopback alone

    friend bool operator==(const Listener&, const Listener&) = default;
};

struct Http {
    std::filesystem::path socket = "/run/headgate/headgate.sock";
    std::vector<Listener> listeners;
    std::optional<std::filesystem::path> credentials;
    bool insecure_loopback = false;
    std::uint16_t connections = 64;            ///< over TCP, at once
    std::uint16_t requests_per_second = 1000;  ///< of one key, token or certificate

    friend bool operator==(const Http&, const Http&) = default;
};

enum class FlowLogFormat : std::uint8_t { Eve, Aws };
enum class FlowLogReason : std::uint8_t { All, Flushed, Closed, Timeout, Evicted };

enum class SyslogTransport : std::uint8_t { Udp, Tcp, Unix };

/// `udp://192.0.2.1:514`, `tcp://[2001:db8::1]:601`, `unix:///dev/log`
struct SyslogTarget {
    SyslogTransport transport = SyslogTransport::Unix;
    Address address;  ///< of UDP and TCP
    std::uint16_t port = 0;
    std::filesystem::path socket;  ///< of Unix

    friend bool operator==(const SyslogTarget&, const SyslogTarget&) = default;
};

/// One of these.
struct FlowLogSink {
    std::optional<std::filesystem::path> file;
    bool standard_output = false;
    bool journald = false;
    std::optional<SyslogTarget> syslog;
    std::optional<std::filesystem::path> unix_datagram;  ///< a socket that takes a record a datagram

    friend bool operator==(const FlowLogSink&, const FlowLogSink&) = default;
};

struct FlowLog {
    FlowLogFormat format = FlowLogFormat::Eve;
    std::vector<FlowLogReason> reasons = {FlowLogReason::All};  ///< at least one, none twice
    std::vector<FlowFilter> filters;                            ///< none: every flow
    std::uint64_t queue = std::uint64_t{64} << 20U;             ///< bytes that may wait for each sink
    std::vector<FlowLogSink> sinks;                             ///< none: no flow log is written

    friend bool operator==(const FlowLog&, const FlowLog&) = default;
};

struct Configuration {
    std::string region = "local";
    std::string account = "000000000000";
    std::filesystem::path state_dir = "/var/lib/headgate";
    std::chrono::seconds retention = std::chrono::hours{12};
    std::uint64_t disk_budget = std::uint64_t{2} << 30U;  ///< bytes
    std::chrono::seconds operation_timeout{60};
    std::vector<Firewall> firewalls;            ///< at least one, once the configuration is loaded
    std::vector<FlowFilter> protected_filters;  ///< no flush ends what matches one, either way round
    std::string stream_exception_policy{kNoPolicy};
    Http http;
    FlowLog flow_log;
    std::filesystem::path audit_log = "/var/log/headgate/audit.log";
    std::vector<std::filesystem::path> files;  ///< that were read, in their order

    friend bool operator==(const Configuration&, const Configuration&) = default;
};

/// Where there is nothing configured: one endpoint on the current network namespace in the availability zone `local`,
/// of a firewall named after the host.
[[nodiscard]] Firewall default_firewall();

/// What may be the name of a firewall: that of the host, with `-` for what does not fit.
[[nodiscard]] std::string name_after_host(std::string_view host);

struct EndpointChoice {
    const Firewall* firewall = nullptr;
    const FirewallEndpoint* endpoint = nullptr;
};

/// The endpoint that somebody means. What may go unsaid is what leaves no choice: with one endpoint only, both names.
/// An error names the choices: `availability-zone: firewall edge has several: a, b`.
[[nodiscard]] Result<EndpointChoice> find_endpoint(const Configuration& configuration,
                                                   std::optional<std::string_view> firewall,
                                                   std::optional<std::string_view> availability_zone);

/// An endpoint's network namespace, or nothing for the agent's own: `gw-a` and `/run/netns/gw-a` are the same.
[[nodiscard]] std::string namespace_path(const FirewallEndpoint& endpoint);

/// The id of an endpoint's availability zone, as AWS has one beside the name.
[[nodiscard]] const std::string& zone_id(const FirewallEndpoint& endpoint);

/// What is to be in force at an endpoint; nothing where the configuration says `none`.
[[nodiscard]] std::optional<std::string> policy_to_keep(const Configuration& configuration,
                                                        const FirewallEndpoint& endpoint);

}  // namespace headgate::config

template <>
inline constexpr auto headgate::kNames<headgate::config::FlowLogFormat> = headgate::name_list("eve", "aws");

template <>
inline constexpr auto headgate::kNames<headgate::config::FlowLogReason> = headgate::name_list("all", "flushed",
                                                                                              "closed", "timeout",
                                                                                              "evicted");
