// SPDX-License-Identifier: GPL-2.0-or-later
// Decodes any bytes as a row of the program that walks the hash: the flow can be printed, looked up and compared.
#include <cstdlib>
#include <cstring>
#include <span>

#include "conntrack/bpf/walk_match.h"
#include "conntrack/ctnetlink_requests.h"
#include "conntrack/walk/walk_row.h"
#include "flow/flow_json.h"
#include "support/walk_rows.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace headgate;
    walk_row row{};
    if (size < sizeof row) return 0;
    std::memcpy(&row, data, sizeof row);
    walk_filter filter{};
    std::memcpy(&filter, data + sizeof row, std::min(size - sizeof row, sizeof filter));
    static_cast<void>(meets_conditions(&filter, &row));
    static_cast<void>(passes_test(&filter.test[0], &row));

    auto flow = conntrack::decode_row(row);
    if (!flow) return 0;
    conntrack::complete(*flow, row, testing::kRowUnits);
    if (!conntrack::difference(*flow, *flow).empty()) std::abort();
    if (!conntrack::difference_in_rest(*flow, *flow).empty()) std::abort();
    if (flow->original.source.family != flow->reply.destination.family) std::abort();
    fmt::memory_buffer out;
    append_flow_json(out, {*flow}, Moment{});
    const auto candidate = conntrack::candidate_of(*flow);
    conntrack::RequestBatch batch;
    batch.add_lookup(candidate.tuple, candidate.zone, 1);
    return 0;
}
