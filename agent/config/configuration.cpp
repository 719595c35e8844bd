// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/configuration.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/printable.h"
#include "base/scalars.h"
#include "base/text.h"

namespace headgate::config {
namespace {

constexpr std::string_view kOnlyZone = "local";

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::vector<EndpointChoice> choices(const Configuration& configuration, std::optional<std::string_view> firewall,
                                    std::optional<std::string_view> zone) {
    auto found = endpoints_of(configuration);
    std::erase_if(found, [&](const EndpointChoice& each) {
        return (firewall && *firewall != each.firewall->name) || (zone && *zone != each.endpoint->availability_zone);
    });
    return found;
}

/// The distinct names in order.
template <typename Name>
std::vector<std::string_view> distinct(const std::vector<EndpointChoice>& choices, Name name) {
    std::vector<std::string_view> names;
    for (const auto& choice : choices) {
        const std::string_view each = name(choice);
        if (std::ranges::find(names, each) == names.end()) names.push_back(each);
    }
    return names;
}

std::vector<std::string_view> firewalls_of(const std::vector<EndpointChoice>& choices) {
    return distinct(choices, [](const auto& choice) -> std::string_view { return choice.firewall->name; });
}

std::vector<std::string_view> zones_of(const std::vector<EndpointChoice>& choices) {
    return distinct(choices, [](const auto& choice) -> std::string_view { return choice.endpoint->availability_zone; });
}

tl::unexpected<Error> unknown(const Configuration& configuration, std::optional<std::string_view> firewall,
                              std::optional<std::string_view> zone) {
    const auto of_firewall = choices(configuration, firewall, std::nullopt);
    if (of_firewall.empty()) {
        const auto all = choices(configuration, {}, {});
        const auto known = firewalls_of(all);
        return invalid("{}",
                       to_one_line(fmt::format("firewall: \"{}\" is unknown (known: {}){}", firewall.value_or(""),
                                               fmt::join(known, ", "), did_you_mean(firewall.value_or(""), known))));
    }
    // Zones differ by a letter, so none is meant rather than another.
    return invalid("{}", to_one_line(fmt::format("availability-zone: \"{}\" is unknown (known: {})", zone.value_or(""),
                                                 fmt::join(zones_of(of_firewall), ", "))));
}

tl::unexpected<Error> ambiguous(const std::vector<EndpointChoice>& found) {
    const auto& name = found.front().firewall->name;
    const bool one_firewall = std::ranges::all_of(found, [&](const auto& each) { return each.firewall->name == name; });
    if (one_firewall) {
        return invalid("{}", to_one_line(fmt::format("availability-zone: firewall {} has several: name one of {}", name,
                                                     fmt::join(zones_of(found), ", "))));
    }
    return invalid("{}", to_one_line(fmt::format("firewall: there are several: name one of {}",
                                                 fmt::join(firewalls_of(found), ", "))));
}

}  // namespace

std::string name_after_host(std::string_view host) {
    std::string name{host.substr(0, kLongestName)};
    std::ranges::replace_if(
        name, [](char c) { return !fits_name(c); }, '-');
    return name.empty() ? "localhost" : name;
}

std::optional<std::filesystem::path> FlowLog::first_file() const {
    for (const auto& sink : sinks)
        if (sink.file) return sink.file;
    return std::nullopt;
}

Firewall default_firewall() {
    Firewall firewall{name_after_host(host_name()), {}};
    firewall.endpoints.emplace_back().availability_zone = kOnlyZone;
    return firewall;
}

std::vector<EndpointChoice> endpoints_of(const Configuration& configuration) {
    std::vector<EndpointChoice> endpoints;
    for (const auto& firewall : configuration.firewalls)
        for (const auto& endpoint : firewall.endpoints)
            endpoints.push_back({&firewall, &endpoint});
    return endpoints;
}

Result<EndpointChoice> find_endpoint(const Configuration& configuration, std::optional<std::string_view> firewall,
                                     std::optional<std::string_view> availability_zone) {
    const auto found = choices(configuration, firewall, availability_zone);
    if (found.empty()) return unknown(configuration, firewall, availability_zone);
    if (found.size() > 1) return ambiguous(found);
    return found.front();
}

std::string namespace_path(const FirewallEndpoint& endpoint) {
    if (!endpoint.netns) return {};
    return endpoint.netns->starts_with('/') ? *endpoint.netns : "/run/netns/" + *endpoint.netns;
}

const std::string& zone_id(const FirewallEndpoint& endpoint) {
    return endpoint.availability_zone_id ? *endpoint.availability_zone_id : endpoint.availability_zone;
}

const std::string& configured_policy(const Configuration& configuration, const FirewallEndpoint& endpoint) {
    const auto& own = endpoint.stream_exception_policy;
    return own ? *own : configuration.stream_exception_policy;
}

std::optional<std::string> policy_to_keep(const std::string& configured) {
    return configured == kNoPolicy || configured == kPolicyRemoved ? std::nullopt : std::optional{configured};
}

}  // namespace headgate::config
