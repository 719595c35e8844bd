// SPDX-License-Identifier: GPL-2.0-or-later
#include "flow/filter_fields.h"

#include <algorithm>

namespace headgate {
namespace {

/// `Part` is an optional member of FlowFilter; `Parse` returns its value, or an optional value.
template <auto Part, auto Parse>
constexpr FilterField field(std::string_view key, std::string_view short_option, std::string_view type,
                            std::string_view help) {
    return {key,
            short_option,
            type,
            help,
            [](FlowFilter& filter, std::string_view text) -> Result<void> {
                return Parse(text).map([&](const auto& value) { filter.*Part = value; });
            },
            [](const FlowFilter& filter) { return filter.*Part ? to_string(*(filter.*Part)) : std::string{}; }};
}

}  // namespace

constexpr std::array<FilterField, 6> kFilterFields{
    field<&FlowFilter::source, parse_prefix>("source", "-s", "PREFIX", "source address or prefix"),
    field<&FlowFilter::destination, parse_prefix>("destination", "-d", "PREFIX", "destination address or prefix"),
    field<&FlowFilter::source_port, parse_port_range>("source-port", "--sport", "PORT[:PORT]", "source port or range"),
    field<&FlowFilter::destination_port, parse_port_range>("destination-port", "--dport", "PORT[:PORT]",
                                                           "destination port or range"),
    field<&FlowFilter::translated_source, parse_prefix>("translated-source", "", "PREFIX", "source address after NAT"),
    field<&FlowFilter::translated_destination, parse_prefix>("translated-destination", "", "PREFIX",
                                                             "destination address after NAT"),
};

std::string FilterField::member() const {
    std::string name{key};
    std::ranges::replace(name, '-', '_');
    return name;
}

std::string filter_keys(std::string_view prefix) {
    std::string keys;
    for (const auto& each : kFilterFields)
        keys.append(keys.empty() ? "" : ", ").append(prefix).append(each.key);
    return keys;
}

}  // namespace headgate
