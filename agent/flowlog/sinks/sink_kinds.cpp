// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sinks/sink_kinds.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "flowlog/sinks/datagram_sink.h"
#include "flowlog/sinks/file_sink.h"
#include "flowlog/sinks/socket_address.h"
#include "flowlog/sinks/stream_sinks.h"
#include "flowlog/sinks/syslog.h"

namespace headgate::flowlog {
namespace {

using Settings = config::FlowLogSink;
using Made = std::unique_ptr<Sink>;

constexpr std::array kSinkKinds{
    SinkKind{"file", [](const Settings& sink) { return sink.file.has_value(); },
             [](const Settings& sink) -> Made { return std::make_unique<FileSink>(*sink.file); }},
    SinkKind{"stdout", [](const Settings& sink) { return sink.standard_output; },
             [](const Settings&) -> Made { return std::make_unique<StandardOutputSink>(STDOUT_FILENO); }},
    SinkKind{"journald", [](const Settings& sink) { return sink.journald; },
             [](const Settings&) -> Made { return make_journald_sink(); }},
    SinkKind{"syslog", [](const Settings& sink) { return sink.syslog.has_value(); },
             [](const Settings& sink) -> Made { return make_syslog_sink(*sink.syslog); }},
    SinkKind{"unix_datagram", [](const Settings& sink) { return sink.unix_datagram.has_value(); },
             [](const Settings& sink) -> Made {
                 return std::make_unique<DatagramSink>(SocketAddress{*sink.unix_datagram}, Envelope{});
             }},
};

}  // namespace

const SinkKind& kind_of(const config::FlowLogSink& sink) {
    return *std::ranges::find_if(kSinkKinds, [&](const SinkKind& kind) { return kind.is_kind_of(sink); });
}

}  // namespace headgate::flowlog
