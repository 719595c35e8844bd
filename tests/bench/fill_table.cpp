// fill_table COUNT: puts that many flows into the table of the current network namespace, the same ones every time.
// A mix as on a gateway: four IPv4 flows to one IPv6 flow, two thirds TCP, the rest UDP; a hundred /24 (or /64) source
// networks with an equal share each; TCP flows in several states.
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "conntrack/kernel_flow_table.h"

namespace {

using namespace headgate;

constexpr std::uint64_t kNetworks = 100;

Address ipv4(unsigned a, unsigned b, unsigned c, unsigned d) {
    Address address;
    unsigned i = 0;
    for (const unsigned octet : {a, b, c, d})
        address.octets[i++] = static_cast<std::uint8_t>(octet);
    return address;
}

Address ipv6(unsigned network, std::uint64_t host) {
    Address address{Family::Ipv6, {0x20, 0x01, 0x0d, 0xb8}};
    address.octets[7] = static_cast<std::uint8_t>(network);
    for (unsigned i = 0; i < 4; ++i)
        address.octets[15 - i] = static_cast<std::uint8_t>(host >> (8 * i));
    return address;
}

/// The numbers are mixed so that every network has every protocol and state.
Flow flow_number(std::uint64_t number) {
    const auto network = static_cast<unsigned>(number % kNetworks);
    const std::uint64_t within = number / kNetworks;
    const bool v6 = within % 5 == 4;
    const bool tcp = within % 3 != 2;
    const auto host = static_cast<unsigned>(within % 250) + 1;
    Flow flow;
    FlowTuple& tuple = flow.original;
    tuple.protocol = tcp ? Protocol::Tcp : Protocol::Udp;
    tuple.source = v6 ? ipv6(network, host) : ipv4(10, 1, network, host);
    tuple.destination = v6 ? ipv6(200, within / 250 % 8 + 1) : ipv4(10, 2, static_cast<unsigned>(within / 250 % 8), 1);
    tuple.source_port = static_cast<std::uint16_t>(1024 + within / 250 / 8);
    tuple.destination_port = tcp ? 443 : 53;
    flow.reply = swapped(tuple);
    flow.timeout = std::chrono::hours{100};
    flow.status = flow_status::kConfirmed | flow_status::kSeenReply | flow_status::kAssured;
    if (tcp) flow.protocol_state = within % 7 == 0 ? 4 : 3;  // FIN_WAIT, ESTABLISHED
    if (!tcp && within % 2 == 0) flow.status = flow_status::kConfirmed;
    flow.mark = static_cast<std::uint32_t>(number % 16);
    return flow;
}

}  // namespace

int main(int argc, char** argv) {
    const std::uint64_t count = argc == 2 ? std::strtoull(argv[1], nullptr, 10) : 0;
    const auto table = conntrack::KernelFlowTable::open({});
    if (count == 0 || !table) {
        fmt::print(stderr, "fill_table: {}\n", table ? "COUNT is missing" : table.error().message);
        return 1;
    }
    constexpr std::uint64_t kBlock = 4096;
    std::vector<Flow> block;
    for (std::uint64_t number = 0; number < count; ++number) {
        block.push_back(flow_number(number));
        if (block.size() < kBlock && number + 1 < count) continue;
        if (const auto inserted = (*table)->insert(block); !inserted) {
            fmt::print(stderr, "fill_table: near flow {}: {}\n", number, inserted.error().message);
            return 1;
        }
        block.clear();
    }
    return 0;
}
