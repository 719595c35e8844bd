// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace headgate::cli {

/// `headgate 1.2.3`
[[nodiscard]] std::string version_text();

}  // namespace headgate::cli
