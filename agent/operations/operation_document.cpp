#include "operations/operation_document.h"

#include <algorithm>
#include <iterator>

#include "flow/json_members.h"
#include "operations/operation_reader.h"

namespace headgate::operations {
namespace {

constexpr std::string_view kEverything = "all";  // to_string of a filter that matches every flow

struct Count {
    std::string_view name;
    std::uint64_t OperationCounts::*slot;
};
constexpr Count kCounts[] = {
    {"scanned", &OperationCounts::scanned},         {"matched", &OperationCounts::matched},
    {"flushed", &OperationCounts::flushed},         {"gone", &OperationCounts::gone},
    {"failed", &OperationCounts::failed},           {"protected", &OperationCounts::protected_flows},
    {"age_unknown", &OperationCounts::age_unknown}, {"bytes_unknown", &OperationCounts::bytes_unknown},
    {"closed", &OperationCounts::closed},
};

/// Encodes each byte as a Latin-1 character: names and messages may not be valid UTF-8, which the parser would refuse.
std::string widened(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80U) text.push_back(static_cast<char>(0xC0U | byte >> 6U));
        text.push_back(byte >= 0x80U ? static_cast<char>(0x80U | (byte & 0x3FU)) : c);
    }
    return text;
}

Result<std::string> narrowed(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const unsigned lead = static_cast<unsigned char>(text[i]);
        const bool pair = lead >= 0x80U && i + 1 < text.size();
        bytes.push_back(pair ? static_cast<char>(lead << 6U | (static_cast<unsigned char>(text[++i]) & 0x3FU))
                             : text[i]);
    }
    return bytes;
}

void append_caller(JsonMembers& members, const Caller& caller) {
    members.text("face", widened(caller.face));
    if (caller.uid) members.number("uid", *caller.uid);
    members.text("user", widened(caller.user));
    members.text("sudo_user", widened(caller.sudo_user));
    members.text("source_address", widened(caller.source_address));
}

void take_stored_caller(JsonReader& reader, Caller& caller) {
    reader.parsed("face", caller.face, narrowed);
    reader.optional_number("uid", caller.uid);
    reader.parsed("user", caller.user, narrowed);
    reader.parsed("sudo_user", caller.sudo_user, narrowed);
    reader.parsed("source_address", caller.source_address, narrowed);
}

void append_query(JsonMembers& members, const FlowQuery& query) {
    std::vector<std::string> filters;
    std::ranges::transform(query.filters, std::back_inserter(filters),
                           [](const auto& each) { return to_string(each); });
    members.texts("filters", filters);
    members.text("side", to_string(query.side));
    members.number("both_directions", query.direction == MatchDirection::Both);
    if (query.states) members.text("states", to_string(*query.states));
    if (query.mark) members.text("mark", to_string(*query.mark));
    if (query.zone) members.number("zone", *query.zone);
    if (query.minimum_bytes) members.number("minimum_bytes", *query.minimum_bytes);
    if (query.minimum_packets) members.number("minimum_packets", *query.minimum_packets);
    members.number("minimum_age", query.minimum_age.count());
}

Result<FlowFilter> parse_filter(std::string_view text) {
    return text == kEverything ? FlowFilter{} : parse_flow_filter(text);
}

void take_stored_query(JsonReader& reader, FlowQuery& query) {
    bool both = false;
    reader.parsed_list("filters", query.filters, parse_filter);
    reader.parsed("side", query.side, parse_match_side);
    reader.flag("both_directions", both);
    if (both) query.direction = MatchDirection::Both;
    reader.optional_parsed("states", query.states, parse_state_scope);
    reader.optional_parsed("mark", query.mark, parse_mark_match);
    reader.optional_number("zone", query.zone);
    reader.optional_number("minimum_bytes", query.minimum_bytes);
    reader.optional_number("minimum_packets", query.minimum_packets);
    reader.duration("minimum_age", query.minimum_age);
}

void take_stored_result(JsonReader& reader, FlowOperation& operation) {
    reader.parsed("phase", operation.phase, one_of({OperationPhase::Identifying, OperationPhase::Flushing}));
    reader.flag("refused", operation.refused);
    take_stored_caller(reader, operation.caller);
    reader.parsed("from_operation", operation.from_operation, narrowed);
    reader.flag("include_protected", operation.include_protected);
    reader.optional_parsed("asked", operation.asked, narrowed);
    reader.parsed("plan", operation.plan, narrowed);
    reader.parsed("status_message", operation.status_message, narrowed);
    reader.parsed("detail", operation.detail, narrowed);
    reader.parsed("network_namespace", operation.endpoint.network_namespace, narrowed);
    reader.duration("duration_ms", operation.duration);
    if (reader.has("machine_up")) reader.duration("machine_up", operation.machine_up.emplace());
    reader.flag("dry_run", operation.dry_run);
    reader.parsed("stream_exception_policy", operation.stream_exception_policy, narrowed);
    reader.number("restarts", operation.restarts);
    reader.object("counts", [&](JsonReader& counts) {
        for (const auto& count : kCounts)  // earlier versions lack some counts
            counts.optional_number(count.name, operation.counts.*count.slot);
    });
    reader.parsed_list("warnings", operation.warnings, narrowed);
}

}  // namespace

std::string to_document(const FlowOperation& operation) {
    fmt::memory_buffer out;
    out.push_back('{');
    JsonMembers members{out};
    members.text("status_message", widened(operation.status_message));
    members.text("detail", widened(operation.detail));
    members.text("network_namespace", widened(operation.endpoint.network_namespace));
    members.text("phase", to_string(operation.phase));
    members.number("refused", operation.refused);
    append_caller(members, operation.caller);
    members.text("from_operation", widened(operation.from_operation));
    members.number("include_protected", operation.include_protected);
    if (!operation.asked.empty()) members.text("asked", widened(operation.asked));
    members.text("plan", widened(operation.plan));
    if (operation.machine_up) members.number("machine_up", operation.machine_up->count());
    members.number("duration_ms", operation.duration.count());
    append_query(members, operation.query);
    members.number("dry_run", operation.dry_run);
    members.text("stream_exception_policy", widened(operation.stream_exception_policy));
    members.number("restarts", operation.restarts);
    std::vector<std::string> warnings;
    std::ranges::transform(operation.warnings, std::back_inserter(warnings),
                           [](const auto& each) { return widened(each); });
    members.texts("warnings", warnings);
    members.key("counts");
    out.push_back('{');
    JsonMembers counts{out};
    for (const auto& count : kCounts)
        counts.number(count.name, operation.counts.*count.slot);
    out.push_back('}');
    out.push_back('}');
    return fmt::to_string(out);
}

Result<void> take_document(std::string_view document, FlowOperation& operation) {
    const auto read = parse_json_object(document).and_then([&](const JsonObject& object) {
        JsonReader reader{object};
        take_stored_query(reader, operation.query);
        take_stored_result(reader, operation);
        return reader.finish();
    });
    if (!read) return failed("the record of operation {} is damaged: {}", operation.id, read.error().message);
    return {};
}

}  // namespace headgate::operations
