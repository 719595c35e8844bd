// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/flow_filter.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "flow/filter_fields.h"

namespace headgate {
namespace {

bool address_fits(const std::optional<Prefix>& prefix, const Address& address) noexcept {
    return !prefix || prefix->contains(address);
}

bool port_fits(const std::optional<PortRange>& range, const FlowTuple& tuple, std::uint16_t port) noexcept {
    return !range || (has_ports(tuple) && range->contains(port));
}

Result<void> add_protocol(FlowFilter& filter, bool& any_seen, std::string_view text) {
    const bool any = equal_ignoring_case(text, "any");
    if (any_seen || (any && !filter.protocols.empty())) return invalid("ANY stands alone");
    any_seen = any;
    if (any) return {};
    ASSIGN_OR_RETURN(auto protocol, parse_protocol(text));
    if (std::ranges::find(filter.protocols, protocol) == filter.protocols.end()) filter.protocols.push_back(protocol);
    return {};
}

/// Parses the parts of one filter; only `protocol` may be repeated.
class FilterParser {
  public:
    Result<void> read(std::string_view key, std::string_view value) {
        if (key == "protocol") return add_protocol(filter_, any_protocol_, value);
        const auto field = std::ranges::find(kFilterFields, key, &FilterField::key);
        if (field == kFilterFields.end()) {
            return invalid("unknown key; a filter knows {} and protocol{}", filter_keys(""),
                           did_you_mean(key, kFilterFields, &FilterField::key));
        }
        const auto index = static_cast<std::size_t>(field - kFilterFields.begin());
        if (std::exchange(seen_.at(index), true)) return invalid("given twice in one filter");
        return field->parse(filter_, value);
    }

    [[nodiscard]] Result<FlowFilter> finish() && { return validated(std::move(filter_)); }

  private:
    FlowFilter filter_;
    std::array<bool, kFilterFields.size()> seen_{};
    bool any_protocol_ = false;
};

}  // namespace

bool FlowFilter::may_match(const FlowTuple& tuple) const noexcept {
    if (!address_fits(source, tuple.source) || !address_fits(destination, tuple.destination)) return false;
    if (!protocols.empty() && std::ranges::find(protocols, tuple.protocol) == protocols.end()) return false;
    return port_fits(source_port, tuple, tuple.source_port) &&
           port_fits(destination_port, tuple, tuple.destination_port);
}

bool FlowFilter::matches(const FlowTuple& tuple, const FlowTuple& translated) const noexcept {
    return may_match(tuple) && address_fits(translated_source, translated.source) &&
           address_fits(translated_destination, translated.destination);
}

std::optional<Family> FlowFilter::family() const noexcept {
    for (const auto* each : {&source, &destination, &translated_source, &translated_destination})
        if (*each) return (*each)->address.family;
    return std::nullopt;
}

Result<FlowFilter> validated(FlowFilter filter) {
    const std::array<std::pair<std::string_view, const std::optional<Prefix>*>, 4> addresses{
        {{"source", &filter.source},
         {"destination", &filter.destination},
         {"translated-source", &filter.translated_source},
         {"translated-destination", &filter.translated_destination}}};
    const auto first = std::ranges::find_if(addresses, [](const auto& each) { return each.second->has_value(); });
    for (const auto& [key, prefix] : addresses) {
        if (!*prefix || (*prefix)->address.family == filter.family()) continue;
        return invalid("{}: {} is not of the same family as the {}, {}", key, to_string(**prefix), first->first,
                       to_string(**first->second));
    }
    return filter;
}

Result<FlowFilter> parse_flow_filter(std::string_view text) {
    if (text.empty()) return invalid("an empty filter matches nothing in particular; to mean every flow, say --all");
    FilterParser parser;
    for (auto rest = text; !rest.empty();) {
        auto value = take_until(rest, ',');
        const bool has_value = value.find('=') != std::string_view::npos;
        const auto key = take_until(value, '=');
        if (!has_value) return invalid("\"{}\" is not of the form key=value", key);
        if (auto read = parser.read(key, value); !read) {
            return tl::unexpected(std::move(read.error()).within(key));
        }
    }
    if (text.ends_with(',')) return invalid("\"{}\" ends with a comma", text);
    return std::move(parser).finish();
}

std::string to_string(const FlowFilter& filter) {
    std::string text;
    const auto add = [&](std::string_view key, std::string_view value) {
        text.append(text.empty() ? "" : ",").append(key).append("=").append(value);
    };
    for (const auto& field : kFilterFields)
        if (const auto value = field.print(filter); !value.empty()) add(field.key, value);
    for (const auto protocol : filter.protocols)
        add("protocol", to_string(protocol));
    return text.empty() ? "all" : text;
}

}  // namespace headgate
