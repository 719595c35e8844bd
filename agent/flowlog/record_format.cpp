// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/record_format.h"

#include "flow/json_members.h"
#include "flowlog/community_id.h"
#include "flowlog/record_text.h"

namespace headgate::flowlog {
namespace {

/// The event of a record, which both formats have.
class EventText {
  public:
    /// `type`: of the event, and the name of the object that has counters and life. `append_counters(out)` writes the
    /// former, each followed by a comma.
    template <typename AppendCounters>
    void append_to(LineText& out, const EndedFlow& ended, std::string_view type, const FlowTuple& tuple,
                   const FlowTuple& translated, std::string_view community, const AppendCounters& append_counters) {
        out.append(R"("timestamp":")");
        life_.append_end(out, ended);
        out.append(R"(","flow_id":)", flow_id(ended.flow));
        out.append(R"(,"event_type":")");
        out.append(type);
        out.append(R"(",)");
        append_tuple(out, tuple);
        append_community_id(out, community);
        out.append(R"(,")");
        out.append(type);
        out.append(R"(":{)");
        append_counters(out);
        life_.append_to(out, ended);
        out.push_back('}');
        append_protocol_state(out, ended.flow);
        append_nat(out, tuple, translated);
        append_mark_and_zone(out, ended.flow);
        provenance_.append_to(out, ended);
    }

    void append_loss(Buffer& out, const LostFlows& lost) { life_.append_loss(out, lost); }

    [[nodiscard]] std::string_view community_id(const Flow& flow) { return community_id_.of(flow.original); }

  private:
    CommunityId community_id_;
    LifeText life_;
    Provenance provenance_;
};

/// `name` is the complete text before the number.
void append_counter(LineText& out, std::string_view name, std::uint64_t number) {
    out.append(name, number);
    out.push_back(',');
}

/// Suricata's EVE format: one `flow` event per flow (docs/flow-log.md).
class EveFormat final : public RecordFormat {
  public:
    void append(LineBlock& block, const EndedFlow& ended) override {
        {
            LineText out{block.text()};
            out.push_back('{');
            const Flow& flow = ended.flow;
            event_.append_to(out, ended, "flow", flow.original, translated(flow), event_.community_id(flow),
                             [&](LineText& line) { append_counters(line, flow); });
            out.push_back('}');
        }
        block.end_line();
    }

    void append(LineBlock& block, const LostFlows& lost) override {
        auto& out = block.text();
        out.push_back('{');
        event_.append_loss(out, lost);
        out.push_back('}');
        block.end_line();
    }

  private:
    static void append_counters(LineText& out, const Flow& flow) {
        const auto& sent = flow.counters_original;
        const auto& answered = flow.counters_reply;
        if (sent) append_counter(out, R"("pkts_toserver":)", sent->packets);
        if (answered) append_counter(out, R"("pkts_toclient":)", answered->packets);
        if (sent) append_counter(out, R"("bytes_toserver":)", sent->bytes);
        if (answered) append_counter(out, R"("bytes_toclient":)", answered->bytes);
    }

    EventText event_;
};

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

/// AWS Network Firewall's format: a `netflow` event per direction, in an envelope (docs/flow-log.md).
class AwsFormat final : public RecordFormat {
  public:
    void append(LineBlock& block, const EndedFlow& ended) override {
        const Flow& flow = ended.flow;
        const FlowTuple after = translated(flow);
        const auto community = event_.community_id(flow);
        append(block, ended, {flow.original, after, flow.counters_original}, community);
        if (was_answered(flow)) {
            append(block, ended, {answering(flow), swapped(after), flow.counters_reply}, community);
        }
    }

    void append(LineBlock& block, const LostFlows& lost) override {
        {
            LineText out{block.text()};
            append_envelope(out, lost.endpoint, lost.until);
        }
        event_.append_loss(block.text(), lost);
        block.text().append(std::string_view{"}}"});
        block.end_line();
    }

  private:
    /// One direction of a flow: addresses before and after NAT, and counters.
    struct Direction {
        FlowTuple tuple;
        FlowTuple translated;
        std::optional<Counters> counters;
    };

    /// `{"firewall_name":"edge","availability_zone":"a","event_timestamp":"1755003903","event":{`
    void append_envelope(LineText& out, const std::shared_ptr<const Endpoint>& endpoint, Timestamp time) {
        if (endpoint != endpoint_ || origin_.size() == 0) {
            endpoint_ = endpoint;
            origin_.clear();
            origin_.push_back('{');
            if (endpoint != nullptr) {
                JsonMembers members{origin_};
                members.text("firewall_name", endpoint->firewall);
                members.text("availability_zone", endpoint->availability_zone);
                origin_.push_back(',');
            }
        }
        out.append({origin_.data(), origin_.size()});
        const auto second = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
        out.append(R"("event_timestamp":")", second);
        out.append(R"(","event":{)");
    }

    void append(LineBlock& block, const EndedFlow& ended, const Direction& direction, std::string_view community) {
        {
            LineText out{block.text()};
            append_envelope(out, ended.endpoint, ended.ended_at);
            event_.append_to(out, ended, "netflow", direction.tuple, direction.translated, community,
                             [&](LineText& line) {
                                 if (!direction.counters) return;
                                 append_counter(line, R"("pkts":)", direction.counters->packets);
                                 append_counter(line, R"("bytes":)", direction.counters->bytes);
                             });
            out.append("}}");
        }
        block.end_line();
    }

    EventText event_;
    std::shared_ptr<const Endpoint> endpoint_;
    Buffer origin_;  ///< the envelope up to the time, cached for `endpoint_`
};

}  // namespace

std::unique_ptr<RecordFormat> make_format(config::FlowLogFormat format) {
    switch (format) {
        case config::FlowLogFormat::Aws:
            return std::make_unique<AwsFormat>();
        case config::FlowLogFormat::Eve:
            break;
    }
    return std::make_unique<EveFormat>();
}

}  // namespace headgate::flowlog
