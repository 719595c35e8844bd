// SPDX-License-Identifier: GPL-2.0-or-later
// Names of services (services(5)) in place of ports, on the command line alone: this machine's name services answer,
// which may take a while.
#pragma once

#include <string>
#include <string_view>

#include "headgate/result.h"

namespace headgate::cli {

/// `443:8443` for `https:8443`. What is no name, such as a number or ANY, stays as it is.
[[nodiscard]] Result<std::string> with_port_numbers(std::string_view range);

}  // namespace headgate::cli
