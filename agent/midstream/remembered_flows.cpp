// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/remembered_flows.h"

#include <algorithm>

namespace headgate::midstream {

Result<std::uint64_t> count_remembered_flows(NftTable& table, std::uint32_t size) {
    std::uint64_t count = 0;
    for (const auto& set : all_flushed_sets()) {
        if (set.direction != PacketDirection::Original)
            continue;  // each flow has one element in a set of this direction
        ASSIGN_OR_RETURN(const auto elements, table.elements(name_of(set, size)));
        count += elements.size();
    }
    return count;
}

Result<std::vector<MidstreamWindow>> open_windows(NftTable& table) {
    ASSIGN_OR_RETURN(const auto elements, table.elements(kWindows));
    std::vector<MidstreamWindow> windows;
    for (const auto& element : elements) {
        if (const auto protocol = protocol_of_window(element)) {
            windows.push_back({*protocol, std::chrono::ceil<std::chrono::seconds>(element.timeout)});
        }
    }
    return windows;
}

Result<void> extend_window(NftTable& table, Protocol protocol, std::chrono::milliseconds time) {
    ASSIGN_OR_RETURN(const auto open, open_windows(table));
    const auto window = std::ranges::find(open, protocol, &MidstreamWindow::protocol);
    if (window != open.end() && window->left > time) return {};
    const auto addition = window_for(protocol, time);
    return table.add({&addition, 1});
}

}  // namespace headgate::midstream
