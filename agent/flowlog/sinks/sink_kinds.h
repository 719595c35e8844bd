// SPDX-License-Identifier: GPL-2.0-or-later
// The kinds of sinks. To add one: its class, its line in sink_kinds.cpp, and its setting (config/settings.cpp).
#pragma once

#include <memory>
#include <string_view>

#include "config/configuration.h"
#include "flowlog/sinks/sink.h"

namespace headgate::flowlog {

struct SinkKind {
    std::string_view name;  ///< its key in the configuration, and its label in metrics
    bool (*is_kind_of)(const config::FlowLogSink& sink);
    std::unique_ptr<Sink> (*make)(const config::FlowLogSink& sink);  ///< opens nothing: prepare() or a write does
};

[[nodiscard]] const SinkKind& kind_of(const config::FlowLogSink& sink);

}  // namespace headgate::flowlog
