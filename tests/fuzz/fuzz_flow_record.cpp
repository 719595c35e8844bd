// SPDX-License-Identifier: GPL-2.0-or-later
// Parses any line as a record of the flow log: the result is an error with a message, a flow, or nothing.
#include <cstdlib>

#include "flowlog/record_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace headgate;
    const std::string_view line{reinterpret_cast<const char*>(data), size};
    const auto record = flowlog::parse_record(line);
    if (!record && record.error().message.empty()) std::abort();
    if (record && *record && (*record)->tuple.source.family != (*record)->tuple.destination.family) std::abort();
    const auto loss = flowlog::parse_loss(line);
    if (!loss && loss.error().message.empty()) std::abort();
    return 0;
}
