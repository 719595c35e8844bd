// SPDX-License-Identifier: GPL-2.0-or-later
// Sends records as syslog messages (RFC 5424) over UDP, TCP or a Unix socket.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "headgate/flow.h"

#include "config/configuration.h"
#include "flowlog/sinks/sink.h"

namespace headgate::flowlog {

/// The header of a message with the space after it: `<30>1 2026-11-21T09:30:00.123456Z gw-a headgate 4711 flow - `
[[nodiscard]] std::string syslog_header(Timestamp now, std::string_view host, int process);

[[nodiscard]] std::unique_ptr<Sink> make_syslog_sink(const config::SyslogTarget& target);

}  // namespace headgate::flowlog
