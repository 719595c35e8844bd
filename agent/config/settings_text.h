// Generates documentation of settings. The output is checked in as docs/configuration.md and packaging/headgate.yaml; a
// test compares them.
#pragma once

#include <string>

#include "config/setting.h"

namespace headgate::config {

/// A Markdown table: each setting with accepted values, default and purpose.
[[nodiscard]] std::string settings_table(const SettingMap& settings);

/// A configuration file with every setting commented out: a `#` without a space precedes it.
[[nodiscard]] std::string settings_example(const SettingMap& settings);

/// The same as a list for a manual page (mdoc(7)).
[[nodiscard]] std::string settings_manual(const SettingMap& settings);

/// A complete Markdown page.
[[nodiscard]] std::string configuration_reference();

[[nodiscard]] std::string configuration_example();

}  // namespace headgate::config
