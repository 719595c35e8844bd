// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/arguments.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include <CLI/App.hpp>

#include "headgate/clock.h"

#include "base/text.h"
#include "cli/service_names.h"
#include "config/value_types.h"
#include "flow/flow_json.h"

namespace headgate::cli {
namespace {

constexpr const char* kFilterGroup = "FILTER";
constexpr std::size_t kMostCombinations = 10'000;

/// Prefixes an error with the argument's name.
template <typename T>
Result<T> named(std::string_view argument, Result<T> result) {
    if (!result) return tl::unexpected(std::move(result.error()).within(argument));
    return result;
}

/// Parses arguments up to the first error.
class ArgumentParser {
  public:
    /// Leaves `slot` unchanged if the argument is absent.
    template <typename Slot, typename Parse>
    void parse(std::string_view argument, const std::optional<std::string>& text, Slot& slot, Parse parse_value) {
        if (!parsed_ || !text) return;
        auto value = named(argument, parse_value(*text));
        if (value) {
            slot = std::move(*value);
        } else {
            parsed_ = tl::unexpected(std::move(value.error()));
        }
    }

    [[nodiscard]] const Result<void>& parsed() const { return parsed_; }

  private:
    Result<void> parsed_;
};

template <typename T>
Result<T> parse_number(const std::string& text) {
    const auto number = parse_unsigned<T>(text);
    if (number) return *number;
    const bool digits_only = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    if (digits_only) return invalid("{} is above {}", text, std::numeric_limits<T>::max());
    if (text.starts_with('-')) return invalid("{} is negative", text);
    return invalid("\"{}\" is not a whole number", text);
}

Result<std::chrono::seconds> parse_age(std::string_view text) {
    ASSIGN_OR_RETURN(const auto age, config::parse_duration(text));
    constexpr std::chrono::seconds kMost{std::numeric_limits<std::uint32_t>::max()};
    if (age > kMost) return invalid("{} is above {} seconds", text, kMost.count());
    return age;
}

std::string argument_of(const FilterField& field) {
    return fmt::format("--{}", field.key);
}

/// `443,8443`; an empty value is one, too, and an error of its parser.
std::vector<std::string_view> listed_values(std::string_view list) {
    std::vector<std::string_view> values;
    for (auto commas = std::ranges::count(list, ','); commas >= 0; --commas)
        values.push_back(take_until(list, ','));
    return values;
}

Result<void> set_protocols(FlowFilter& filter, const std::vector<std::string>& lists) {
    std::vector<std::string_view> names;
    for (const auto& list : lists)
        std::ranges::copy(listed_values(list), std::back_inserter(names));
    const bool any = std::ranges::any_of(names, [](std::string_view name) { return equal_ignoring_case(name, "any"); });
    if (any && names.size() > 1) return invalid("--protocol: ANY stands alone");
    for (const auto name : names) {
        if (any) break;
        ASSIGN_OR_RETURN(auto protocol, named("--protocol", parse_protocol(name)));
        filter.protocols.push_back(protocol);
    }
    return {};
}

Result<void> check_number(std::string_view argument, const std::vector<FlowFilter>& filters, std::size_t at_most) {
    if (filters.size() <= at_most) return {};
    return invalid("{}: its list makes {} filters; an operation takes {} at most", argument, filters.size(),
                   kMaxFilters);
}

/// A filter for each value in the list, of each of the filters before. Those that have addresses of both families match
/// nothing: they are left out, and are an error only if there is no other.
Result<std::vector<FlowFilter>> with_each(const std::vector<FlowFilter>& filters, const FilterField& field,
                                          std::string_view list) {
    std::vector<FlowFilter> more;
    Error mixed;
    for (const auto each : listed_values(list)) {
        ASSIGN_OR_RETURN(const auto value,
                         named(argument_of(field), field.is_port() ? with_port_numbers(each) : std::string{each}));
        for (auto filter : filters) {
            RETURN_IF_ERROR(named(argument_of(field), field.parse(filter, value)));
            auto checked = validated(std::move(filter));
            if (checked) {
                more.push_back(std::move(*checked));
            } else {
                mixed = std::move(checked.error());
            }
        }
        // A later list may leave filters out, so the limit is applied last; this bounds the memory until then.
        RETURN_IF_ERROR(check_number(argument_of(field), more, kMostCombinations));
    }
    // The error begins with the name of the filter's part.
    if (more.empty()) return tl::unexpected(Error{mixed.kind, "--" + mixed.message});
    return more;
}

/// One filter; or several, where arguments are lists.
Result<std::vector<FlowFilter>> single_filters(const TupleArguments& given) {
    std::vector<FlowFilter> filters(1);
    std::string last_list;
    RETURN_IF_ERROR(set_protocols(filters.front(), given.protocols));
    for (std::size_t i = 0; i < kFilterFields.size(); ++i) {
        const auto& text = given.parts.at(i);
        if (!text) continue;
        ASSIGN_OR_RETURN(auto more, with_each(filters, kFilterFields.at(i), *text));
        if (more.size() > filters.size()) last_list = argument_of(kFilterFields.at(i));
        filters = std::move(more);
    }
    RETURN_IF_ERROR(check_number(last_list, filters, kMaxFilters));
    return filters;
}

/// The filters of an operation: at least one, and none that matches every flow by accident.
Result<std::vector<FlowFilter>> read_filters(const FilterArguments& given) {
    const auto& tuple = given.tuple;
    if (given.all && tuple.given()) {
        return invalid("--all, --filter, and single arguments such as --source exclude each other");
    }
    if (given.all) return std::vector{FlowFilter{}};
    ASSIGN_OR_RETURN(auto filters, tuple.read());
    if (filters.empty()) {
        return invalid("no filter: name the flows ({}, --protocol or --filter), or say --all to mean every one",
                       filter_keys("--"));
    }
    for (std::size_t i = 0; i < filters.size(); ++i) {
        if (!filters[i].matches_everything()) continue;
        if (tuple.has_single()) return invalid("the filter leaves nothing out: to mean every flow, say --all");
        return invalid("--filter: \"{}\" leaves nothing out: to mean every flow, say --all", tuple.filters[i]);
    }
    return filters;
}

}  // namespace

void OptionGroup::add(const std::string& name, const std::string& value, std::optional<std::string>& text,
                      const std::string& purpose) {
    in_group(command_.add_option(name, text, purpose))->type_name(value);
}

void OptionGroup::add(const std::string& name, const std::string& value, std::vector<std::string>& texts,
                      const std::string& purpose) {
    in_group(command_.add_option(name, texts, purpose))
        ->type_name(value)
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void OptionGroup::add_flag(const std::string& name, bool& flag, const std::string& purpose) {
    in_group(command_.add_flag(name, flag, purpose));
}

CLI::Option* OptionGroup::in_group(CLI::Option* option) const {
    return heading_.empty() ? option : option->group(heading_);
}

void SearchArguments::add_to(CLI::App& command) {
    OptionGroup own{command};
    own.add_flag("--explain", explain, "say on stderr how the table is searched");
    own.add_flag("--no-fast-scan", no_fast_scan, "search the table through ctnetlink alone");
}

void TupleArguments::add_to(CLI::App& command) {
    OptionGroup group{command, kFilterGroup};
    for (std::size_t i = 0; i < kFilterFields.size(); ++i) {
        const auto& field = kFilterFields.at(i);
        const auto other = field.short_option.empty() ? "" : fmt::format(",{}", field.short_option);
        group.add(
            argument_of(field) + other, std::string{field.type}, parts.at(i),
            fmt::format("{}{}; or a list: A,B", field.help, field.is_port() ? ", or a service such as https" : ""));
    }
    group.add("-p,--protocol", "NAME|NUMBER", protocols, "protocol, by name or number; or a list; may be repeated");
    group.add("--filter", "FILTER", filters,
              "a whole filter: source=10.0.1.0/24,destination-port=80,protocol=tcp; "
              "may be repeated, 20 at most, a flow matches when one of them does");
}

bool TupleArguments::has_single() const {
    return !protocols.empty() || std::ranges::any_of(parts, [](const auto& each) { return each.has_value(); });
}

Result<std::vector<FlowFilter>> TupleArguments::read() const {
    if (has_single() && !filters.empty()) {
        return invalid("--filter and single arguments such as --source exclude each other");
    }
    if (has_single()) return single_filters(*this);
    if (filters.size() > kMaxFilters) {
        return invalid("--filter: {} filters; an operation takes {} at most", filters.size(), kMaxFilters);
    }
    std::vector<FlowFilter> read;
    for (const auto& text : filters) {
        ASSIGN_OR_RETURN(auto filter, named("--filter", parse_flow_filter(text)));
        read.push_back(std::move(filter));
    }
    return read;
}

void FilterArguments::add_to(CLI::App& command) {
    tuple.add_to(command);
    OptionGroup{command, kFilterGroup}.add_flag("--all", all, "every flow");
    OptionGroup beside{command, "Beside the filter"};
    beside.add("--min-age", "DURATION", minimum_age, "leave out flows younger than this: 90s, 5m, 12h, 7d; or seconds");
    beside.add("--state", "STATE", state,
               "NEW, ESTABLISHED, CLOSED, ACTIVE (all but CLOSED) or ANY; without it, a capture shows ACTIVE flows, "
               "and a flush ends ANY");
    beside.add("--mark", "VALUE[/MASK]", mark, "conntrack mark");
    beside.add("--zone", "N", zone, "conntrack zone");
    beside.add("--min-bytes", "N", minimum_bytes, "leave out flows that carried less, both directions together");
    beside.add("--min-packets", "N", minimum_packets, "leave out flows with fewer packets, both directions together");
    beside.add("--match", "SIDE", match, "which addresses filters look at: original (the default), translated, any");
    beside.add_flag("--both-directions", both_directions, "filters match with source and destination exchanged, too");
}

bool FilterArguments::given() const {
    return tuple.given() || all || minimum_age || state || mark || zone || minimum_bytes || minimum_packets || match ||
           both_directions;
}

Result<FlowQuery> FilterArguments::query() const {
    FlowQuery query;
    ASSIGN_OR_RETURN(auto filters_read, read_filters(*this));
    query.filters = std::move(filters_read);
    if (both_directions) query.direction = MatchDirection::Both;
    return with_conditions(std::move(query));
}

Result<FlowQuery> FilterArguments::query_of(FlowQuery filters) const {
    if (tuple.given() || all) return invalid("they name the flows; no filter beside them");
    return with_conditions(std::move(filters));
}

Result<FlowQuery> FilterArguments::with_conditions(FlowQuery query) const {
    ArgumentParser parser;
    parser.parse("--min-age", minimum_age, query.minimum_age, parse_age);
    parser.parse("--state", state, query.states, parse_name_in_any_case<StateScope>);
    parser.parse("--mark", mark, query.mark, parse_mark_match);
    parser.parse("--zone", zone, query.zone, parse_number<std::uint16_t>);
    parser.parse("--min-bytes", minimum_bytes, query.minimum_bytes, parse_number<std::uint64_t>);
    parser.parse("--min-packets", minimum_packets, query.minimum_packets, parse_number<std::uint64_t>);
    parser.parse("--match", match, query.side, parse_name<MatchSide>);
    if (!parser.parsed()) return tl::unexpected(parser.parsed().error());
    return validated(std::move(query));
}

Result<std::optional<std::uint64_t>> parse_count(std::string_view argument, const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    return named(argument, parse_number<std::uint64_t>(*text));
}

Result<std::optional<Timestamp>> parse_time(std::string_view argument, const std::optional<std::string>& text) {
    if (!text) return std::nullopt;
    const auto now = kSystemClock.now();
    if (const auto ago = config::parse_duration(*text)) {
        return now - std::min(*ago, std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()));
    }
    if (const auto time = parse_rfc3339(*text)) return *time;
    return invalid("{}: \"{}\" is neither a duration such as 90s, 5m or 12h nor a time such as 2026-11-21T09:30:00Z",
                   argument, *text);
}

}  // namespace headgate::cli
