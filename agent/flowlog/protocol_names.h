// SPDX-License-Identifier: GPL-2.0-or-later
// Protocol names in records, the same as Suricata's (util-proto-name.c, known_proto). Thread-safe.
#pragma once

#include <string_view>

#include "headgate/protocol.h"
#include "headgate/result.h"

namespace headgate::flowlog {

/// `TCP`, `IPv6-ICMP`, or the number of a protocol without a name.
[[nodiscard]] std::string_view protocol_name(Protocol protocol);

/// Accepts those names and everything that parse_protocol() accepts.
[[nodiscard]] Result<Protocol> parse_protocol_name(std::string_view text);

}  // namespace headgate::flowlog
