// SPDX-License-Identifier: GPL-2.0-or-later
// write_fuzz_seeds FOLDER: writes seeds for the fuzzers, one folder for each, made with the tests' builders.
#include <filesystem>
#include <fstream>
#include <string>

#include "config/settings_text.h"
#include "flow/flow_json.h"
#include "flowlog/record_format.h"
#include "midstream/nft_messages.h"
#include "operations/flow_rows.h"
#include "support/ended_flows.h"
#include "support/flow_builder.h"
#include "support/kernel_messages.h"
#include "support/stored_operations.h"

namespace {

using namespace headgate;
using namespace headgate::testing;

void write(const std::filesystem::path& folder, int number, std::string_view text) {
    std::filesystem::create_directories(folder);
    std::ofstream{folder / std::to_string(number), std::ios::binary} << text;
}

/// The input format of fuzz_flow_rows: the length of the rows, the rows, the outcomes.
std::string packed(operations::FlowBlock& block, const operations::PackedBytes& outcomes) {
    const auto& rows = block.rows();
    std::string text{static_cast<char>(rows.size() >> 8U), static_cast<char>(rows.size())};
    for (const auto* part : {&rows, &outcomes})
        text.append(reinterpret_cast<const char*>(part->data()), part->size());
    return text;
}

std::string text_of(const std::filesystem::path& file) {
    std::ifstream text{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{text}, {}};
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const std::filesystem::path folder = argv[1];
    int number = 0;
    for (const Flow& flow :
         {tcp_flow().established().with_id(1).with_bytes(1, 2).started_at(Timestamp{std::chrono::years{50}}).flow(),
          udp_flow().from("2001:db8::1", 1).to("2001:db8::2", 53).in_zone(7).flow(), icmp_flow().flow(),
          icmpv6_flow().in_zone(3, ZoneDirection::Original).flow(), sctp_flow().in_state(4).flow(),
          tcp_flow().leaving_as("192.0.2.1", 5).redirected_to("10.9.9.9", 6).flow()}) {
        const auto payload = KernelMessage{flow}.payload();
        write(folder / "flow_message", ++number, {reinterpret_cast<const char*>(payload.data()), payload.size()});
        fmt::memory_buffer json;
        append_flow_json(json, {flow}, {.now = Timestamp{std::chrono::years{51}}});
        write(folder / "capture_file", number, fmt::to_string(json));
        write(folder / "capture_file", 100 + number,
              fmt::format(R"({{"operation_id":"x","type":"FLOW_CAPTURE","flows":[{}]}})", fmt::to_string(json)));
    }
    for (const auto* text :
         {"source=10.0.1.0/24,destination=10.0.2.2,source-port=1990:1994,destination-port=80,protocol=tcp",
          "source=2001:db8::/64,protocol=17,protocol=icmpv6", "destination-port=ANY,protocol=any"}) {
        write(folder / "flow_filter", ++number, text);
    }
    netlink::RequestBuffer transaction;
    const std::vector<FlowRow> rows{{tcp_flow().flow(), {}}, {icmpv6_flow().flow(), {}}};
    midstream::add_transaction(transaction, midstream::elements_for(rows, std::chrono::seconds{9}, 65536),
                               midstream::WhenThere::Renew);
    write(folder / "nft_message", ++number,
          {reinterpret_cast<const char*>(transaction.bytes().data()), transaction.bytes().size()});
    for (const auto& policy : std::filesystem::directory_iterator{SHIPPED_POLICIES}) {
        if (policy.path().extension() == ".yaml") write(folder / "policy_file", ++number, text_of(policy.path()));
    }
    for (const auto* text :
         {"stream_exception_policy: reject\nlog: {prefix: \"x \", packets_per_second: 7}\nhooks:\n  - input\n",
          "%YAML 1.2\n--- !!map\n? &a stream_exception_policy\n: *a\n...\n---\n<<: [{}]\n",
          "description: |-\n  one\n  two\n\"scope\": 'all'\npriority: -199\nremember_flushed_for: 12h\n"}) {
        write(folder / "policy_file", ++number, text);
    }
    write(folder / "configuration", ++number, config::configuration_example());
    for (const auto* text :
         {"firewalls:\n- name: a\n  endpoints:\n  - {availability_zone: b, netns: c, conntrack_zone: 5}\n"
          "  - availability_zone: d\n- {name: a, endpoints: [{availability_zone: e, netns: /f}]}\n",
          "http:\n  listeners:\n  - {address: '::', port: 1, tls: {certificate: /c, key: /k}}\nretention: 7d\n",
          "flow_log: {format: aws, reasons: [closed], queue: 2MiB, filters: [protocol=tcp],"
          " sinks: [{file: /f}, {syslog: 'tcp://[::1]:1'}, {stdout: true}]}\nprotected: [protocol=tcp]\n"}) {
        write(folder / "configuration", ++number, text);
    }
    for (const auto* text :
         {"POST /v1/operations HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nIdempotency-Key: "
          "a\r\nContent-Length: "
          "214\r\n"
          "\r\n{\"type\":\"FLOW_FLUSH\",\"filters\":[{\"source\":\"10.0.0.0/"
          "8\",\"source_port\":\"1:2\",\"protocols\":[\"tcp\"]"
          "}],\"state\":\"NEW\",\"match\":\"any\",\"mark\":\"0x5/0x7\",\"zone\":5,\"minimum_bytes\":9,\"dry_run\":true,"
          "\"protected\":[\"protocol=tcp\"],\"maximum_flows\":3}",
          "PUT /v1/stream-exception-policy?firewall=edge HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
          "Transfer-Encoding: chunked\r\n\r\n11\r\n{\"policy\":\"drop\"}\r\n0\r\n\r\n",
          "GET /v1/operations?type=FLOW_CAPTURE&limit=%31 HTTP/1.1\r\nHost: a\r\n\r\nPOST "
          "/v1/operations/operation-1/cancel "
          "HTTP/1.0"
          "\r\n\r\n",
          "GET /v1/operations/operation-1/results?limit=7 HTTP/1.1\r\nHost: a\r\nAccept: text/csv;q=0.5, "
          "*/*;q=0.1\r\nX-Headgate-Sudo-User: a\r\n\r\n"}) {
        write(folder / "http_request", ++number, text);
    }
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
        write(folder / "authorization", ++number, text);
    }
    for (const auto format : {config::FlowLogFormat::Eve, config::FlowLogFormat::Aws}) {
        flowlog::LineBlock lines;
        const auto records = flowlog::make_format(format);
        for (const auto& each : {flushed_flow(), foreign_flushed_flow(), timed_out_ping()})
            records->append(lines, each);
        records->append(lines, lost_flows());
        for (std::size_t i = 0; i < lines.count(); ++i)
            write(folder / "flow_record", ++number, lines.line(i));
    }
    operations::FlowBlock block;
    for (const auto& each : flows_of_every_kind())
        block.add(each);
    write(folder / "flow_rows", ++number, packed(block, block.outcomes()));
    write(folder / "flow_rows", ++number, packed(block, operations::pack_endings(endings_of(flows_of_every_kind()))));
    return 0;
}
