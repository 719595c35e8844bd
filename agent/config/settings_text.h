// SPDX-License-Identifier: GPL-2.0-or-later
// Generates documentation of settings. The output is checked in as docs/configuration.md and packaging/headgate.yaml; a
// test compares them.
#pragma once

#include <string>

#include "config/setting.h"

namespace headgate::config {

/// The accepted values of a setting, and its default, with code in backquotes. Empty if there is nothing to say.
[[nodiscard]] std::string value_text(const Setting& setting);
[[nodiscard]] std::string default_text(const Setting& setting);

/// A Markdown table: each setting with accepted values, default and purpose.
[[nodiscard]] std::string settings_table(const SettingMap& settings);

/// A configuration file with every setting commented out: a `#` without a space precedes it.
[[nodiscard]] std::string settings_example(const SettingMap& settings);

/// A complete Markdown page.
[[nodiscard]] std::string configuration_reference();

[[nodiscard]] std::string configuration_example();

}  // namespace headgate::config
