// The settings as people read them. Both texts are checked in, as docs/configuration.md and packaging/headgate.yaml;
// a test holds them to what these functions say.
#pragma once

#include <string>

namespace headgate::config {

/// A page of Markdown.
[[nodiscard]] std::string configuration_reference();

/// A configuration file that changes nothing: every setting is in it, behind a `#` without a space.
[[nodiscard]] std::string configuration_example();

}  // namespace headgate::config
