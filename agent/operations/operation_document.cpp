#include "operations/operation_document.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <iterator>

#include "flow/json_members.h"

namespace headgate::operations {
namespace {

using Object = Poco::JSON::Object;

constexpr std::string_view kEverything = "all";  // how to_string says a filter that leaves nothing out

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

/// Names and messages may hold bytes that are not UTF-8, and a parser refuses those. Each byte as a character of its
/// own (Latin-1) is always UTF-8, and comes back as the byte that it was.
std::string widened(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80U) text.push_back(static_cast<char>(0xC0U | byte >> 6U));
        text.push_back(byte >= 0x80U ? static_cast<char>(0x80U | (byte & 0x3FU)) : c);
    }
    return text;
}

std::string narrowed(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const unsigned lead = static_cast<unsigned char>(text[i]);
        const bool pair = lead >= 0x80U && i + 1 < text.size();
        bytes.push_back(pair ? static_cast<char>(lead << 6U | (static_cast<unsigned char>(text[++i]) & 0x3FU))
                             : text[i]);
    }
    return bytes;
}

template <typename T>
std::optional<T> take_optional(const Object& object, const std::string& name) {
    return object.has(name) ? std::optional{object.getValue<T>(name)} : std::nullopt;
}

void append_caller(JsonMembers& members, const Caller& caller) {
    members.text("face", widened(caller.face));
    if (caller.uid) members.number("uid", *caller.uid);
    members.text("user", widened(caller.user));
    members.text("sudo_user", widened(caller.sudo_user));
    members.text("source_address", widened(caller.source_address));
}

Caller read_caller(const Object& object) {
    const auto text = [&](const std::string& name) { return narrowed(object.getValue<std::string>(name)); };
    return {text("face"), take_optional<Poco::UInt32>(object, "uid"), text("user"), text("sudo_user"),
            text("source_address")};
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
    members.number("minimum_age", query.minimum_age.count());
}

Result<void> take_filters(const Object& object, FlowQuery& query) {
    const auto texts = object.getArray("filters");
    for (unsigned i = 0; i < texts->size(); ++i) {
        const auto text = texts->getElement<std::string>(i);
        auto filter = text == kEverything ? Result<FlowFilter>{FlowFilter{}} : parse_flow_filter(text);
        if (!filter) return tl::unexpected(std::move(filter.error()));
        query.filters.push_back(std::move(*filter));
    }
    return {};
}

Result<void> take_conditions(const Object& object, FlowQuery& query) {
    const auto side = parse_name<MatchSide>(object.getValue<std::string>("side"));
    if (!side) return tl::unexpected(side.error());
    query.side = *side;
    if (object.has("states")) {
        const auto states = parse_name<StateScope>(object.getValue<std::string>("states"));
        if (!states) return tl::unexpected(states.error());
        query.states = *states;
    }
    if (object.getValue<bool>("both_directions")) query.direction = MatchDirection::Both;
    if (object.has("mark")) {
        const auto mark = parse_mark_match(object.getValue<std::string>("mark"));
        if (!mark) return tl::unexpected(mark.error());
        query.mark = *mark;
    }
    query.zone = take_optional<Poco::UInt16>(object, "zone");
    query.minimum_bytes = take_optional<Poco::UInt64>(object, "minimum_bytes");
    query.minimum_age = std::chrono::seconds{object.getValue<Poco::Int64>("minimum_age")};
    return {};
}

Result<void> take_result(const Object& object, FlowOperation& operation) {
    const auto phase = parse_name<OperationPhase>(object.getValue<std::string>("phase"));
    if (!phase) return tl::unexpected(phase.error());
    operation.phase = *phase;
    operation.refused = object.getValue<bool>("refused");
    operation.caller = read_caller(object);
    operation.from_operation = narrowed(object.getValue<std::string>("from_operation"));
    operation.include_protected = object.getValue<bool>("include_protected");
    if (object.has("asked")) operation.asked = narrowed(object.getValue<std::string>("asked"));
    operation.plan = narrowed(object.getValue<std::string>("plan"));
    operation.status_message = narrowed(object.getValue<std::string>("status_message"));
    operation.detail = narrowed(object.getValue<std::string>("detail"));
    operation.endpoint.network_namespace = narrowed(object.getValue<std::string>("network_namespace"));
    operation.duration = std::chrono::milliseconds{object.getValue<Poco::Int64>("duration_ms")};
    if (const auto up = take_optional<Poco::Int64>(object, "machine_up")) {
        operation.machine_up = std::chrono::seconds{*up};
    }
    operation.dry_run = object.getValue<bool>("dry_run");
    operation.stream_exception_policy = narrowed(object.getValue<std::string>("stream_exception_policy"));
    operation.restarts = object.getValue<unsigned>("restarts");
    const auto counts = object.getObject("counts");
    for (const auto& count : kCounts)  // what an earlier version did not count is not there
        operation.counts.*count.slot = take_optional<Poco::UInt64>(*counts, std::string{count.name}).value_or(0);
    const auto warnings = object.getArray("warnings");
    for (unsigned i = 0; i < warnings->size(); ++i)
        operation.warnings.push_back(narrowed(warnings->getElement<std::string>(i)));
    return {};
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

Result<void> take_document(const std::string& document, FlowOperation& operation) {
    try {
        const auto object = Poco::JSON::Parser{}.parse(document).extract<Object::Ptr>();
        return take_filters(*object, operation.query)
            .and_then([&] { return take_conditions(*object, operation.query); })
            .and_then([&] { return take_result(*object, operation); });
    } catch (const Poco::Exception& thrown) {
        return failed("the record of operation {} is damaged: {}", operation.id, thrown.displayText());
    }
}

}  // namespace headgate::operations
