#include "cli/arguments.h"

#include <unistd.h>

#include <limits>

#include <CLI/App.hpp>

#include "flow/text.h"

namespace headgate::cli {
namespace {

constexpr const char* kFilterGroup = "FILTER";

/// Puts the argument's name in front of an error.
template <typename T>
Result<T> named(std::string_view argument, Result<T> result) {
    if (!result) return tl::unexpected(std::move(result.error()).within(argument));
    return result;
}

/// Parses an argument that may be absent into a slot that is then left alone.
template <typename Slot, typename Parse>
Result<void> take(std::string_view argument, const std::optional<std::string>& text, Slot& slot, Parse parse) {
    if (!text) return {};
    auto value = named(argument, parse(*text));
    if (!value) return tl::unexpected(std::move(value.error()));
    slot = std::move(*value);
    return {};
}

template <typename T>
Result<T> parse_number(const std::string& text) {
    const auto number = parse_unsigned<T>(text);
    if (number) return *number;
    const bool digits_only = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    if (digits_only) return invalid("{} is above {}", text, std::numeric_limits<T>::max());
    if (text.starts_with('-')) return invalid("{} is negative", text);
    return invalid("\"{}\" is not a whole number", text);
}

Result<std::chrono::seconds> parse_seconds(const std::string& text) {
    return parse_number<std::uint32_t>(text).map([](std::uint32_t seconds) { return std::chrono::seconds{seconds}; });
}

Result<FlowFilter> single_filter(const TupleArguments& given) {
    FlowFilter filter;
    auto taken =
        take("--source", given.source, filter.source, parse_prefix)
            .and_then([&] { return take("--destination", given.destination, filter.destination, parse_prefix); })
            .and_then([&] { return take("--source-port", given.source_port, filter.source_port, parse_port_range); })
            .and_then([&] {
                return take("--destination-port", given.destination_port, filter.destination_port, parse_port_range);
            });
    if (!taken) return tl::unexpected(std::move(taken.error()));
    for (const auto& text : given.protocols) {
        const bool any = equal_ignoring_case(text, "any");
        if (any && given.protocols.size() > 1) return invalid("--protocol: ANY stands alone");
        if (any) break;
        auto protocol = named("--protocol", parse_protocol(text));
        if (!protocol) return tl::unexpected(std::move(protocol.error()));
        filter.protocols.push_back(*protocol);
    }
    auto checked = validated(std::move(filter));
    if (!checked) checked.error().message.insert(0, "--");  // it begins with the part's name
    return checked;
}

/// Of an operation: it must have some, and none that leaves nothing out by accident.
Result<std::vector<FlowFilter>> read_filters(const FilterArguments& given) {
    const auto& tuple = given.tuple;
    if (given.all && tuple.given()) {
        return invalid("--all, --filter, and single arguments such as --source exclude each other");
    }
    if (given.all) return std::vector{FlowFilter{}};
    auto filters = tuple.read();
    if (!filters) return filters;
    if (filters->empty()) {
        return invalid(
            "no filter: name the flows (--source, --destination, --source-port, --destination-port, "
            "--protocol or --filter), or say --all to mean every one");
    }
    for (std::size_t i = 0; i < filters->size(); ++i) {
        if (!(*filters)[i].matches_everything()) continue;
        if (tuple.has_single()) return invalid("the filter leaves nothing out: to mean every flow, say --all");
        return invalid("--filter: \"{}\" leaves nothing out: to mean every flow, say --all", tuple.filters[i]);
    }
    return filters;
}

}  // namespace

void TupleArguments::add_to(CLI::App& command) {
    const std::string group = kFilterGroup;
    command.add_option("--source", source, "source address or prefix")->group(group)->type_name("PREFIX");
    command.add_option("--destination", destination, "destination address or prefix")
        ->group(group)
        ->type_name("PREFIX");
    command.add_option("--source-port", source_port, "source port or range")->group(group)->type_name("PORT[:PORT]");
    command.add_option("--destination-port", destination_port, "destination port or range")
        ->group(group)
        ->type_name("PORT[:PORT]");
    command.add_option("--protocol", protocols, "protocol, by name or number; may be repeated")
        ->group(group)
        ->type_name("NAME|NUMBER")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command
        .add_option("--filter", filters,
                    "a whole filter: source=10.0.1.0/24,destination-port=80,protocol=tcp; "
                    "may be repeated, 20 at most, a flow matches when one of them does")
        ->group(group)
        ->type_name("FILTER")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

bool TupleArguments::has_single() const {
    return source || destination || source_port || destination_port || !protocols.empty();
}

Result<std::vector<FlowFilter>> TupleArguments::read() const {
    if (has_single() && !filters.empty()) {
        return invalid("--filter and single arguments such as --source exclude each other");
    }
    if (has_single()) return single_filter(*this).map([](FlowFilter filter) { return std::vector{std::move(filter)}; });
    if (filters.size() > kMaxFilters) {
        return invalid("--filter: {} filters; an operation takes {} at most", filters.size(), kMaxFilters);
    }
    std::vector<FlowFilter> read;
    for (const auto& text : filters) {
        auto filter = named("--filter", parse_flow_filter(text));
        if (!filter) return tl::unexpected(std::move(filter.error()));
        read.push_back(std::move(*filter));
    }
    return read;
}

void FilterArguments::add_to(CLI::App& command) {
    tuple.add_to(command);
    command.add_flag("--all", all, "every flow")->group(kFilterGroup);
    const std::string beside = "Beside the filter";
    command.add_option("--min-age", minimum_age, "leave out flows younger than this")
        ->group(beside)
        ->type_name("SECONDS");
    command
        .add_option(
            "--state", state,
            "NEW, ESTABLISHED, CLOSED, ACTIVE (all but CLOSED) or ANY; without it, a capture shows ACTIVE flows, "
            "and a flush ends ANY")
        ->group(beside)
        ->type_name("STATE");
    command.add_option("--mark", mark, "conntrack mark")->group(beside)->type_name("VALUE[/MASK]");
    command.add_option("--zone", zone, "conntrack zone")->group(beside)->type_name("N");
    command.add_option("--min-bytes", minimum_bytes, "leave out flows that carried less, both directions together")
        ->group(beside)
        ->type_name("N");
    command.add_option("--match", match, "which addresses filters look at: original (the default), translated, any")
        ->group(beside)
        ->type_name("SIDE");
    command.add_flag("--both-directions", both_directions, "filters match with source and destination exchanged, too")
        ->group(beside);
}

bool FilterArguments::given() const {
    return tuple.given() || all || minimum_age || state || mark || zone || minimum_bytes || match || both_directions;
}

Result<FlowQuery> FilterArguments::query() const {
    FlowQuery query;
    auto filters_read = read_filters(*this);
    if (!filters_read) return tl::unexpected(std::move(filters_read.error()));
    query.filters = std::move(*filters_read);
    if (both_directions) query.direction = MatchDirection::Both;
    auto taken = take("--min-age", minimum_age, query.minimum_age, parse_seconds)
                     .and_then([&] { return take("--state", state, query.states, parse_name_in_any_case<StateScope>); })
                     .and_then([&] { return take("--mark", mark, query.mark, parse_mark_match); })
                     .and_then([&] { return take("--zone", zone, query.zone, parse_number<std::uint16_t>); })
                     .and_then([&] {
                         return take("--min-bytes", minimum_bytes, query.minimum_bytes, parse_number<std::uint64_t>);
                     })
                     .and_then([&] { return take("--match", match, query.side, parse_name<MatchSide>); });
    if (!taken) return tl::unexpected(std::move(taken.error()));
    return validated(std::move(query));
}

void OutputArguments::add_to(CLI::App& command) {
    const std::string group = "OUTPUT";
    command.add_option("--output", output, "table (on a terminal), json (elsewhere) or ndjson")
        ->group(group)
        ->type_name("FORMAT");
    command.add_flag("--json", json, "short for --output json")->group(group);
}

Result<OutputFormat> OutputArguments::format() const {
    if (json && output && *output != "json") return invalid("--json: --output {} says otherwise", *output);
    if (json) return OutputFormat::Json;
    if (output) return named("--output", parse_name<OutputFormat>(*output));
    return ::isatty(STDOUT_FILENO) != 0 ? OutputFormat::Table : OutputFormat::Json;
}

Result<std::uint64_t> parse_count(std::string_view argument, const std::string& text) {
    return named(argument, parse_number<std::uint64_t>(text));
}

}  // namespace headgate::cli
