// SPDX-License-Identifier: GPL-2.0-or-later
// Parses flow log records, for display and for filtering.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/ended_flow.h"
#include "headgate/result.h"

namespace headgate::flowlog {

/// The contents of a record, in either format. Values that the record does not have are absent or empty.
struct LoggedFlow {
    FlowTuple tuple;       ///< source and destination as the record has them; of ICMP no id
    FlowTuple translated;  ///< the same after NAT; no ICMP type, code and id
    std::string ended_at;
    std::optional<std::uint64_t> flow_id;
    std::optional<EndReason> reason;
    std::string last_state;
    std::string protocol_state;
    std::optional<std::chrono::seconds> age;
    std::optional<std::uint64_t> packets;  ///< of both directions; in the `aws` format of one
    std::optional<std::uint64_t> bytes;
    std::string firewall;
    std::string availability_zone;
    std::string operation_id;
    std::string user;
    std::optional<std::uint32_t> port_id;  ///< of another program that deleted it
    std::string process;
};

/// Absent if the line is a record of another kind. An error names the member and the rule.
[[nodiscard]] Result<std::optional<LoggedFlow>> parse_record(std::string_view line);

/// The message of a record that reports lost records. Empty if the line is a record of another kind.
[[nodiscard]] Result<std::string> parse_loss(std::string_view line);

}  // namespace headgate::flowlog
