// Settings as people read them. The configuration's texts are checked in, as docs/configuration.md and
// packaging/headgate.yaml; a test holds them to what these functions say.
#pragma once

#include <string>

#include "config/setting.h"

namespace headgate::config {

/// What a setting takes, and what it is without a value, with code in backquotes. Empty where there is nothing to say.
[[nodiscard]] std::string takes_text(const Setting& setting);
[[nodiscard]] std::string default_text(const Setting& setting);

/// A table of Markdown: every setting with what it takes, its default and its purpose.
[[nodiscard]] std::string settings_table(const SettingMap& settings);

/// A file that changes nothing: every setting is in it, behind a `#` without a space.
[[nodiscard]] std::string settings_example(const SettingMap& settings);

/// A page of Markdown.
[[nodiscard]] std::string configuration_reference();

[[nodiscard]] std::string configuration_example();

}  // namespace headgate::config
