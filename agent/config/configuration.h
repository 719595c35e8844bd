// SPDX-License-Identifier: GPL-2.0-or-later
// The configuration of a gateway. Plain values; settings.cpp defines the keys, and load.h reads the files.
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

inline constexpr std::string_view kNoPolicy = "none";          ///< none is kept in force: what is applied stays
inline constexpr std::string_view kPolicyRemoved = "removed";  ///< what is applied is removed

/// How large flow tables are searched: `auto` walks the kernel's hash where that is possible and faster.
enum class FastScan : std::uint8_t { Auto, Off };

/// One flow table: a network namespace, or one conntrack zone of it.
struct FirewallEndpoint {
    std::string availability_zone;
    std::optional<std::string> netns;  ///< a name under /run/netns, or an absolute path; absent: the agent's own
    std::optional<std::uint16_t> conntrack_zone;
    std::optional<std::string> stream_exception_policy;  ///< overrides Configuration's
    std::optional<std::string> availability_zone_id{};   ///< absent: the zone's name

    friend bool operator==(const FirewallEndpoint&, const FirewallEndpoint&) = default;
};

struct Firewall {
    std::string name;
    std::vector<FirewallEndpoint> endpoints;  ///< at least one, each in a different availability zone

    friend bool operator==(const Firewall&, const Firewall&) = default;
};

struct Tls {
    std::filesystem::path certificate;
    std::filesystem::path key;
    std::optional<std::filesystem::path> client_ca;  ///< if present, clients must present a certificate

    friend bool operator==(const Tls&, const Tls&) = default;
};

struct Listener {
    Address address;
    std::uint16_t port = 0;
    std::optional<Tls> tls;  ///< may be absent on loopback addresses only

    friend bool operator==(const Listener&, const Listener&) = default;
};

struct Http {
    std::filesystem::path socket = "/run/headgate/headgate.sock";
    std::vector<Listener> listeners;
    std::optional<std::filesystem::path> credentials;
    bool insecure_loopback = false;
    std::uint16_t connections = 64;            ///< concurrent TCP connections
    std::uint16_t requests_per_second = 1000;  ///< per key, token or certificate

    friend bool operator==(const Http&, const Http&) = default;
};

enum class FlowLogFormat : std::uint8_t { Eve, Aws };
enum class FlowLogReason : std::uint8_t { All, Flushed, Closed, Timeout, Evicted };

enum class SyslogTransport : std::uint8_t { Udp, Tcp, Unix };

/// `udp://192.0.2.1:514`, `tcp://[2001:db8::1]:601`, `unix:///dev/log`
struct SyslogTarget {
    SyslogTransport transport = SyslogTransport::Unix;
    Address address;  ///< for UDP and TCP
    std::uint16_t port = 0;
    std::filesystem::path socket;  ///< for Unix

    friend bool operator==(const SyslogTarget&, const SyslogTarget&) = default;
};

/// Exactly one member is set.
struct FlowLogSink {
    std::optional<std::filesystem::path> file;
    bool standard_output = false;
    bool journald = false;
    std::optional<SyslogTarget> syslog;
    std::optional<std::filesystem::path> unix_datagram;  ///< a socket that receives one record per datagram

    friend bool operator==(const FlowLogSink&, const FlowLogSink&) = default;
};

struct FlowLog {
    FlowLogFormat format = FlowLogFormat::Eve;
    std::vector<FlowLogReason> reasons = {FlowLogReason::All};  ///< at least one, without duplicates
    std::vector<FlowFilter> filters;                            ///< empty: every flow
    std::uint64_t queue = std::uint64_t{64} << 20U;             ///< bytes that may be queued for each sink
    std::vector<FlowLogSink> sinks;                             ///< empty: no flow log is written

    /// The first sink that is a file: the one that is read.
    [[nodiscard]] std::optional<std::filesystem::path> first_file() const;

    friend bool operator==(const FlowLog&, const FlowLog&) = default;
};

struct Configuration {
    std::string region = "local";
    std::string account = "000000000000";
    std::filesystem::path state_dir = "/var/lib/headgate";
    std::chrono::seconds retention = std::chrono::hours{12};
    std::uint64_t disk_budget = std::uint64_t{2} << 30U;  ///< bytes
    std::chrono::seconds operation_timeout{60};
    FastScan fast_scan = FastScan::Auto;
    bool fast_flush = false;
    std::vector<Firewall> firewalls;            ///< at least one after loading
    std::vector<FlowFilter> protected_filters;  ///< no flush ends a flow that matches one, in either direction
    std::string stream_exception_policy{kNoPolicy};
    Http http;
    FlowLog flow_log;
    std::filesystem::path audit_log = "/var/log/headgate/audit.log";
    std::vector<std::filesystem::path> files;  ///< the files that were read, in order

    friend bool operator==(const Configuration&, const Configuration&) = default;
};

/// The default: a firewall named after the host, with one endpoint on the current network namespace in the availability
/// zone `local`.
[[nodiscard]] Firewall default_firewall();

/// The host name as a valid firewall name: invalid characters become `-`.
[[nodiscard]] std::string name_after_host(std::string_view host);

struct EndpointChoice {
    const Firewall* firewall = nullptr;
    const FirewallEndpoint* endpoint = nullptr;
};

/// All endpoints in order, with their firewalls.
[[nodiscard]] std::vector<EndpointChoice> endpoints_of(const Configuration& configuration);

/// Finds an endpoint by name. A name may be omitted if only one matches: with a single endpoint, both. An error lists
/// the choices: `availability-zone: firewall edge has several: a, b`.
[[nodiscard]] Result<EndpointChoice> find_endpoint(const Configuration& configuration,
                                                   std::optional<std::string_view> firewall,
                                                   std::optional<std::string_view> availability_zone);

/// The path of an endpoint's network namespace; empty for the agent's own. `gw-a` means `/run/netns/gw-a`.
[[nodiscard]] std::string namespace_path(const FirewallEndpoint& endpoint);

/// The ID of an endpoint's availability zone, which AWS has besides the name.
[[nodiscard]] const std::string& zone_id(const FirewallEndpoint& endpoint);

/// What the configuration says about an endpoint's policy: the name of one, `none` or `removed`.
[[nodiscard]] const std::string& configured_policy(const Configuration& configuration,
                                                   const FirewallEndpoint& endpoint);

/// The policy to keep in force by what is configured; absent for `none` and `removed`.
[[nodiscard]] std::optional<std::string> policy_to_keep(const std::string& configured);

}  // namespace headgate::config

template <>
inline constexpr auto headgate::kNames<headgate::config::FastScan> = headgate::name_list("auto", "off");

template <>
inline constexpr auto headgate::kNames<headgate::config::FlowLogFormat> = headgate::name_list("eve", "aws");

template <>
inline constexpr auto headgate::kNames<headgate::config::FlowLogReason> = headgate::name_list("all", "flushed",
                                                                                              "closed", "timeout",
                                                                                              "evicted");
