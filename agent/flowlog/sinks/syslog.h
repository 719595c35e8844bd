// Records as syslog messages (RFC 5424), and how they travel.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "headgate/flow.h"

#include "config/configuration.h"
#include "flowlog/sink.h"

namespace headgate::flowlog {

/// What stands before a record, with the space between: `<30>1 2026-11-21T09:30:00.123456Z gw-a headgate 4711 flow - `
[[nodiscard]] std::string syslog_header(Timestamp now, std::string_view host, int process);

[[nodiscard]] std::unique_ptr<Sink> make_syslog_sink(const config::SyslogTarget& target);

}  // namespace headgate::flowlog
