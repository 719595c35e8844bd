// SPDX-License-Identifier: GPL-2.0-or-later
// The types of configuration values: how they are written, and their bounds.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "headgate/address.h"
#include "headgate/flow_filter.h"
#include "headgate/names.h"

#include "base/scalars.h"
#include "config/configuration.h"
#include "config/setting.h"

namespace headgate::config {

[[nodiscard]] ValueType<std::string> name();
[[nodiscard]] ValueType<std::string> account();
[[nodiscard]] ValueType<std::string> policy();
[[nodiscard]] ValueType<std::string> network_namespace();
[[nodiscard]] ValueType<std::filesystem::path> path();
[[nodiscard]] ValueType<std::filesystem::path> socket_path();
[[nodiscard]] ValueType<std::chrono::seconds> duration(std::chrono::seconds shortest, std::chrono::seconds longest);
[[nodiscard]] ValueType<std::uint64_t> size(std::uint64_t smallest, std::uint64_t largest);
[[nodiscard]] ValueType<bool> boolean();
[[nodiscard]] ValueType<bool> only_true();  ///< of a key that is a flag
[[nodiscard]] ValueType<Address> address();
[[nodiscard]] ValueType<FlowFilter> protected_filter();  ///< must not match every flow
[[nodiscard]] ValueType<FlowFilter> flow_filter();
[[nodiscard]] ValueType<FlowLogReason> flow_log_reason();
[[nodiscard]] ValueType<SyslogTarget> syslog_target();

template <std::integral T>
[[nodiscard]] ValueType<T> number(T lowest, T highest) {
    return {fmt::format("{}..{}", lowest, highest),
            [=](std::string_view text) { return parse_number(text, lowest, highest); },
            [](T value) { return fmt::format("{}", value); }, Notation::Literal};
}

/// Names in words: `a`, `b` or `c`, each in backquotes.
[[nodiscard]] std::string alternatives(std::span<const std::string_view> names);

template <Named Enum>
[[nodiscard]] ValueType<Enum> choice() {
    return {alternatives(kNames<Enum>), headgate::parse_name<Enum>,
            [](Enum value) { return std::string{headgate::to_string(value)}; }};
}

}  // namespace headgate::config
