// SPDX-License-Identifier: GPL-2.0-or-later
// write_fuzz_seeds FOLDER: writes seeds for the fuzzers, one folder for each, made with the tests' builders; beside it,
// NAME.dict with the words of the seeds.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "config/settings_text.h"
#include "flow/flow_json.h"
#include "flowlog/record_format.h"
#include "http/aws/firewall_names.h"
#include "http/rest/routes.h"
#include "midstream/nft_messages.h"
#include "midstream/policy_file.h"
#include "operations/flow_rows.h"
#include "support/ended_flows.h"
#include "support/flow_builder.h"
#include "support/kernel_messages.h"
#include "support/memory_gateway.h"
#include "support/stored_operations.h"
#include "support/walk_rows.h"

namespace {

using namespace headgate;
using namespace headgate::testing;

/// The seeds of one fuzzer.
class Seeds {
  public:
    Seeds(const std::filesystem::path& folder, std::string_view name) : folder_(folder / name) {
        std::filesystem::create_directories(folder_);
    }
    ~Seeds() {
        std::ofstream dictionary{folder_.native() + ".dict"};
        dictionary << "# The format: https://llvm.org/docs/LibFuzzer.html#dictionaries\n";
        for (const auto& word : words_)
            dictionary << fmt::format("\"{}\"\n", word);
    }
    Seeds(const Seeds&) = delete;
    Seeds& operator=(const Seeds&) = delete;

    void add(std::string_view text) {
        std::ofstream{folder_ / std::to_string(++count_), std::ios::binary} << text;
        constexpr std::string_view kLetters = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
        for (std::size_t end = 0, begin = 0; (begin = text.find_first_of(kLetters, end)) != text.npos;) {
            end = std::min(text.find_first_not_of(kLetters, begin), text.size());
            if (end - begin > 1 && end - begin <= kLongestWord) words_.emplace(text.substr(begin, end - begin));
        }
    }
    void add(std::span<const std::byte> bytes) { add({reinterpret_cast<const char*>(bytes.data()), bytes.size()}); }

  private:
    static constexpr std::size_t kLongestWord = 64;  // libFuzzer ignores longer ones

