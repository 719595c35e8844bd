// Which of the forms that there are somebody likes best, by the header field Accept (RFC 9110, section 12.5.1).
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace headgate::http {

/// One of the offered media types, such as `text/csv`: that with the highest q, of several the first. Without a field,
/// the first. Nothing where none is acceptable; a range that is not well-formed accepts nothing.
[[nodiscard]] std::optional<std::string_view> preferred_type(std::string_view accept,
                                                             std::span<const std::string_view> offered);

}  // namespace headgate::http
