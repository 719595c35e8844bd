// SPDX-License-Identifier: GPL-2.0-or-later
// Parses any bytes as a message of nf_tables: within their bounds, or not at all.
#include <cstdlib>

#include "midstream/flushed_sets.h"
#include "midstream/nft_messages.h"
#include "midstream/ruleset_watch.h"
#include "netlink/messages.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace headgate;
    const netlink::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
    static_cast<void>(midstream::reports_change(bytes));
    netlink::Message message;
    for (netlink::MessageReader reader{bytes}; reader.next(message);) {
        static_cast<void>(midstream::parse_chain(message.payload));
        static_cast<void>(midstream::parse_set(message.payload));
        static_cast<void>(midstream::parse_counter(message.payload));
        static_cast<void>(midstream::parse_counted_elements(message.payload));
        for (const auto& element : midstream::parse_elements(message.payload)) {
            if (element.key_length > midstream::SetElement::kLongestKey || element.timeout.count() <= 0) std::abort();
        }
    }
    return 0;
}
