// SPDX-License-Identifier: GPL-2.0-or-later
// Parses any text as a filter: the result is an error with a message, or a filter whose text parses to the same filter.
#include <cstdlib>
#include <string_view>

#include "headgate/flow_filter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace headgate;
    const auto filter = parse_flow_filter({reinterpret_cast<const char*>(data), size});
    if (!filter) {
        if (filter.error().message.empty() || filter.error().kind != ErrorKind::Invalid) std::abort();
        return 0;
    }
    if (filter->matches_everything()) return 0;
    const auto again = parse_flow_filter(to_string(*filter));
    if (!again || *again != *filter) std::abort();
    return 0;
}
