// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/flow_text.h"

#include <fmt/format.h>

#include <array>

namespace headgate::cli {
namespace {

std::string endpoint_text(const FlowTuple& tuple, const Address& address, std::uint16_t port) {
    if (!has_ports(tuple)) return to_string(address);
    return address.family == Family::Ipv6 ? fmt::format("[{}]:{}", to_string(address), port)
                                          : fmt::format("{}:{}", to_string(address), port);
}

}  // namespace

std::string source_text(const FlowTuple& tuple) {
    return endpoint_text(tuple, tuple.source, tuple.source_port);
}

std::string destination_text(const FlowTuple& tuple) {
    if (is_icmp(tuple.protocol)) {
        return fmt::format("{} type {} code {} id {}", to_string(tuple.destination), tuple.icmp_type, tuple.icmp_code,
                           tuple.icmp_id);
    }
    return endpoint_text(tuple, tuple.destination, tuple.destination_port);
}

std::string amount_text(std::uint64_t bytes) {
    constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto amount = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; amount >= 1024 && unit + 1 < kUnits.size(); ++unit)
        amount /= 1024;
    return fmt::format("{:.{}f} {}", amount, unit == 0 || amount >= 100 ? 0 : 1, kUnits.at(unit));
}

std::string plural(std::uint64_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

std::string one_line(const Flow& flow) {
    return fmt::format("{} {} -> {} {}", to_string(flow.original.protocol), source_text(flow.original),
                       destination_text(flow.original), to_string(state(flow)));
}

}  // namespace headgate::cli
