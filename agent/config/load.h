// Finds and reads the configuration: one file, and `conf.d/*.yaml` beside it.
#pragma once

#include <filesystem>
#include <string_view>

#include "headgate/result.h"

#include "config/configuration.h"

namespace headgate::config {

inline constexpr std::string_view kDefaultFile = "/etc/headgate/headgate.yaml";

enum class WhenMissing : std::uint8_t {
    Fail,
    UseDefaults,  ///< what conf.d says counts all the same
};

/// The file, then those of `conf.d` in the order of their names. A later value takes the place of an earlier one; lists
/// grow, but for flow_log.reasons. An error is Invalid and has a line for each thing that is wrong:
/// `/etc/headgate/headgate.yaml:4: account: "12" is not a number of 12 digits`.
[[nodiscard]] Result<Configuration> load_configuration(const std::filesystem::path& file, WhenMissing when_missing);

/// One text alone; `name` is what errors call it.
[[nodiscard]] Result<Configuration> parse_configuration(std::string_view text, std::string_view name);

}  // namespace headgate::config
