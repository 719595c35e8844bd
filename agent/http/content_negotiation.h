// SPDX-License-Identifier: GPL-2.0-or-later
// Content negotiation by the header field Accept (RFC 9110, section 12.5.1).
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace headgate::http {

/// The offered media type, such as `text/csv`, with the highest q; on a tie the first one offered. Without the field,
/// the first. Nothing where no type is acceptable; a media range that is not well-formed accepts nothing.
[[nodiscard]] std::optional<std::string_view> preferred_type(std::string_view accept,
                                                             std::span<const std::string_view> offered);

}  // namespace headgate::http
