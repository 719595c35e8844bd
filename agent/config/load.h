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

/// Reads the file, then those in `conf.d` in order of their names. A later value replaces an earlier one; lists are
/// extended, except flow_log.reasons. An error is Invalid and has a line for each fault:
/// `/etc/headgate/headgate.yaml:4: account: "12" is not a number of 12 digits`.
[[nodiscard]] Result<Configuration> load_configuration(const std::filesystem::path& file, WhenMissing when_missing);

/// Parses a single text; errors refer to it as `name`.
[[nodiscard]] Result<Configuration> parse_configuration(std::string_view text, std::string_view name);

}  // namespace headgate::config
