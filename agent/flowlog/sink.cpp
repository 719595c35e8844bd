// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sink.h"

#include <unistd.h>

#include "flowlog/sinks/datagram_sink.h"
#include "flowlog/sinks/file_sink.h"
#include "flowlog/sinks/journald.h"
#include "flowlog/sinks/socket_address.h"
#include "flowlog/sinks/standard_output_sink.h"
#include "flowlog/sinks/syslog.h"

namespace headgate::flowlog {

std::unique_ptr<Sink> make_sink(const config::FlowLogSink& sink) {
    if (sink.file) return std::make_unique<FileSink>(*sink.file);
    if (sink.journald) return make_journald_sink();
    if (sink.syslog) return make_syslog_sink(*sink.syslog);
    if (sink.unix_datagram) return std::make_unique<DatagramSink>(SocketAddress{*sink.unix_datagram}, Envelope{});
    return std::make_unique<StandardOutputSink>(STDOUT_FILENO);
}

}  // namespace headgate::flowlog