    const std::filesystem::path folder_;
    int count_ = 0;
    std::set<std::string> words_;
};

constexpr std::string_view kFirstOperation = "00000000-0000-4000-8000-000000000001";  // as fuzz_http_request names it

std::string text_of(const std::filesystem::path& file) {
    std::ifstream text{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{text}, {}};
}

void write_flows(Seeds&& messages, Seeds&& captures, Seeds&& rows) {
    for (const Flow& flow :
         {tcp_flow().established().with_id(1).with_bytes(1, 2).started_at(Timestamp{std::chrono::years{50}}).flow(),
          udp_flow().from("2001:db8::1", 1).to("2001:db8::2", 53).in_zone(7).flow(), icmp_flow().flow(),
          icmpv6_flow().in_zone(3, ZoneDirection::Original).flow(), sctp_flow().in_state(4).flow(),
          tcp_flow().leaving_as("192.0.2.1", 5).redirected_to("10.9.9.9", 6).flow()}) {
        messages.add(KernelMessage{flow}.payload());
        const auto row = walked(flow);
        rows.add(std::as_bytes(std::span{&row, 1}));
        fmt::memory_buffer json;
        append_flow_json(json, {flow}, {.now = Timestamp{std::chrono::years{51}}});
        captures.add(fmt::to_string(json));
        captures.add(fmt::format(R"({{"operation_id":"x","type":"FLOW_CAPTURE","firewall":"a","availability_zone":"b",)"
                                 R"("counts":{{"matched":1}},"flows":[{}]}})",
                                 fmt::to_string(json)));
    }
}

void write_filters(Seeds&& seeds) {
    for (const auto* text :
         {"source=10.0.1.0/24,destination=10.0.2.2,source-port=1990:1994,destination-port=80,protocol=tcp",
          "source=2001:db8::/64,protocol=17,protocol=icmpv6", "destination-port=ANY,protocol=any",
          "translated-source=192.0.2.1,translated-destination=10.0.0.0/8"}) {
        seeds.add(text);
    }
}

void write_nft_messages(Seeds&& seeds) {
    netlink::RequestBuffer transaction;
    const std::vector<FlowRow> rows{{tcp_flow().flow(), {}}, {icmpv6_flow().flow(), {}}};
    midstream::add_transaction(transaction, midstream::elements_for(rows, std::chrono::seconds{9}, 65536),
                               midstream::WhenThere::Renew);
    seeds.add(transaction.bytes());
}

std::string without_comments(std::string_view text) {
    std::string rest;
    while (!text.empty()) {
        const auto line = take_until(text, '\n');
        if (!trimmed(line).empty() && !trimmed(line).starts_with('#')) rest.append(line).push_back('\n');
    }
    return rest;
}

/// The example with every setting in force.
std::string in_force(std::string_view example) {
    std::string text;
    while (!example.empty()) {
        auto line = take_until(example, '\n');
        const bool is_prose = line.starts_with("# ") && !line.starts_with("#  ");
        if (line.starts_with('#') && !is_prose) line.remove_prefix(1);
        text.append(line).push_back('\n');
    }
    return without_comments(text);
}

void write_policies(Seeds&& seeds) {
    for (const auto& policy : std::filesystem::directory_iterator{SHIPPED_POLICIES})
        if (policy.path().extension() == ".yaml") seeds.add(without_comments(text_of(policy.path())));
    StreamExceptionPolicy any;
    seeds.add(in_force(config::settings_example(midstream::settings_of(any))));
    for (const auto* text :
         {"stream_exception_policy: reject\nlog: {prefix: \"x \", packets_per_second: 7}\nhooks:\n  - input\n",
          "%YAML 1.2\n--- !!map\n? &a stream_exception_policy\n: *a\n...\n---\n<<: [{}]\n",
          "description: |-\n  one\n  two\n\"scope\": 'all'\npriority: -199\nremember_flushed_for: 12h\n"}) {
        seeds.add(text);
    }
}

void write_configurations(Seeds&& seeds) {
    seeds.add(in_force(config::configuration_example()));
    for (const auto* text :
         {"firewalls:\n- name: a\n  endpoints:\n  - {availability_zone: b, netns: c, conntrack_zone: 5}\n"
          "  - availability_zone: d\n- {name: a, endpoints: [{availability_zone: e, netns: /f}]}\n",
          "http:\n  listeners:\n  - {address: '::', port: 1, tls: {certificate: /c, key: /k}}\nretention: 7d\n",
          "flow_log: {format: aws, reasons: [closed], queue: 2MiB, filters: [protocol=tcp],"
          " sinks: [{file: /f}, {syslog: 'tcp://[::1]:1'}, {stdout: true}]}\nprotected: [protocol=tcp]\n"}) {
        seeds.add(text);
    }
}

std::string request(std::string_view method, std::string_view target, std::string_view fields, std::string_view body) {
    const auto length = body.empty() ? "" : fmt::format("Content-Length: {}\r\n", body.size());
    return fmt::format("{} {} HTTP/1.1\r\nHost: a\r\n{}{}\r\n{}", method, target, fields, length, body);
}

std::string json_request(std::string_view method, std::string_view target, std::string_view body) {
    return request(method, target, "Content-Type: application/json\r\nIdempotency-Key: a\r\n", body);
}

/// A request for each route, with each of its parameters, after one that starts the operation.
void write_routes(Seeds& seeds, std::string_view start) {
    MemoryGateway gateway;
    http::Metrics metrics;
    http::access::ReplayGuard replays{kSystemClock.now()};
    const auto router = http::make_router(gateway, replays, metrics);
    for (const auto& route : router.routes()) {
        std::string target{route.path};
        for (const auto& [variable, value] :
             {std::pair<std::string_view, std::string_view>{"{id}", kFirstOperation}, {"{name}", "drop"}})
            if (const auto at = target.find(variable); at != target.npos) target.replace(at, variable.size(), value);
        seeds.add(fmt::format("{}{}{}", start, request(route.method, target, "", ""),
                              request(route.method, fmt::format("{}?{}=1", target, fmt::join(route.query, "=1&")),
                                      "Accept: text/event-stream, text/csv;q=0.5, */*;q=0.1\r\n", "")));
    }
}

void write_aws_calls(Seeds& seeds, const config::Configuration& configuration) {
    const auto about =
        fmt::format(R"("FirewallArn":"{}","AvailabilityZone":"a")", http::aws::firewall_arn(configuration, "edge"));
    const auto call = [](std::string_view operation, std::string_view body) {
        return request("POST", "/",
                       fmt::format("Content-Type: application/x-amz-json-1.0\r\namz-sdk-invocation-id: a\r\n"
                                   "X-Amz-Target: NetworkFirewall_20201112.{}\r\n",
                                   operation),
                       fmt::format("{{{}}}", body));
    };
    const auto filters = fmt::format(
        R"({},"MinimumFlowAgeInSeconds":1,"FlowFilters":[{{"SourceAddress":{{"AddressDefinition":"10.0.0.0/8"}},)"
        R"("DestinationAddress":{{"AddressDefinition":"10.0.0.1"}},"SourcePort":"1:9","DestinationPort":"ANY",)"
        R"("Protocols":["6"]}}])",
        about);
    const auto started = fmt::format(R"({},"FlowOperationId":"{}")", about, kFirstOperation);
    const auto start = call("StartFlowCapture", filters);
    for (
        const auto& rest :
        {call("StartFlowFlush", filters), call("DescribeFlowOperation", started),
         call("ListFlowOperations", about + R"(,"FlowOperationType":"FLOW_FLUSH","MaxResults":1)"),
         call("ListFlowOperationResults", started + R"(,"MaxResults":1,"NextToken":"a")"),
         call("ListFirewalls", R"("VpcIds":["a"])"), call("DescribeFirewall", R"("FirewallName":"edge")"),
         call("DescribeFirewallPolicy", R"("FirewallPolicyName":"edge")"),
         call(
             "UpdateFirewallPolicy",
             R"("FirewallPolicyName":"edge","UpdateToken":"a","DryRun":true,"FirewallPolicy":{"StatefulEngineOptions":)"
             R"({"RuleOrder":"STRICT_ORDER","StreamExceptionPolicy":"DROP"},)"
             R"("StatelessDefaultActions":["aws:forward_to_sfe"],)"
             R"("StatelessFragmentDefaultActions":["aws:forward_to_sfe"]}})")}) {
        seeds.add(start + rest);
    }
}

void write_requests(Seeds&& seeds) {
    const auto capture = json_request("POST", "/v1/operations", R"({"type":"FLOW_CAPTURE","filters":[{}]})");
    write_routes(seeds, capture);
    write_aws_calls(seeds, MemoryGateway{}.configured);
    for (const auto& text :
         {json_request("POST", "/v1/operations",
                       R"({"type":"FLOW_FLUSH","filters":[{"source":"10.0.0.0/8","source_port":"1:2",)"
                       R"("protocols":["tcp"]}],"state":"NEW","match":"any","mark":"0x5/0x7","zone":5,)"
                       R"("minimum_bytes":9,"dry_run":true,"protected":["protocol=tcp"],"maximum_flows":3})"),
          std::string{"PUT /v1/stream-exception-policy?firewall=edge HTTP/1.1\r\nHost: a\r\n"
                      "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                      "11\r\n{\"policy\":\"drop\"}\r\n0\r\n\r\n"},
          fmt::format("{}POST /v1/operations/{}/cancel HTTP/1.0\r\n\r\n", capture, kFirstOperation),
          request("GET", "http://a/", "X-Headgate-Sudo-User: a\r\nExpect: 100-continue\r\nConnection: close\r\n",
                  "")}) {
        seeds.add(text);
    }
}

void write_signed_requests(Seeds&& seeds) {
    for (const auto* text :
         {"POST /\nHost:a\nX-Amz-Date:20261121T080000Z\nAuthorization:AWS4-HMAC-SHA256 "
          "Credential=AKIDEXAMPLE/20261121/eu-west-1/network-firewall/aws4_request, SignedHeaders=host;x-amz-date, "
          "Signature=53d497c03398182e396b414ba23ac8450966c50f0529e25aab4ca9789ca8e783\n\n{}",
          "GET /v1/a%2Fb?b=%C3%A9+&a=1&a=0&c\nAuthorization:AWS4-HMAC-SHA256 "
          "Signature=53d497c03398182e396b414ba23ac8450966c50f0529e25aab4ca9789ca8e783,SignedHeaders=accept;host;"
          "x-amz-date;x-amz-target,Credential=AKIDEXAMPLE/20261121/r/network-firewall/aws4_request\nHost:b\n"
          "X-Amz-Date:20261121T081500Z\nX-Amz-Target:  x   y\nx-amz-content-sha256:"
          "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n",
          "GET /\nAuthorization:Bearer abc\n"}) {
        seeds.add(text);
    }
}

void write_records(Seeds&& seeds) {
    for (const auto format : {config::FlowLogFormat::Eve, config::FlowLogFormat::Aws}) {
        flowlog::LineBlock lines;
        const auto records = flowlog::make_format(format);
        for (const auto& each : {flushed_flow(), foreign_flushed_flow(), timed_out_ping()})
            records->append(lines, each);
        records->append(lines, lost_flows());
        for (std::size_t i = 0; i < lines.count(); ++i)
            seeds.add(lines.line(i));
    }
}

/// The input format of fuzz_flow_rows: the length of the rows, the rows, the outcomes.
std::string packed(operations::FlowBlock& block, const PackedBytes& outcomes) {
    const auto& rows = block.rows();
    std::string text{static_cast<char>(rows.size() >> 8U), static_cast<char>(rows.size())};
    for (const auto* part : {&rows, &outcomes})
        text.append(reinterpret_cast<const char*>(part->data()), part->size());
    return text;
}

void write_rows(Seeds&& seeds) {
    operations::FlowBlock block;
    for (const auto& each : flows_of_every_kind())
        block.add(each);
    seeds.add(packed(block, block.outcomes()));
    seeds.add(packed(block, operations::pack_endings(endings_of(flows_of_every_kind()))));
    operations::FlowBlock judged;
    for (const auto& each : judged_flows())
        judged.add(each);
    seeds.add(packed(judged, {}));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const std::filesystem::path folder = argv[1];
    write_flows({folder, "flow_message"}, {folder, "capture_file"}, {folder, "walk_row"});
    write_filters({folder, "flow_filter"});
    write_nft_messages({folder, "nft_message"});
    write_policies({folder, "policy_file"});
    write_configurations({folder, "configuration"});
    write_requests({folder, "http_request"});
    write_signed_requests({folder, "authorization"});
    write_records({folder, "flow_record"});
    write_rows({folder, "flow_rows"});
    return 0;
}
