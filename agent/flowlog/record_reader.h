// Records read back: for people, and to find those that are looked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/ended_flow.h"
#include "headgate/result.h"

namespace headgate::flowlog {

/// What a record says of a flow, in either format. What it does not say is absent, or empty.
struct LoggedFlow {
    FlowTuple tuple;       ///< source and destination as the record has them; of ICMP no id
    FlowTuple translated;  ///< the same after NAT; its ICMP part is not known
    std::string ended_at;
    std::optional<EndReason> reason;
    std::string last_state;
    std::string protocol_state;
    std::optional<std::chrono::seconds> age;
    std::optional<std::uint64_t> packets;  ///< both directions; of AWS's format one
    std::optional<std::uint64_t> bytes;
    std::string firewall;
    std::string availability_zone;
    std::string operation_id;
    std::string user;
    std::optional<std::uint32_t> port_id;  ///< of somebody else who deleted it
    std::string process;
};

/// Nothing where the line is a record of another kind. An error names the member and the rule.
[[nodiscard]] Result<std::optional<LoggedFlow>> parse_record(std::string_view line);

/// What a record says that tells of lost ones, in a sentence. Empty where the line is a record of another kind.
[[nodiscard]] Result<std::string> parse_loss(std::string_view line);

}  // namespace headgate::flowlog
