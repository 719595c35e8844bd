// SPDX-License-Identifier: GPL-2.0-or-later
// The types of configuration values: how they are written, and their bounds.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "headgate/address.h"
#include "headgate/flow_filter.h"

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
[[nodiscard]] ValueType<std::uint16_t> number(std::uint16_t lowest, std::uint16_t highest);
[[nodiscard]] ValueType<bool> boolean();
[[nodiscard]] ValueType<bool> only_true();  ///< of a key that is a flag
[[nodiscard]] ValueType<Address> address();
[[nodiscard]] ValueType<FlowFilter> protected_filter();  ///< must not match every flow
[[nodiscard]] ValueType<FlowFilter> flow_filter();
[[nodiscard]] ValueType<FlowLogFormat> flow_log_format();
[[nodiscard]] ValueType<FlowLogReason> flow_log_reason();
[[nodiscard]] ValueType<SyslogTarget> syslog_target();

}  // namespace headgate::config
