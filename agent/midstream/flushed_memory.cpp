#include "midstream/flushed_memory.h"

#include <algorithm>

namespace headgate::midstream {

Result<std::vector<SetElements>> remembered_elements(NftTable& table) {
    std::vector<SetElements> all;
    for (const auto& set : all_flushed_sets()) {
        auto elements = table.elements(name_of(set));
        if (!elements) return tl::unexpected(std::move(elements.error()));
        if (!elements->empty()) all.push_back({name_of(set), std::move(*elements)});
    }
    return all;
}

/// Each flow has one element in a set of its original direction.
std::uint64_t count_flows(const std::vector<SetElements>& remembered) {
    std::uint64_t count = 0;
    for (const auto& set : all_flushed_sets()) {
        const auto found = std::ranges::find(remembered, name_of(set), &SetElements::set);
        if (set.direction == PacketDirection::Original && found != remembered.end()) count += found->elements.size();
    }
    return count;
}

Result<std::vector<MidstreamWindow>> open_windows(NftTable& table) {
    const auto elements = table.elements(kWindows);
    if (!elements) return tl::unexpected(elements.error());
    std::vector<MidstreamWindow> windows;
    for (const auto& element : *elements) {
        if (const auto protocol = protocol_of_window(element)) {
            windows.push_back({*protocol, std::chrono::ceil<std::chrono::seconds>(element.timeout)});
        }
    }
    return windows;
}

}  // namespace headgate::midstream
