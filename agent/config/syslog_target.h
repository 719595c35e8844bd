// SPDX-License-Identifier: GPL-2.0-or-later
// Parses and prints the address of a syslog service.
#pragma once

#include <string>
#include <string_view>

#include "headgate/result.h"

#include "config/configuration.h"

namespace headgate::config {

/// Reads `udp://192.0.2.1:514`, `tcp://[2001:db8::1]:601`, `unix:///dev/log`. Default ports: 514 for UDP (RFC 5426,
/// section 3.3), 601 for TCP (RFC 3195, section 9.2). Host names are rejected, because resolving them would delay
/// records.
[[nodiscard]] Result<SyslogTarget> parse_syslog_target(std::string_view text);

using headgate::to_string;  ///< for enums; the next declaration would hide it

/// Prints the same grammar, always with the port.
[[nodiscard]] std::string to_string(const SyslogTarget& target);

}  // namespace headgate::config
