// SPDX-License-Identifier: GPL-2.0-or-later
// fill_table FIRST LAST [SERVER]: inserts the flows with these numbers (gateway_mix.h) into the table of the current
// network namespace; with SERVER, only those to 10.2.SERVER.1.
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <vector>

#include "bench/gateway_mix.h"
#include "conntrack/kernel_flow_table.h"

namespace {

using namespace headgate;
using bench::flow_number;
using bench::ipv4;

}  // namespace

int main(int argc, char** argv) {
    const auto number_at = [&](int index) { return argc > index ? std::strtoull(argv[index], nullptr, 10) : 0; };
    const std::uint64_t first = number_at(1);
    const std::uint64_t last = number_at(2);
    const auto table = conntrack::KernelFlowTable::open({});
    if (last <= first || !table) {
        fmt::print(stderr, "fill_table: {}\n", table ? "FIRST LAST [SERVER]" : table.error().message);
        return 1;
    }
    constexpr std::size_t kBlock = 4096;
    const Address server = ipv4(10, 2, static_cast<unsigned>(number_at(3)), 1);
    std::vector<Flow> block;
    for (std::uint64_t number = first; number < last; ++number) {
        const Flow flow = flow_number(number);
        if (argc <= 3 || flow.original.destination == server) block.push_back(flow);
        if (block.size() < kBlock && number + 1 < last) continue;
        int refused = 0;
        const auto inserted = (*table)->insert(block, [&](const Flow&, Insertion, int error) {
            if (error != 0) refused = error;
        });
        if (!inserted || refused != 0) {
            fmt::print(stderr, "fill_table: near flow {}: {}\n", number,
                       inserted ? std::generic_category().message(refused) : inserted.error().message);
            return 1;
        }
        block.clear();
    }
    return 0;
}
