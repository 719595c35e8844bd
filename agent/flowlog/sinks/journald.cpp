// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sinks/journald.h"

#include <string>

#include "flowlog/sinks/datagram_sink.h"
#include "flowlog/sinks/socket_address.h"

namespace headgate::flowlog {
namespace {

/// One field per line: a record contains no newline, so no field needs an explicit length. The journal adds the process
/// and the unit itself. Facility 3 is `daemon`, as in syslog.
std::string fields_before_record() {
    return "PRIORITY=6\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=headgate\nMESSAGE=";
}

}  // namespace

std::unique_ptr<Sink> make_journald_sink(const std::filesystem::path& socket) {
    return std::make_unique<DatagramSink>(SocketAddress{socket},
                                          Envelope{.before = fields_before_record, .after = "\n"});
}

}  // namespace headgate::flowlog
