#include "headgate/ended_flow.h"

#include "flow/text.h"

namespace headgate {

std::string_view to_string(EndReason reason) {
    switch (reason) {
        case EndReason::Flushed:
            return "flushed";
        case EndReason::Closed:
            return "closed";
        case EndReason::Timeout:
            return "timeout";
        case EndReason::Evicted:
            return "evicted";
    }
    return {};
}

Result<EndReason> parse_end_reason(std::string_view text) {
    for (const auto reason : {EndReason::Flushed, EndReason::Closed, EndReason::Timeout, EndReason::Evicted}) {
        if (equal_ignoring_case(text, to_string(reason))) return reason;
    }
    return invalid("\"{}\" is not a reason why a flow ends: flushed, closed, timeout or evicted", text);
}

std::optional<FlowState> last_state(const Flow& flow) {
    if (has_protocol_state(flow.original.protocol) && !flow.protocol_state) return std::nullopt;
    return state(flow);
}

}  // namespace headgate
