// Protocols as records name them: as Suricata does (its util-proto-name.c, known_proto). Thread-safe.
#pragma once

#include <string_view>

#include "headgate/protocol.h"
#include "headgate/result.h"

namespace headgate::flowlog {

/// `TCP`, `IPv6-ICMP`, or the number.
[[nodiscard]] std::string_view protocol_name(Protocol protocol);

/// That, or what else parse_protocol() understands.
[[nodiscard]] Result<Protocol> parse_protocol_name(std::string_view text);

}  // namespace headgate::flowlog
