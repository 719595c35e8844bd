#include "headgate/flow_filter.h"

#include <algorithm>

#include "flow/text.h"

namespace headgate {
namespace {

bool port_fits(const std::optional<PortRange>& range, const FlowTuple& tuple, std::uint16_t port) noexcept {
    return !range || (has_ports(tuple) && range->contains(port));
}

/// The parts of a filter that its text has named so far: only `protocol` may come again.
struct PartsSeen {
    bool source = false, destination = false, source_port = false, destination_port = false, any_protocol = false;
};

template <typename T>
Result<void> take_once(bool& seen, T& slot, Result<T> parsed) {
    if (std::exchange(seen, true)) return invalid("given twice in one filter");
    if (!parsed) return tl::unexpected(std::move(parsed.error()));
    slot = std::move(*parsed);
    return {};
}

Result<std::optional<Prefix>> parse_optional_prefix(std::string_view text) {
    return parse_prefix(text).map([](Prefix prefix) { return std::optional{prefix}; });
}

Result<void> take_protocol(FlowFilter& filter, bool& any_seen, std::string_view text) {
    const bool any = equal_ignoring_case(text, "any");
    if (any_seen || (any && !filter.protocols.empty())) return invalid("ANY stands alone");
    any_seen = any;
    if (any) return {};
    auto protocol = parse_protocol(text);
    if (!protocol) return tl::unexpected(std::move(protocol.error()));
    if (std::ranges::find(filter.protocols, *protocol) == filter.protocols.end()) filter.protocols.push_back(*protocol);
    return {};
}

Result<void> take_part(FlowFilter& filter, PartsSeen& seen, std::string_view key, std::string_view value) {
    if (key == "source") return take_once(seen.source, filter.source, parse_optional_prefix(value));
    if (key == "destination") return take_once(seen.destination, filter.destination, parse_optional_prefix(value));
    if (key == "source-port") return take_once(seen.source_port, filter.source_port, parse_port_range(value));
    if (key == "destination-port") {
        return take_once(seen.destination_port, filter.destination_port, parse_port_range(value));
    }
    if (key == "protocol") return take_protocol(filter, seen.any_protocol, value);
    return invalid("unknown key; a filter knows source, destination, source-port, destination-port and protocol");
}

}  // namespace

bool FlowFilter::matches(const FlowTuple& tuple) const noexcept {
    if (source && !source->contains(tuple.source)) return false;
    if (destination && !destination->contains(tuple.destination)) return false;
    if (!protocols.empty() && std::ranges::find(protocols, tuple.protocol) == protocols.end()) return false;
    return port_fits(source_port, tuple, tuple.source_port) &&
           port_fits(destination_port, tuple, tuple.destination_port);
}

Result<FlowFilter> validated(FlowFilter filter) {
    if (filter.source && filter.destination && filter.source->address.family != filter.destination->address.family) {
        return invalid("destination: {} is not of the same family as the source, {}", to_string(*filter.destination),
                       to_string(*filter.source));
    }
    return filter;
}

Result<FlowFilter> parse_flow_filter(std::string_view text) {
    if (text.empty()) return invalid("an empty filter matches nothing in particular; to mean every flow, say --all");
    FlowFilter filter;
    PartsSeen seen;
    for (auto rest = text; !rest.empty();) {
        auto value = take_until(rest, ',');
        const bool has_value = value.find('=') != std::string_view::npos;
        const auto key = take_until(value, '=');
        if (!has_value) return invalid("\"{}\" is not of the form key=value", key);
        if (auto taken = take_part(filter, seen, key, value); !taken) {
            return tl::unexpected(std::move(taken.error()).within(key));
        }
    }
    if (text.ends_with(',')) return invalid("\"{}\" ends with a comma", text);
    return validated(std::move(filter));
}

std::string to_string(const FlowFilter& filter) {
    std::string text;
    const auto add = [&](std::string_view key, std::string_view value) {
        text.append(text.empty() ? "" : ",").append(key).append("=").append(value);
    };
    if (filter.source) add("source", to_string(*filter.source));
    if (filter.destination) add("destination", to_string(*filter.destination));
    if (filter.source_port) add("source-port", to_string(*filter.source_port));
    if (filter.destination_port) add("destination-port", to_string(*filter.destination_port));
    for (const auto protocol : filter.protocols)
        add("protocol", to_string(protocol));
    return text.empty() ? "all" : text;
}

}  // namespace headgate
