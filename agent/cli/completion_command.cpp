#include "cli/completion_command.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <set>
#include <system_error>

#include "cli/completion.h"
#include "cli/output_stream.h"
#include "midstream/policy_library.h"

namespace headgate::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNamedNamespaces = "/run/netns";
constexpr std::size_t kLatestOperations = 50;  // more is no help to anybody who chooses

using Candidates = std::set<std::string>;

Result<Candidates> policy_candidates(const GatewayArguments& /*gateway*/) {
    Candidates names;
    for (const auto& entry : midstream::list_policies(midstream::policy_folders()))
        if (entry.policy) names.insert(entry.name);
    return names;
}

Result<Candidates> firewall_candidates(const GatewayArguments& gateway) {
    return gateway.load().map([](const config::Configuration& configuration) {
        Candidates names;
        for (const auto& firewall : configuration.firewalls)
            names.insert(firewall.name);
        return names;
    });
}

Result<Candidates> zone_candidates(const GatewayArguments& gateway) {
    return gateway.load().map([](const config::Configuration& configuration) {
        Candidates names;
        for (const auto& firewall : configuration.firewalls)
            for (const auto& endpoint : firewall.endpoints)
                names.insert(endpoint.availability_zone);
        return names;
    });
}

/// Those that an agent knows. Without one it would take opening the store, which settles what was cut short: nothing
/// that a key of the keyboard should do.
Result<Candidates> operation_candidates(const GatewayArguments& gateway) {
    const auto configuration = gateway.load();
    if (!configuration) return tl::unexpected(configuration.error());
    const auto agent = gateway.reach_agent(configuration->http.socket);
    if (!agent) return tl::unexpected(agent.error());
    if (*agent == nullptr) return Candidates{};
    OperationSelection latest;
    latest.at_most = kLatestOperations;
    return (*agent)->list(latest).map([](const std::vector<FlowOperation>& operations) {
        Candidates ids;
        for (const auto& each : operations)
            ids.insert(each.id);
        return ids;
    });
}

Result<Candidates> namespace_candidates(const GatewayArguments& /*gateway*/) {
    Candidates names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator{kNamedNamespaces, none})
        names.insert(entry.path().filename().native());
    return names;
}

struct CandidateKind {
    std::string_view name;
    Result<Candidates> (*find)(const GatewayArguments&);
};

constexpr std::array kCandidateKinds = {
    CandidateKind{"availability-zones", zone_candidates},
    CandidateKind{"firewalls", firewall_candidates},
    CandidateKind{"network-namespaces", namespace_candidates},
    CandidateKind{"operations", operation_candidates},
    CandidateKind{"policies", policy_candidates},
};

}  // namespace

Result<ExitCode> run_completion_command(const CompletionArguments& arguments) {
    OutputStream out{STDOUT_FILENO};
    if (arguments.shell == "bash") {
        out.buffer().append(bash_completion(describe_command_line()));
    } else if (arguments.shell == "zsh") {
        out.buffer().append(zsh_completion(describe_command_line()));
    } else {
        return invalid("SHELL: \"{}\" is neither bash nor zsh", arguments.shell);
    }
    return out.flush().map([] { return ExitCode::Done; });
}

Result<ExitCode> run_candidates_command(const CandidatesArguments& arguments) {
    const auto kind = std::ranges::find(kCandidateKinds, std::string_view{arguments.kind}, &CandidateKind::name);
    if (kind == kCandidateKinds.end()) return invalid("KIND: \"{}\" is unknown", arguments.kind);
    const auto candidates = kind->find(arguments.gateway);
    if (!candidates) return tl::unexpected(candidates.error());
    OutputStream out{STDOUT_FILENO};
    for (const auto& each : *candidates)
        fmt::format_to(std::back_inserter(out.buffer()), "{}\n", each);
    return out.flush().map([] { return ExitCode::Done; });
}

}  // namespace headgate::cli
