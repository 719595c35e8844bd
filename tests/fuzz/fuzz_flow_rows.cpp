// SPDX-License-Identifier: GPL-2.0-or-later
// Unpacks any bytes as a block of packed flows: the result is an error with a message, or flows that can be printed and
// requested, and that are equal after packing and unpacking.
#include <algorithm>
#include <cstdlib>

#include "conntrack/ctnetlink_requests.h"
#include "flow/flow_json.h"
#include "operations/flow_rows.h"

namespace {

using namespace headgate;
using namespace headgate::operations;

void expect_message(const Error& error) {
    if (error.message.empty()) std::abort();
}

void use(const std::vector<FlowRow>& flows) {
    FlowBlock block;
    for (const auto& each : flows) {
        fmt::memory_buffer out;
        append_flow_json(out, each, Moment{});
        conntrack::RequestBatch{}.add_delete(each.flow, 1);
        block.add(each);
    }
    const auto again = unpack(block.rows(), block.outcomes());
    if (!again || *again != flows) std::abort();
}

}  // namespace

/// The first two bytes (big endian) are the length of the rows; the outcomes follow the rows.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto bytes = std::as_bytes(std::span{data, size});
    if (size < 2) return 0;
    const auto border = std::min<std::size_t>(size - 2, static_cast<std::size_t>(data[0]) << 8U | data[1]);
    for (const auto outcomes : {bytes.subspan(2 + border), bytes.subspan(size)}) {
        if (const auto flows = unpack(bytes.subspan(2, border), outcomes)) {
            use(*flows);
        } else {
            expect_message(flows.error());
        }
    }
    return 0;
}
