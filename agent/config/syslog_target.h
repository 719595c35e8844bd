// Where a syslog service is, as the configuration says it.
#pragma once

#include <string>
#include <string_view>

#include "headgate/result.h"

#include "config/configuration.h"

namespace headgate::config {

/// Reads `udp://192.0.2.1:514`, `tcp://[2001:db8::1]:601`, `unix:///dev/log`. A port may go unsaid: 514 for UDP (RFC
/// 5426, section 3.3), 601 for TCP (RFC 3195, section 9.2). Addresses alone, as a name would have to be looked up while
/// records wait.
[[nodiscard]] Result<SyslogTarget> parse_syslog_target(std::string_view text);

/// The same grammar back, with the port.
using headgate::to_string;  ///< the names of enums, which the next line would hide
[[nodiscard]] std::string to_string(const SyslogTarget& target);

}  // namespace headgate::config
