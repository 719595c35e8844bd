// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/last_logged_flow.h"

#include "files/append_file.h"
#include "flowlog/ended_flow_filter.h"
#include "flowlog/record_file.h"
#include "flowlog/record_reader.h"

namespace headgate::flowlog {
namespace {

/// The search stops after this many older records in a row: one written late, after a restart, may follow newer ones.
constexpr std::size_t kOlderInARow = 10'000;

}  // namespace

Result<std::optional<std::uint64_t>> last_logged_flow(const std::filesystem::path& file,
                                                      const std::string& operation_id, Timestamp since) {
    ASSIGN_OR_RETURN(auto records, RecordFile::open(file));
    EndedFlowFilter its;
    its.operation_id = operation_id;
    EndedFlowFilter recent;
    recent.since = since;
    std::optional<std::uint64_t> last;
    std::size_t older = 0;
    const auto pass = [&](std::string_view line) {
        const auto read = parse_record(line);
        if (!read || !*read) return;
        const auto& flow = **read;
        older = recent.matches(flow) ? 0 : older + 1;
        if (flow.reason == EndReason::Flushed && its.matches(flow)) last = flow.flow_id;
    };
    RETURN_IF_ERROR(records.go_back([&] { return !last && older < kOlderInARow; }, pass));
    // If the process was killed, only the newline may be missing: the next writer adds it.
    if (is_whole_object(records.unended())) pass(records.unended());
    return last;
}

}  // namespace headgate::flowlog
