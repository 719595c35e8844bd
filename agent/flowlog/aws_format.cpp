// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/aws_format.h"

#include <iterator>

#include "flow/flow_json.h"

namespace headgate::flowlog {

/// One direction of a flow: addresses before and after NAT, and counters.
struct AwsFormat::Direction {
    FlowTuple tuple;
    FlowTuple translated;
    std::optional<Counters> counters;
};

namespace {

bool was_answered(const Flow& flow) {
    if (flow.counters_reply) return flow.counters_reply->packets != 0;
    return (flow.status & flow_status::kSeenReply) != 0;
}

/// The reply direction's tuple before NAT: source and destination exchanged, with the reply's own ICMP type and code.
FlowTuple answering(const Flow& flow) {
    FlowTuple tuple = swapped(flow.original);
    tuple.icmp_type = flow.reply.icmp_type;
    tuple.icmp_code = flow.reply.icmp_code;
    return tuple;
}

}  // namespace

void AwsFormat::append_envelope(LineText& out, const std::shared_ptr<const Endpoint>& endpoint, Timestamp time) {
    if (endpoint != endpoint_ || origin_.size() == 0) {
        endpoint_ = endpoint;
        origin_.clear();
        origin_.push_back('{');
        if (endpoint != nullptr) {
            fmt::format_to(std::back_inserter(origin_), R"("firewall_name":)");
            append_json_string(origin_, endpoint->firewall);
            fmt::format_to(std::back_inserter(origin_), R"(,"availability_zone":)");
            append_json_string(origin_, endpoint->availability_zone);
            origin_.push_back(',');
        }
    }
    out.append({origin_.data(), origin_.size()});
    const auto second = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    out.append(R"("event_timestamp":")", second);
    out.append(R"(","event":{)");
}

void AwsFormat::append(LineBlock& block, const EndedFlow& ended) {
    const Flow& flow = ended.flow;
    const FlowTuple after = translated(flow);
    const auto community = community_id_.of(flow.original);
    append(block, ended, {flow.original, after, flow.counters_original}, community);
    if (was_answered(flow)) {
        append(block, ended, {answering(flow), swapped(after), flow.counters_reply}, community);
    }
}

void AwsFormat::append(LineBlock& block, const EndedFlow& ended, const Direction& direction,
                       std::string_view community) {
    {
        LineText out{block.text()};
        append_line(out, ended, direction, community);
    }
    block.end_line();
}

void AwsFormat::append_line(LineText& out, const EndedFlow& ended, const Direction& direction,
                            std::string_view community) {
    append_envelope(out, ended.endpoint, ended.ended_at);
    out.append(R"("timestamp":")");
    life_.append_end(out, ended);
    out.append(R"(","flow_id":)", flow_id(ended.flow));
    out.append(R"(,"event_type":"netflow",)");
    append_tuple(out, direction.tuple);
    append_community_id(out, community);
    out.append(R"(,"netflow":{)");
    if (const auto& counted = direction.counters) {
        out.append(R"("pkts":)", counted->packets);
        out.append(R"(,"bytes":)", counted->bytes);
        out.push_back(',');
    }
    life_.append_to(out, ended);
    out.push_back('}');
    append_protocol_state(out, ended.flow);
    append_nat(out, direction.tuple, direction.translated);
    append_mark_and_zone(out, ended.flow);
    provenance_.append_to(out, ended);
    out.append("}}");
}

void AwsFormat::append(LineBlock& block, const LostFlows& lost) {
    {
        LineText out{block.text()};
        append_envelope(out, lost.endpoint, lost.until);
    }
    life_.append_loss(block.text(), lost);
    block.text().append(std::string_view{"}}"});
    block.end_line();
}

}  // namespace headgate::flowlog
