// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <algorithm>

#include "config/load.h"
#include "support/temporary_folder.h"

namespace headgate::config {
namespace load_configuration_test {

using namespace std::chrono_literals;
using headgate::testing::TemporaryFolder;

Configuration parse(std::string_view text) {
    auto parsed = parse_configuration(text, "x.yaml");
    EXPECT_TRUE(parsed) << parsed.error().message;
    return parsed ? std::move(*parsed) : Configuration{};
}

std::string error_of(std::string_view text) {
    const auto parsed = parse_configuration(text, "x.yaml");
    if (parsed) return "";
    EXPECT_EQ(parsed.error().kind, ErrorKind::Invalid);
    return parsed.error().message;
}

FlowLogSink file_sink(std::string_view path) {
    FlowLogSink sink;
    sink.file = path;
    return sink;
}

/// The error of a list of sinks that begins in line 3.
std::string error_with_sinks(std::string_view lines) {
    return error_of(fmt::format("flow_log:\n  sinks:\n{}\n", lines));
}

/// The error of a firewall with this second endpoint, which begins in line 6.
std::string error_with_endpoint(std::string_view lines) {
    return error_of(
        fmt::format("firewalls:\n- name: edge\n  endpoints:\n  - availability_zone: a\n    netns: gw-a\n{}\n", lines));
}

/// The error of a listener that begins in line 4.
std::string error_with_listener(std::string_view lines) {
    return error_of(fmt::format("http:\n  listeners:\n  - {{address: 127.0.0.1, port: 80}}\n{}\n", lines));
}

TEST(LoadConfiguration, gives_every_setting_its_place) {
    const auto configuration = parse(
        "region: eu-central-1\n"
        "account: \"123456789012\"\n"
        "state_dir: /srv/headgate/\n"
        "retention: 7d\n"
        "disk_budget: 512MiB\n"
        "operation_timeout: 90\n"
        "fast_scan: off\n"
        "fast_flush: true\n"
        "firewalls:\n"
        "  - endpoints:\n"
        "      - availability_zone: eu-central-1a\n"
        "        netns: gw-a\n"
        "        conntrack_zone: 5\n"
        "        stream_exception_policy: reject\n"
        "      - availability_zone: eu-central-1b\n"
        "    name: edge\n"
        "protected:\n"
        "  - destination-port=22,protocol=tcp,source=10.255.0.0/16\n"
        "stream_exception_policy: drop\n"
        "http:\n"
        "  socket: /run/x.sock\n"
        "  listeners:\n"
        "    - {address: '::1', port: 8080}\n"
        "    - address: 192.0.2.1\n"
        "      port: 8443\n"
        "      tls: {certificate: /c, key: /k, client_ca: /ca}\n"
        "  credentials: /etc/c.yaml\n"
        "  insecure_loopback: true\n"
        "flow_log:\n"
        "  format: aws\n"
        "  reasons: [flushed, evicted]\n"
        "  filters: ['protocol=tcp', 'destination-port=53']\n"
        "  queue: 2MiB\n"
        "  sinks:\n"
        "    - file: /var/log/flow.json\n"
        "    - stdout: true\n"
        "    - journald: true\n"
        "    - syslog: tcp://[2001:db8::1]\n"
        "    - unix_datagram: /run/collector.sock\n"
        "audit_log: /var/log/audit.log\n");
    Configuration expected;
    expected.region = "eu-central-1";
    expected.account = "123456789012";
    expected.state_dir = "/srv/headgate/";
    expected.retention = 168h;
    expected.disk_budget = 512U << 20U;
    expected.operation_timeout = 90s;
    expected.fast_scan = FastScan::Off;
    expected.fast_flush = true;
    expected.firewalls = {{"edge", {{"eu-central-1a", "gw-a", 5, "reject"}, {"eu-central-1b", {}, {}, {}}}}};
    expected.protected_filters = {parse_flow_filter("destination-port=22,protocol=tcp,source=10.255.0.0/16").value()};
    expected.stream_exception_policy = "drop";
    expected.http.socket = "/run/x.sock";
    expected.http.listeners = {{parse_address("::1").value(), 8080, {}},
                               {parse_address("192.0.2.1").value(), 8443, Tls{"/c", "/k", "/ca"}}};
    expected.http.credentials = "/etc/c.yaml";
    expected.http.insecure_loopback = true;
    expected.flow_log.format = FlowLogFormat::Aws;
    expected.flow_log.reasons = {FlowLogReason::Flushed, FlowLogReason::Evicted};
    expected.flow_log.filters = {parse_flow_filter("protocol=tcp").value(),
                                 parse_flow_filter("destination-port=53").value()};
    expected.flow_log.queue = 2U << 20U;
    expected.flow_log.sinks = {file_sink("/var/log/flow.json"), {}, {}, {}, {}};
    expected.flow_log.sinks[1].standard_output = true;
    expected.flow_log.sinks[2].journald = true;
    expected.flow_log.sinks[3].syslog = {SyslogTransport::Tcp, parse_address("2001:db8::1").value(), 601, {}};
    expected.flow_log.sinks[4].unix_datagram = "/run/collector.sock";
    expected.audit_log = "/var/log/audit.log";
    EXPECT_EQ(configuration, expected);
}

TEST(LoadConfiguration, of_nothing_gives_the_defaults_and_one_firewall) {
    Configuration expected;
    expected.firewalls = {default_firewall()};
    expected.flow_log.sinks = {file_sink("/var/log/headgate/flow.json")};
    EXPECT_EQ(parse(""), expected);
    EXPECT_EQ(parse("# nothing\n"), expected);
    EXPECT_EQ(expected.firewalls.front().endpoints.size(), 1U);
    EXPECT_EQ(expected.firewalls.front().endpoints.front().availability_zone, "local");
    EXPECT_EQ(expected.firewalls.front().endpoints.front().netns, std::nullopt);
}

TEST(LoadConfiguration, may_begin_with_a_byte_order_mark) {
    EXPECT_EQ(parse("\xEF\xBB\xBFregion: eu-central-1\n").region, "eu-central-1");
    EXPECT_EQ(error_of("\xEF\xBB\xBF# a comment\nregio: eu-central-1\n").substr(0, 8), "x.yaml:2");
}

TEST(LoadConfiguration, takes_each_value_up_to_its_ends) {
    EXPECT_EQ(parse("retention: 1m").retention, 60s);
    EXPECT_EQ(parse("retention: 365d").retention, 8760h);
    EXPECT_EQ(parse("disk_budget: 16777216").disk_budget, 16U << 20U);
    EXPECT_EQ(parse("operation_timeout: 24h").operation_timeout, 24h);
    EXPECT_EQ(parse("region: " + std::string(128, 'a')).region.size(), 128U);
    EXPECT_EQ(parse("http: {socket: /" + std::string(106, 'a') + "}").http.socket.native().size(), 107U);
    EXPECT_EQ(parse("protected: []").protected_filters.size(), 0U);
    EXPECT_EQ(parse("flow_log: {queue: 1MiB}").flow_log.queue, 1U << 20U);
    EXPECT_EQ(parse("flow_log: {queue: 1GiB}").flow_log.queue, 1U << 30U);
}

TEST(LoadConfiguration, errors_name_file_line_setting_and_rule) {
    EXPECT_EQ(error_of("\nregion: eu central"),
              "x.yaml:2: region: \"eu central\" is not made of letters, digits and - alone");
    EXPECT_EQ(error_of("region: ''"), "x.yaml:1: region: a name has 1 to 128 characters, not 0");
    EXPECT_EQ(error_of("account: 12"), "x.yaml:1: account: \"12\" is not a number of 12 digits");
    EXPECT_EQ(error_of("state_dir: var/lib"), "x.yaml:1: state_dir: \"var/lib\" is not an absolute path");
    EXPECT_EQ(error_of("state_dir: \"/var\\e\""), "x.yaml:1: state_dir: a path with characters that can not be shown");
    EXPECT_EQ(error_of("retention: 59s"), "x.yaml:1: retention: 59s is not within 1m..365d");
    EXPECT_EQ(error_of("retention: long"), "x.yaml:1: retention: \"long\" is not a duration such as 90s, 5m or 12h");
    EXPECT_EQ(error_of("disk_budget: 15MiB"), "x.yaml:1: disk_budget: 15MiB is not within 16MiB..1024TiB");
    EXPECT_EQ(error_of("disk_budget: 2GB"), "x.yaml:1: disk_budget: \"2GB\" is not a size such as 512MiB or 2GiB");
    EXPECT_EQ(error_of("operation_timeout: 0"), "x.yaml:1: operation_timeout: 0 is not within 1s..1d");
    EXPECT_EQ(
        error_of("stream_exception_policy: 2nd"),
        "x.yaml:1: stream_exception_policy: \"2nd\" can't be a policy's name: letters, digits, - and _, beginning "
        "with a letter, 32 at most");
    EXPECT_EQ(error_of("audit_log: ''"), "x.yaml:1: audit_log: \"\" is not an absolute path");
}

TEST(LoadConfiguration, errors_in_protected_filters_name_the_line_of_the_filter) {
    EXPECT_EQ(error_of("protected:\n- protocol=tcp\n- source=10.0.0.0/33"),
              "x.yaml:3: protected: source: 10.0.0.0/33: /33 is longer than /32");
    EXPECT_EQ(error_of("protected:\n- protocol=any"),
              "x.yaml:2: protected: \"protocol=any\" leaves nothing out: no flow could be flushed");
}

TEST(LoadConfiguration, errors_in_endpoints_name_the_way_to_the_setting) {
    EXPECT_EQ(error_of("firewalls:\n- name: a.b\n  endpoints: [{availability_zone: a}]"),
              "x.yaml:2: firewalls: name: \"a.b\" is not made of letters, digits and - alone");
    EXPECT_EQ(error_of("firewalls:\n- endpoints: [{availability_zone: a}]"), "x.yaml:2: firewalls: name: missing");
    EXPECT_EQ(error_of("firewalls:\n- name: edge"), "x.yaml:2: firewalls: endpoints: missing");
    EXPECT_EQ(error_of("firewalls:\n- name: edge\n  endpoints: []"),
              "x.yaml:3: firewalls: endpoints: the list is empty");
    EXPECT_EQ(error_with_endpoint("  - netns: gw-b"), "x.yaml:6: firewalls: endpoints: availability_zone: missing");
    EXPECT_EQ(error_with_endpoint("  - availability_zone: b\n    netns: ../b"),
              "x.yaml:7: firewalls: endpoints: netns: \"../b\" is not an absolute path");
    EXPECT_EQ(error_with_endpoint("  - availability_zone: b\n    netns: .."),
              "x.yaml:7: firewalls: endpoints: netns: \"..\" is not a network namespace");
    EXPECT_EQ(error_with_endpoint("  - availability_zone: b\n    conntrack_zone: 65536"),
              "x.yaml:7: firewalls: endpoints: conntrack_zone: 65536 is not within 0..65535");
    EXPECT_EQ(error_with_endpoint("  - availability_zone: b\n    conntrack_zone: five"),
              "x.yaml:7: firewalls: endpoints: conntrack_zone: \"five\" is not a whole number");
}

TEST(LoadConfiguration, a_firewall_has_one_endpoint_in_an_availability_zone) {
    const auto* error = "x.yaml:6: firewalls: endpoints: availability_zone: firewall edge has an endpoint in a already";
    EXPECT_EQ(error_with_endpoint("  - {availability_zone: a, netns: gw-b}"), error);
    EXPECT_EQ(error_with_endpoint("- {name: edge, endpoints: [{availability_zone: a, netns: gw-b}]}"), error);
    EXPECT_EQ(error_with_endpoint("- {name: core, endpoints: [{availability_zone: a, netns: gw-b}]}"), "");
}

TEST(LoadConfiguration, the_id_of_a_zone_is_of_one_zone_of_a_firewall) {
    const auto* error =
        "x.yaml:6: firewalls: endpoints: availability_zone_id: a is the id of zone a of firewall edge already";
    EXPECT_EQ(error_with_endpoint("  - {availability_zone: b, availability_zone_id: a, netns: gw-b}"), error);
    EXPECT_EQ(error_with_endpoint("  - {availability_zone: b, availability_zone_id: euc1-az3, netns: gw-b}"), "");
    EXPECT_EQ(
        error_with_endpoint("- {name: core, endpoints: [{availability_zone: b, availability_zone_id: a, netns: c}]}"),
        "");
    EXPECT_EQ(error_with_endpoint("  - availability_zone: b\n    availability_zone_id: euc1 az3"),
              "x.yaml:7: firewalls: endpoints: availability_zone_id: \"euc1 az3\" is not made of letters, digits and - "
              "alone");
}

TEST(LoadConfiguration, a_flow_table_belongs_to_one_endpoint) {
    const auto* error =
        "x.yaml:6: firewalls: endpoints: the endpoint of firewall edge in a has this flow table already (netns and "
        "conntrack_zone)";
    EXPECT_EQ(error_with_endpoint("  - {availability_zone: b, netns: gw-a}"), error);
    EXPECT_EQ(error_with_endpoint("  - {availability_zone: b, netns: /run/netns/gw-a}"), error);
    EXPECT_EQ(error_with_endpoint("  - {availability_zone: b, netns: /run//netns/./gw-a}"), error);
    EXPECT_EQ(error_with_endpoint("- {name: core, endpoints: [{availability_zone: b, netns: gw-a}]}"), error);
    EXPECT_EQ(error_with_endpoint("  - {availability_zone: b, netns: gw-a, conntrack_zone: 0}"), "");
    EXPECT_EQ(error_with_endpoint("  - availability_zone: b"), "");
}

TEST(LoadConfiguration, a_network_namespace_has_one_policy) {
    EXPECT_EQ(error_with_endpoint("  - {availability_zone: b, netns: gw-a, conntrack_zone: 5, stream_exception_policy: "
                                  "drop}"),
              "x.yaml:6: firewalls: endpoints: stream_exception_policy: a network namespace has one policy, and the "
              "endpoint of firewall edge in a is in the same one and says otherwise");
    EXPECT_EQ(error_with_endpoint("  - {availability_zone: b, netns: gw-b, stream_exception_policy: drop}"), "");
}

TEST(LoadConfiguration, a_firewall_that_is_named_again_gets_the_further_endpoints) {
    const auto configuration = parse(
        "firewalls:\n"
        "- {name: edge, endpoints: [{availability_zone: a}]}\n"
        "- {name: core, endpoints: [{availability_zone: a, netns: core}]}\n"
        "- {name: edge, endpoints: [{availability_zone: b, netns: b}, {availability_zone: c, netns: c}]}\n");
    ASSERT_EQ(configuration.firewalls.size(), 2U);
    EXPECT_EQ(configuration.firewalls[0].name, "edge");
    EXPECT_EQ(configuration.firewalls[0].endpoints.size(), 3U);
    EXPECT_EQ(configuration.firewalls[1].endpoints.size(), 1U);
}

TEST(LoadConfiguration, errors_in_listeners_name_the_way_to_the_setting) {
    EXPECT_EQ(error_of("http: {socket: run/x}"), "x.yaml:1: http: socket: \"run/x\" is not an absolute path");
    EXPECT_EQ(error_of("http: {socket: /" + std::string(107, 'a') + "}"),
              "x.yaml:1: http: socket: the path of a socket has 107 bytes at most, not 108");
    EXPECT_EQ(error_of("http:\n  insecure_loopback: yes"),
              "x.yaml:2: http: insecure_loopback: \"yes\" is neither true nor false");
    EXPECT_EQ(error_with_listener("  - port: 81"), "x.yaml:4: http: listeners: address: missing");
    EXPECT_EQ(error_with_listener("  - address: ::1"), "x.yaml:4: http: listeners: port: missing");
    EXPECT_EQ(error_with_listener("  - address: localhost\n    port: 0"),
              "x.yaml:4: http: listeners: address: \"localhost\" is not an IPv4 or IPv6 address\n"
              "x.yaml:5: http: listeners: port: 0 is not within 1..65535");
    EXPECT_EQ(error_with_listener("  - address: 127.0.0.1\n    port: 80"),
              "x.yaml:4: http: listeners: port: there is a listener on 127.0.0.1 port 80 already");
    EXPECT_EQ(error_with_listener("  - address: ::1\n    port: 443\n    tls:\n      certificate: /c"),
              "x.yaml:7: http: listeners: tls: key: missing");
}

TEST(LoadConfiguration, a_listener_off_loopback_takes_tls) {
    EXPECT_EQ(error_with_listener("  - {address: 0.0.0.0, port: 443}"),
              "x.yaml:4: http: listeners: tls: missing, and 0.0.0.0 is not a loopback address");
    EXPECT_EQ(error_with_listener("  - {address: '::', port: 443}"),
              "x.yaml:4: http: listeners: tls: missing, and :: is not a loopback address");
    EXPECT_EQ(error_with_listener("  - {address: 127.8.0.1, port: 443}"), "");
}

TEST(LoadConfiguration, errors_in_the_flow_log_name_the_way_to_the_setting) {
    EXPECT_EQ(error_of("flow_log: {format: xml}"), "x.yaml:1: flow_log: format: \"xml\" is neither eve nor aws");
    EXPECT_EQ(error_of("flow_log:\n  reasons: [closed,\n    gone]"),
              "x.yaml:3: flow_log: reasons: \"gone\" is none of all, flushed, closed, timeout and evicted");
    EXPECT_EQ(error_of("flow_log:\n  reasons: [closed, closed]"),
              "x.yaml:2: flow_log: reasons: \"closed\" is in the list twice");
    EXPECT_EQ(error_of("flow_log:\n  reasons: []"), "x.yaml:2: flow_log: reasons: the list is empty");
    EXPECT_EQ(error_of("flow_log:\n  sinks:\n  - stdout"),
              "x.yaml:3: flow_log: sinks: a map of keys and values belongs here, not a text");
    EXPECT_EQ(error_of("flow_log:\n  sinks:\n  - file: flow.json"),
              "x.yaml:3: flow_log: sinks: file: \"flow.json\" is not an absolute path");
    EXPECT_EQ(error_of("flow_log:\n  queue: 1023KiB"), "x.yaml:2: flow_log: queue: 1023KiB is not within 1MiB..1GiB");
    EXPECT_EQ(error_of("flow_log:\n  filters: ['source-port=x']").substr(0, 39),
              "x.yaml:2: flow_log: filters: source-por");
}

TEST(LoadConfiguration, a_sink_of_the_flow_log_is_exactly_one_thing) {
    const std::string rule =
        "flow_log: sinks: exactly one of file, stdout, journald, syslog, unix_datagram belongs here, not ";
    EXPECT_EQ(error_with_sinks("  - {file: /a, journald: true}"), "x.yaml:3: " + rule + "file, journald");
    EXPECT_EQ(error_with_sinks("  - file: /a\n  - {}"), "x.yaml:4: " + rule + "nothing");
    EXPECT_EQ(error_with_sinks("  - stdout: false"),
              "x.yaml:3: flow_log: sinks: stdout: \"false\" is not true; what is not wanted is left out");
    EXPECT_EQ(error_with_sinks("  - {kafka: x}"),
              "x.yaml:3: flow_log: sinks: kafka: unknown key (known: file, stdout, journald, syslog, unix_datagram)");
}

TEST(LoadConfiguration, no_sink_of_the_flow_log_is_there_twice) {
    EXPECT_EQ(error_with_sinks("  - file: /a\n  - file: /b\n  - file: //a"),
              "x.yaml:5: flow_log: sinks: file /a is in the list twice");
    EXPECT_EQ(error_with_sinks("  - syslog: udp://192.0.2.1\n  - syslog: udp://192.0.2.1:514"),
              "x.yaml:4: flow_log: sinks: syslog udp://192.0.2.1:514 is in the list twice");
    EXPECT_EQ(error_with_sinks("  - stdout: true\n  - stdout: true"),
              "x.yaml:4: flow_log: sinks: stdout is in the list twice");
}

TEST(LoadConfiguration, without_sinks_there_is_no_flow_log) {
    EXPECT_TRUE(parse("flow_log: {sinks: []}").flow_log.sinks.empty());
    EXPECT_EQ(parse("flow_log: {format: aws}").flow_log.sinks.size(), 1U) << "the default";
}

TEST(LoadConfiguration, a_value_is_of_its_settings_kind) {
    EXPECT_EQ(error_of("region: [a]"), "x.yaml:1: region: one value belongs here, not a list");
    EXPECT_EQ(error_of("region:\naccount: \"000000000000\""), "x.yaml:1: region: one value belongs here, not nothing");
    EXPECT_EQ(error_of("firewalls: edge"), "x.yaml:1: firewalls: a list belongs here, not a text");
    EXPECT_EQ(error_of("firewalls:\n- edge"), "x.yaml:2: firewalls: a map of keys and values belongs here, not a text");
    EXPECT_EQ(error_of("firewalls:\n-\nregion: a"),
              "x.yaml:1: firewalls: a map of keys and values belongs here, not nothing");
    EXPECT_EQ(error_of("protected: protocol=tcp"), "x.yaml:1: protected: a list belongs here, not a text");
    EXPECT_EQ(error_of("protected:\n- protocol: tcp"), "x.yaml:2: protected: one value belongs here, not a map");
    EXPECT_EQ(error_of("http:\nregion: a"), "x.yaml:1: http: a map of keys and values belongs here, not nothing");
    EXPECT_EQ(error_of("- region: a"), "x.yaml:1: a map of keys and values belongs here, not a list");
}

TEST(LoadConfiguration, a_key_is_known_and_given_once) {
    EXPECT_EQ(error_of("http:\n  sockets: /x"),
              "x.yaml:2: http: sockets: unknown key (known: socket, listeners, credentials, insecure_loopback, "
              "connections, requests_per_second); did you mean \"socket\"?");
    EXPECT_EQ(error_of("region: a\nregion: b"), "x.yaml:2: region: given twice");
    EXPECT_EQ(error_of("? [a]\n: b"), "x.yaml:1: a key is a text, not a list");
}

TEST(LoadConfiguration, reports_every_error_in_the_order_of_its_line) {
    EXPECT_EQ(
        error_of("colour: red\nfirewalls:\n- name: a.b\n  endpoints:\n  - availability_zone: ''\nregion: a b\n"
                 "account: 1\n"),
        "x.yaml:1: colour: unknown key (known: region, account, state_dir, retention, disk_budget, "
        "operation_timeout, fast_scan, fast_flush, firewalls, protected, stream_exception_policy, http, flow_log, "
        "audit_log)\n"
        "x.yaml:3: firewalls: name: \"a.b\" is not made of letters, digits and - alone\n"
        "x.yaml:5: firewalls: endpoints: availability_zone: a name has 1 to 128 characters, not 0\n"
        "x.yaml:6: region: \"a b\" is not made of letters, digits and - alone\n"
        "x.yaml:7: account: \"1\" is not a number of 12 digits");
}

TEST(LoadConfiguration, reports_20_errors_and_how_many_more_there_are) {
    std::string text = "protected:\n";
    for (int i = 0; i < 20; ++i)
        text += "- protocol=tpc\n";
    const auto lines = [](const std::string& error) { return std::ranges::count(error, '\n') + 1; };
    EXPECT_EQ(lines(error_of(text)), 20);
    const auto one_more = error_of(text + "- protocol=tpc\n");
    EXPECT_EQ(lines(one_more), 21);
    EXPECT_TRUE(one_more.ends_with("\n... and 1 more")) << one_more;
}

TEST(LoadConfiguration, an_error_is_one_line_whatever_it_quotes) {
    EXPECT_EQ(error_of(R"(region: "a\n\e[2J")"),
              "x.yaml:1: region: \"a??[2J\" is not made of letters, digits and - alone");
    EXPECT_LT(error_of("account: " + std::string(50'000, 'a')).size(), 600U);
}

TEST(LoadConfiguration, what_is_not_yaml_is_an_error_with_its_line) {
    EXPECT_EQ(error_of("region: a\nfirewalls: [a"), "x.yaml:2: the list that begins with [ does not end with ]");
    EXPECT_EQ(error_of("region: &a b"), "x.yaml:1: anchors and aliases are not understood here; write the value out");
}

class LoadConfigurationFiles : public ::testing::Test {
  protected:
    Result<Configuration> load(WhenMissing when_missing = WhenMissing::Fail) {
        return load_configuration(folder_.path("headgate.yaml"), when_missing);
    }
    std::string error() {
        const auto loaded = load();
        return loaded ? "" : loaded.error().message;
    }

    TemporaryFolder folder_;
};

TEST_F(LoadConfigurationFiles, a_file_that_was_named_must_be_there) {
    EXPECT_EQ(error(), folder_.path("headgate.yaml") + ": No such file or directory");
    EXPECT_EQ(load().error().kind, ErrorKind::Invalid);
}

TEST_F(LoadConfigurationFiles, without_the_usual_file_there_are_the_defaults) {
    Configuration expected;
    expected.firewalls = {default_firewall()};
    expected.flow_log.sinks = {file_sink("/var/log/headgate/flow.json")};
    EXPECT_EQ(load(WhenMissing::UseDefaults).value(), expected);
}

TEST_F(LoadConfigurationFiles, the_usual_file_that_cannot_be_read_is_an_error) {
    std::filesystem::create_symlink("nowhere", folder_.path("headgate.yaml"));
    EXPECT_FALSE(load(WhenMissing::UseDefaults));
}

TEST_F(LoadConfigurationFiles, conf_d_counts_without_the_usual_file_too) {
    folder_.write("conf.d/region.yaml", "region: b");
    EXPECT_EQ(load(WhenMissing::UseDefaults)->region, "b");
}

TEST_F(LoadConfigurationFiles, later_files_replace_values_in_the_order_of_their_names) {
    folder_.write("headgate.yaml", "region: a\nretention: 1h\nhttp: {socket: /a, insecure_loopback: true}\n");
    folder_.write("conf.d/20.yaml", "region: c\n");
    folder_.write("conf.d/10.yaml", "region: b\nhttp: {socket: /b}\n");
    const auto configuration = load();
    ASSERT_TRUE(configuration) << configuration.error().message;
    EXPECT_EQ(configuration->region, "c");
    EXPECT_EQ(configuration->retention, 1h);
    EXPECT_EQ(configuration->http.socket, "/b");
    EXPECT_TRUE(configuration->http.insecure_loopback);
    EXPECT_EQ(configuration->files,
              (std::vector<std::filesystem::path>{folder_.path("headgate.yaml"), folder_.path("conf.d/10.yaml"),
                                                  folder_.path("conf.d/20.yaml")}));
}

TEST_F(LoadConfigurationFiles, lists_grow_but_the_reasons_of_the_flow_log) {
    folder_.write("headgate.yaml",
                  "protected: [protocol=ospf]\n"
                  "firewalls: [{name: edge, endpoints: [{availability_zone: a}]}]\n"
                  "flow_log: {reasons: [closed, timeout]}\n");
    folder_.write("conf.d/b.yaml",
                  "protected: [destination-port=22]\n"
                  "firewalls: [{name: edge, endpoints: [{availability_zone: b, netns: b}]}]\n"
                  "flow_log: {reasons: [flushed]}\n");
    const auto configuration = load();
    ASSERT_TRUE(configuration) << configuration.error().message;
    EXPECT_EQ(configuration->protected_filters.size(), 2U);
    ASSERT_EQ(configuration->firewalls.size(), 1U);
    EXPECT_EQ(configuration->firewalls.front().endpoints.size(), 2U);
    EXPECT_EQ(configuration->flow_log.reasons, std::vector{FlowLogReason::Flushed});
}

TEST_F(LoadConfigurationFiles, sinks_grow_but_the_default_one_is_there_alone) {
    folder_.write("headgate.yaml", "flow_log: {sinks: [{file: /var/log/headgate/flow.json}]}\n");
    folder_.write("conf.d/a.yaml", "flow_log: {queue: 2MiB}\n");
    EXPECT_EQ(load()->flow_log.sinks.size(), 1U);
    folder_.write("conf.d/b.yaml", "flow_log: {sinks: [{journald: true}]}\n");
    EXPECT_EQ(load()->flow_log.sinks.size(), 2U) << "what a file says stays, also where it is what the default says";
    folder_.write("headgate.yaml", "region: a\n");
    const auto sinks = load()->flow_log.sinks;
    ASSERT_EQ(sinks.size(), 1U);
    EXPECT_TRUE(sinks.front().journald);
    folder_.write("conf.d/b.yaml", "flow_log: {sinks: []}\n");
    EXPECT_TRUE(load()->flow_log.sinks.empty());
}

TEST_F(LoadConfigurationFiles, errors_of_all_files_are_reported) {
    folder_.write("headgate.yaml", "firewalls: [{name: edge, endpoints: [{availability_zone: a}]}]\nregion: a b\n");
    folder_.write("conf.d/b.yaml", "\nfirewalls: [{name: edge, endpoints: [{availability_zone: a, netns: b}]}]\n");
    EXPECT_EQ(error(), folder_.path("headgate.yaml") +
                           ":2: region: \"a b\" is not made of letters, digits and - alone\n" +
                           folder_.path("conf.d/b.yaml") +
                           ":2: firewalls: endpoints: availability_zone: firewall edge has an endpoint in a already");
}

TEST_F(LoadConfigurationFiles, of_conf_d_are_those_called_yaml) {
    folder_.write("headgate.yaml", "region: a");
    for (const auto* name : {"conf.d/.#b.yaml", "conf.d/b.yaml~", "conf.d/b.yml", "conf.d/README"})
        folder_.write(name, "region: b");
    EXPECT_EQ(load()->region, "a");
}

TEST_F(LoadConfigurationFiles, that_are_no_regular_files_are_errors) {
    folder_.write("headgate.yaml", "region: a");
    std::filesystem::create_directories(folder_.path("conf.d/b.yaml"));
    EXPECT_EQ(error(), folder_.path("conf.d/b.yaml") + ": not a regular file");
}

TEST_F(LoadConfigurationFiles, conf_d_is_a_folder) {
    folder_.write("headgate.yaml", "region: a");
    folder_.write("conf.d", "region: b");
    EXPECT_EQ(error(), folder_.path("conf.d") + ": Not a directory");
}

}  // namespace load_configuration_test
}  // namespace headgate::config
