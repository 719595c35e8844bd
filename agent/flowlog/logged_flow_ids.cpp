// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/logged_flow_ids.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "files/append_file.h"
#include "flowlog/record_file.h"
#include "flowlog/record_text.h"

namespace headgate::flowlog {
namespace {

/// The search stops after this many older records in a row: one written late, after a restart, may follow newer ones.
constexpr std::size_t kOlderInARow = 10'000;

/// The text after `key` in a line that headgate wrote: the formats write keys and values without spaces.
std::string_view behind(std::string_view line, std::string_view key) {
    const auto found = line.find(key);
    return found == std::string_view::npos ? std::string_view{} : line.substr(found + key.size());
}

std::optional<std::uint64_t> flow_id_in(std::string_view line) {
    const auto text = behind(line, R"("flow_id":)");
    std::uint64_t id = 0;
    return std::from_chars(text.data(), text.data() + text.size(), id).ec == std::errc{} ? std::optional{id}
                                                                                         : std::nullopt;
}

std::string as_recorded(Timestamp time) {
    Buffer text;
    {
        LineText line{text};
        TimeText{}.append_to(line, time);
    }
    return fmt::to_string(text);
}

}  // namespace

Result<std::vector<std::uint64_t>> logged_flows(const std::filesystem::path& file, std::string_view operation_id,
                                                Timestamp since) {
    ASSIGN_OR_RETURN(auto records, RecordFile::open(file));
    const auto oldest = as_recorded(since);
    std::vector<std::uint64_t> flows;
    std::size_t older = 0;
    const auto pass = [&](std::string_view line) {
        const auto ended_at = behind(line, R"("timestamp":")").substr(0, oldest.size());
        older = ended_at < oldest ? older + 1 : 0;  // comparable as text: all have the same length and time zone
        const bool is_its = behind(line, R"("operation_id":")").starts_with(operation_id);
        const auto id = is_its ? flow_id_in(line) : std::nullopt;
        if (id) flows.push_back(*id);
    };
    RETURN_IF_ERROR(records.go_back([&] { return older < kOlderInARow; }, pass));
    // If the process was killed, only the newline may be missing: the next writer adds it.
    if (is_whole_object(records.unended())) pass(records.unended());
    std::ranges::sort(flows);
    return flows;
}

}  // namespace headgate::flowlog
