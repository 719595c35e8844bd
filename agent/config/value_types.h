// SPDX-License-Identifier: GPL-2.0-or-later
// The types of configuration values: how they are written, and their bounds. Thread-safe.
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
#include "headgate/result.h"

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

/// `90s`, `5m`, `12h`, `7d`; a number without a unit is in seconds. Never negative.
[[nodiscard]] Result<std::chrono::seconds> parse_duration(std::string_view text);

/// Prints the same grammar, in the largest unit that is exact.
[[nodiscard]] std::string duration_text(std::chrono::seconds duration);

/// Reads `udp://192.0.2.1:514`, `tcp://[2001:db8::1]:601`, `unix:///dev/log`. Default ports: 514 for UDP (RFC 5426,
/// section 3.3), 601 for TCP (RFC 3195, section 9.2). Host names are rejected, because resolving them would delay
/// records.
[[nodiscard]] Result<SyslogTarget> parse_syslog_target(std::string_view text);

using headgate::to_string;  ///< for enums; the next declaration would hide it

/// Prints the same grammar, always with the port.
[[nodiscard]] std::string to_string(const SyslogTarget& target);

}  // namespace headgate::config
