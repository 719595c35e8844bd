// What may stand in a text that goes to terminals, logs and JSON. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace headgate::config {

/// Where the first thing stands that is not UTF-8, or that a reader does not see: a control character, another end of a
/// line, a mark that turns the direction of writing. Nothing where all can be shown. `allowed` is ASCII.
[[nodiscard]] std::optional<std::size_t> find_unprintable(std::string_view text, std::string_view allowed = {});

/// A message that quotes a stranger's text, made fit for one line of a terminal: not too long, and all of it printable.
[[nodiscard]] std::string to_one_line(std::string message);

}  // namespace headgate::config
