// SPDX-License-Identifier: GPL-2.0-or-later
#include "headgate/operation_flows.h"

#include <algorithm>
#include <utility>

#include "operations/flow_rows.h"

namespace headgate {

using operations::of_operation;

Result<void> OperationFlows::for_each_flow(std::string_view id, std::uint64_t first, const StoredFlowSink& sink) {
    // The last block of an operation in progress grows, and then comes again.
    auto next = first;
    return for_each_block(id, first, [&](const PackedFlows& block) {
        const auto row = std::max(std::exchange(next, block.end()), block.first);
        return of_operation(id, operations::for_each_from(block, row, sink));
    });
}

Result<std::vector<FlowRow>> OperationFlows::flows(std::string_view id, std::uint64_t first, std::size_t count) {
    std::vector<FlowRow> page;
    auto read = for_each_block(id, first, [&](const PackedFlows& block) -> Result<void> {
        const auto row = first + page.size();
        ASSIGN_OR_RETURN(const auto rows, of_operation(id, operations::unpack_from(block, row, count - page.size())));
        page.insert(page.end(), rows.begin(), rows.end());
        return page.size() < count ? Result<void>{} : refused("the page is full");
    });
    if (!read && page.size() < count) return tl::unexpected(std::move(read.error()));
    return page;
}

}  // namespace headgate
