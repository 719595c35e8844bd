// SPDX-License-Identifier: GPL-2.0-or-later
// Completes the value of --filter.
#pragma once

#include <string_view>

#include "cli/command_description.h"

namespace headgate::cli {

/// What may stand behind the last `=` of a filter that was written so far: the rest of its last part, or a further one.
[[nodiscard]] Candidates filter_candidates(std::string_view written);

}  // namespace headgate::cli
