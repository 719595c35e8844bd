#include "cli/endpoint_arguments.h"

#include <CLI/App.hpp>

#include "config/load.h"
#include "conntrack/kernel_flow_table.h"
#include "midstream/kernel_ruleset.h"

namespace headgate::cli {

void ConfigurationArgument::add_to(CLI::App& command) {
    command.add_option("--config", file, fmt::format("the configuration, in place of {}", config::kDefaultFile))
        ->type_name("FILE");
}

Result<config::Configuration> ConfigurationArgument::load() const {
    if (!file) return config::load_configuration(config::kDefaultFile, config::WhenMissing::UseDefaults);
    if (file->empty()) return invalid("--config: the name of the file is empty");
    return config::load_configuration(*file, config::WhenMissing::Fail);
}

Result<void> ChosenEndpoint::narrow(FlowQuery& query) const {
    const auto zone = where_.conntrack_zone;
    if (zone && query.zone && *query.zone != *zone) {
        return invalid("--zone: {} is not in reach; the endpoint of firewall {} in {} is conntrack zone {}",
                       *query.zone, endpoint_.firewall, endpoint_.availability_zone, *zone);
    }
    if (zone) query.zone = zone;
    return {};
}

Result<netlink::NetworkNamespace> ChosenEndpoint::open_namespace() const {
    if (!where_.netns) return netlink::NetworkNamespace{};
    auto opened = netlink::NetworkNamespace::open(*where_.netns);
    if (!opened) return tl::unexpected(std::move(opened.error()).within(origin_));
    return opened;
}

Result<std::unique_ptr<FlowTable>> ChosenEndpoint::open_table() const {
    auto where = open_namespace();
    if (!where) return tl::unexpected(std::move(where.error()));
    auto table = conntrack::KernelFlowTable::open(std::move(*where));
    if (!table) return tl::unexpected(std::move(table.error()));
    return std::unique_ptr<FlowTable>{std::move(*table)};
}

Result<std::unique_ptr<Ruleset>> ChosenEndpoint::open_ruleset() const {
    auto where = open_namespace();
    if (!where) return tl::unexpected(std::move(where.error()));
    return std::unique_ptr<Ruleset>{midstream::KernelRuleset::open(std::move(*where))};
}

void EndpointArguments::add_to(CLI::App& command) {
    const std::string group = "ENDPOINT";
    command.add_option("--firewall", firewall, "firewall, by name; may be left out where there is one")
        ->group(group)
        ->type_name("NAME");
    command
        .add_option("--availability-zone", availability_zone,
                    "availability zone of the firewall; may be left out where there is one")
        ->group(group)
        ->type_name("AZ");
    command
        .add_option("--netns", network_namespace,
                    "network namespace, for a one-off run: a name under /run/netns, or a path")
        ->group(group)
        ->type_name("NAME");
    configuration.add_to(command);
}

Result<ChosenEndpoint> EndpointArguments::choose() const {
    if (network_namespace && (firewall || availability_zone)) {
        return invalid("--netns: a one-off run has no --firewall and no --availability-zone");
    }
    auto loaded = configuration.load();
    if (!loaded) return tl::unexpected(std::move(loaded.error()));
    if (network_namespace) {
        const auto unnamed = config::default_firewall();
        auto where = unnamed.endpoints.front();
        where.netns = *network_namespace;
        Endpoint endpoint{unnamed.name, where.availability_zone, *network_namespace};
        return ChosenEndpoint{std::move(*loaded), std::move(endpoint), std::move(where), "--netns"};
    }
    const auto choice = config::find_endpoint(*loaded, firewall, availability_zone);
    if (!choice)
        return tl::unexpected(
            Error{ErrorKind::Invalid, "--" + choice.error().message});  // it begins with the argument's name
    auto where = *choice->endpoint;
    Endpoint endpoint{choice->firewall->name, where.availability_zone, ""};
    auto origin = fmt::format("firewall {}, availability zone {}", endpoint.firewall, endpoint.availability_zone);
    return ChosenEndpoint{std::move(*loaded), std::move(endpoint), std::move(where), std::move(origin)};
}

}  // namespace headgate::cli
