// headgate.yaml(5), the manual page of both files that headgate is configured by. It is checked in as
// packaging/man/headgate.yaml.5; a test holds it to what this function says.
#pragma once

#include <string>

namespace headgate::cli {

/// In mdoc(7).
[[nodiscard]] std::string configuration_manual();

}  // namespace headgate::cli
