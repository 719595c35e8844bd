// SPDX-License-Identifier: GPL-2.0-or-later
// Loads the configuration: one file, then `conf.d/*.yaml` in the same directory.
#pragma once

#include <filesystem>
#include <string_view>

#include "headgate/result.h"

#include "config/configuration.h"

namespace headgate::config {

inline constexpr std::string_view kDefaultFile = "/etc/headgate/headgate.yaml";

enum class WhenMissing : std::uint8_t {
    Fail,
    UseDefaults,  ///< conf.d is read in any case
};

/// What could be read. Values with a fault are as if they were absent, also mandatory ones.
struct PartialConfiguration {
    Configuration configuration;
    Result<void> verdict;  ///< Invalid, with a line for each fault
};

/// Reads the file, then those in `conf.d` in order of their names. A later value replaces an earlier one; lists are
/// extended, except flow_log.reasons. A fault: `/etc/headgate/headgate.yaml:4: account: "12" is not a number of 12
/// digits`.
[[nodiscard]] PartialConfiguration read_configuration(const std::filesystem::path& file, WhenMissing when_missing);

/// The same, if there is no fault.
[[nodiscard]] Result<Configuration> load_configuration(const std::filesystem::path& file, WhenMissing when_missing);

/// Parses a single text; errors refer to it as `name`.
[[nodiscard]] Result<Configuration> parse_configuration(std::string_view text, std::string_view name);

}  // namespace headgate::config
