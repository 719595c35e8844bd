// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/rest/parameters.h"

#include <algorithm>
#include <iterator>

#include "base/text.h"

namespace headgate::http {

const std::string& id_of(const Request& request) {
    return request.path_members.at("id");
}

std::optional<std::string> text_of(const Request& request, const std::string& name) {
    const auto found = request.query.find(name);
    return found == request.query.end() ? std::nullopt : std::optional{found->second};
}

std::vector<std::string_view> texts_of(const Request& request, const std::string& name) {
    std::vector<std::string_view> texts;
    const auto [first, last] = request.query.equal_range(name);
    std::transform(first, last, std::back_inserter(texts),
                   [](const auto& each) -> std::string_view { return each.second; });
    return texts;
}

EndpointName endpoint_of(const Request& request) {
    return {text_of(request, "firewall"), text_of(request, "availability_zone"), std::nullopt};
}

Result<std::uint64_t> number_of(const Request& request, const std::string& name, std::uint64_t otherwise,
                                std::uint64_t least, std::uint64_t most) {
    const auto text = text_of(request, name);
    if (!text) return otherwise;
    const auto number = parse_unsigned<std::uint64_t>(*text);
    if (number && *number >= least && *number <= most) return *number;
    return invalid("{}: \"{}\" is not a number from {} to {}", name, *text, least, most);
}

}  // namespace headgate::http
