// SPDX-License-Identifier: GPL-2.0-or-later
// The word that was probably meant. Thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace headgate {

/// The word with the fewest letters to change, leave out, add or exchange with their neighbour; empty if none is close.
[[nodiscard]] std::string_view nearest(std::string_view word, const std::vector<std::string>& words);

/// `; did you mean "capture"?`, to be appended to an error; empty if no word is close.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& words);

}  // namespace headgate
