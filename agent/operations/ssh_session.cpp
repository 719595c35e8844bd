#include "operations/ssh_session.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "flow/text.h"

namespace headgate::operations {
namespace {

constexpr std::string_view kVariable = "SSH_CONNECTION=";

/// A link-local IPv6 address comes with its interface: fe80::1%eth0.
std::string_view without_interface(std::string_view address) {
    return address.substr(0, address.find('%'));
}

/// A daemon that listens on both families names an IPv4 peer ::ffff:192.0.2.1; the flow is an IPv4 one all the same.
std::string_view without_mapping(std::string_view address) {
    constexpr std::string_view kMapped = "::ffff:";
    const bool mapped = address.starts_with(kMapped) && address.find('.') != std::string_view::npos;
    return mapped ? address.substr(kMapped.size()) : address;
}

std::optional<pid_t> parent_of(pid_t process) {
    // proc(5), stat: the parent follows the command, which is in parentheses and may hold any character.
    std::ifstream file{fmt::format("/proc/{}/stat", process)};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    const auto after_command = text.rfind(") ");
    if (after_command == std::string::npos || text.size() < after_command + 5) return std::nullopt;
    std::string_view rest = std::string_view{text}.substr(after_command + 4);
    const auto parent = parse_unsigned<unsigned>(take_until(rest, ' '));
    return parent ? std::optional{static_cast<pid_t>(*parent)} : std::nullopt;
}

std::optional<std::string> ssh_connection_of(pid_t process) {
    std::ifstream file{fmt::format("/proc/{}/environ", process), std::ios::binary};
    for (std::string variable; std::getline(file, variable, '\0');) {
        if (variable.starts_with(kVariable)) return variable.substr(kVariable.size());
    }
    return std::nullopt;
}

void add(std::vector<FlowFilter>& sessions, std::string_view connection) {
    const auto filter = parse_ssh_connection(connection);
    if (filter && std::ranges::find(sessions, *filter) == sessions.end()) sessions.push_back(*filter);
}

}  // namespace

Result<FlowFilter> parse_ssh_connection(std::string_view value) {
    const auto whole = value;
    FlowFilter filter;
    filter.protocols = {Protocol::Tcp};
    for (auto [prefix, port] :
         {std::pair{&filter.source, &filter.source_port}, std::pair{&filter.destination, &filter.destination_port}}) {
        const auto address = parse_prefix(without_mapping(without_interface(take_until(value, ' '))));
        const auto number = parse_unsigned<std::uint16_t>(take_until(value, ' '));
        if (!address || !address->is_single_address() || !number) return invalid("SSH_CONNECTION: \"{}\"", whole);
        *prefix = *address;
        *port = PortRange{*number, *number};
    }
    return filter;
}

std::vector<FlowFilter> find_ssh_sessions() {
    std::vector<FlowFilter> sessions;
    if (const char* own = std::getenv("SSH_CONNECTION")) add(sessions, own);
    constexpr int kAncestors = 64;
    std::optional<pid_t> process = ::getppid();
    for (int depth = 0; process && *process > 1 && depth < kAncestors; ++depth) {
        if (const auto connection = ssh_connection_of(*process)) add(sessions, *connection);
        process = parent_of(*process);
    }
    return sessions;
}

}  // namespace headgate::operations
