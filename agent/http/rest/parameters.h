// SPDX-License-Identifier: GPL-2.0-or-later
// Parses and checks the parameters in a request's path and query. Every error names the parameter and the rule.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "headgate/result.h"

#include "gateway/gateway.h"
#include "http/message.h"

namespace headgate::http {

/// The id of the operation, from the path.
[[nodiscard]] const std::string& id_of(const Request& request);

/// The endpoint named in the query.
[[nodiscard]] EndpointName endpoint_of(const Request& request);

[[nodiscard]] std::optional<std::string> text_of(const Request& request, const std::string& name);

/// All values of a parameter that may be repeated.
[[nodiscard]] std::vector<std::string_view> texts_of(const Request& request, const std::string& name);

/// A number in the query, from `least` to `most`; `otherwise` if absent.
[[nodiscard]] Result<std::uint64_t> number_of(const Request& request, const std::string& name, std::uint64_t otherwise,
                                              std::uint64_t least, std::uint64_t most);

/// Converts the parameter with `parse`; if absent, leaves `slot` unchanged.
template <typename T>
[[nodiscard]] Result<void> parse_parameter(const Request& request, const std::string& name, std::optional<T>& slot,
                                           Result<T> (*parse)(std::string_view)) {
    const auto text = text_of(request, name);
    if (!text) return {};
    auto value = parse(*text);
    if (!value) return tl::unexpected(std::move(value.error()).within(name));
    slot = std::move(*value);
    return {};
}

}  // namespace headgate::http
