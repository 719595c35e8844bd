// SPDX-License-Identifier: GPL-2.0-or-later
// Parses any text as a configuration: the result is errors, each a line with a location, or a valid configuration.
#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "base/scalars.h"
#include "base/text.h"
#include "config/load.h"
#include "config/settings_reader.h"

namespace {

using namespace headgate;

bool tell_where(std::string_view errors) {
    std::size_t count = 0;
    while (!errors.empty()) {
        const auto line = take_until(errors, '\n');
        const bool last = ++count > config::kMostErrors;
        if (!line.starts_with(last ? "... and " : "fuzz.yaml:") || line.find_first_of("\r\x1b") != line.npos) {
            return false;
        }
    }
    return count > 0 && count <= config::kMostErrors + 1;
}

bool keeps_its_rules(const config::Firewall& firewall) {
    return parse_resource_name(firewall.name) && !firewall.endpoints.empty() &&
           std::ranges::all_of(firewall.endpoints, [](const auto& endpoint) {
               return parse_resource_name(endpoint.availability_zone).has_value();
           });
}

/// Every endpoint can be selected: the names of firewalls and of endpoints are unique.
bool can_be_chosen(const config::Configuration& configuration) {
    return std::ranges::all_of(configuration.firewalls, [&](const auto& firewall) {
        return std::ranges::all_of(firewall.endpoints, [&](const auto& endpoint) {
            const auto choice = config::find_endpoint(configuration, firewall.name, endpoint.availability_zone);
            return choice && choice->endpoint == &endpoint;
        });
    });
}

bool keeps_its_rules(const config::Configuration& configuration) {
    const bool listeners_fit = std::ranges::all_of(configuration.http.listeners, [](const auto& listener) {
        return listener.port != 0 && (listener.tls || is_loopback(listener.address));
    });
    const bool filters_fit = std::ranges::none_of(configuration.protected_filters, &FlowFilter::matches_everything);
    return !configuration.firewalls.empty() &&
           std::ranges::all_of(configuration.firewalls,
                               [](const auto& firewall) { return keeps_its_rules(firewall); }) &&
           can_be_chosen(configuration) && listeners_fit && filters_fit && configuration.account.size() == 12 &&
           configuration.state_dir.is_absolute() && configuration.retention.count() >= 60 &&
           configuration.operation_timeout.count() >= 1 && !configuration.flow_log.reasons.empty();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto configuration = config::parse_configuration({reinterpret_cast<const char*>(data), size}, "fuzz.yaml");
    if (configuration ? !keeps_its_rules(*configuration) : !tell_where(configuration.error().message)) std::abort();
    return 0;
}
