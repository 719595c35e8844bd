// SPDX-License-Identifier: GPL-2.0-or-later
// Parses any text as a capture file: the result is an error with a message, or rows that can be printed and requested.
#include <cstdlib>
#include <sstream>

#include "cli/capture_file.h"
#include "conntrack/ctnetlink_requests.h"
#include "flow/flow_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace headgate;
    std::istringstream text{std::string{reinterpret_cast<const char*>(data), size}};
    const auto end = cli::read_capture(text, [](std::span<const FlowRow> rows) -> Result<void> {
        for (const auto& row : rows) {
            fmt::memory_buffer out;
            append_flow_json(out, row, Moment{});
            conntrack::RequestBatch{}.add_delete(row.flow, 1);
        }
        return {};
    });
    if (!end && end.error().message.empty()) std::abort();
    return 0;
}
