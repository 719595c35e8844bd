// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/eve_format.h"

namespace headgate::flowlog {
namespace {

/// Each member is followed by a comma.
void append_counters(LineText& out, const Flow& flow) {
    const auto& sent = flow.counters_original;
    const auto& answered = flow.counters_reply;
    const auto member = [&](std::string_view name, std::uint64_t number) {
        out.append(name, number);
        out.push_back(',');
    };
    if (sent) member(R"("pkts_toserver":)", sent->packets);
    if (answered) member(R"("pkts_toclient":)", answered->packets);
    if (sent) member(R"("bytes_toserver":)", sent->bytes);
    if (answered) member(R"("bytes_toclient":)", answered->bytes);
}

}  // namespace

void EveFormat::append(LineBlock& block, const EndedFlow& ended) {
    {
        LineText out{block.text()};
        append_line(out, ended);
    }
    block.end_line();
}

void EveFormat::append_line(LineText& out, const EndedFlow& ended) {
    const Flow& flow = ended.flow;
    out.append(R"({"timestamp":")");
    life_.append_end(out, ended);
    out.append(R"(","flow_id":)", flow_id(flow));
    out.append(R"(,"event_type":"flow",)");
    append_tuple(out, flow.original);
    append_community_id(out, community_id_.of(flow.original));
    out.append(R"(,"flow":{)");
    append_counters(out, flow);
    life_.append_to(out, ended);
    out.push_back('}');
    append_protocol_state(out, flow);
    append_nat(out, flow.original, translated(flow));
    append_mark_and_zone(out, flow);
    provenance_.append_to(out, ended);
    out.push_back('}');
}

void EveFormat::append(LineBlock& block, const LostFlows& lost) {
    auto& out = block.text();
    out.push_back('{');
    life_.append_loss(out, lost);
    out.push_back('}');
    block.end_line();
}

}  // namespace headgate::flowlog
