// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/cell.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <string_view>
#include <type_traits>

#include "base/text.h"
#include "cli/flow_text.h"
#include "flow/flow_json.h"

namespace headgate::cli {
namespace {

constexpr std::size_t kShortId = 8;

template <typename... Functions>
struct Overloaded : Functions... {
    using Functions::operator()...;
};
template <typename... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

std::tm calendar_of(Timestamp time, CellStyle::Zone zone) {
    const auto seconds =
        std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::system_clock::duration>(
            std::chrono::floor<std::chrono::seconds>(time)));
    std::tm fields{};
    zone == CellStyle::Zone::Utc ? ::gmtime_r(&seconds, &fields) : ::localtime_r(&seconds, &fields);
    return fields;
}

std::string calendar_text(const std::tm& fields, const char* format) {
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), format, &fields)};
}

/// Removes the number at the front of `text`, as digits without leading zeros; empty if there is none.
std::string_view next_number(std::string_view& text) {
    const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
    auto digits = text.substr(0, end);
    text.remove_prefix(end);
    while (digits.size() > 1 && digits.front() == '0')
        digits.remove_prefix(1);
    return digits;
}

int compare_texts(std::string_view a, std::string_view b) {
    while (!a.empty() && !b.empty()) {
        const auto left = next_number(a);
        const auto right = next_number(b);
        if (!left.empty() && !right.empty()) {
            if (left.size() != right.size()) return left.size() < right.size() ? -1 : 1;
            if (left != right) return left < right ? -1 : 1;
            continue;
        }
        if (left.empty() != right.empty()) return left.empty() ? 1 : -1;
        if (a.front() != b.front()) return a.front() < b.front() ? -1 : 1;
        a.remove_prefix(1);
        b.remove_prefix(1);
    }
    return a.empty() == b.empty() ? 0 : a.empty() ? -1 : 1;
}

template <typename Value>
int compare_values(const Value& a, const Value& b) {
    return a < b ? -1 : b < a ? 1 : 0;
}

int compare_cells(const Cell& a, const Cell& b) {
    if (a.index() != b.index()) return compare_texts(csv_text(a), csv_text(b));
    return std::visit(
        Overloaded{
            [&](const std::string& text) { return compare_texts(text, std::get<std::string>(b)); },
            [&](const ShortId& id) { return compare_values(id.id, std::get<ShortId>(b).id); },
            [&](Signed one) { return compare_values(one.number, std::get<Signed>(b).number); },
            [&](Bytes bytes) { return compare_values(bytes.count, std::get<Bytes>(b).count); },
            [&](Would would) { return compare_values(would.count, std::get<Would>(b).count); },
            [&](Mark mark) { return compare_values(mark.value, std::get<Mark>(b).value); },
            [&](const auto& value) { return compare_values(value, std::get<std::decay_t<decltype(value)>>(b)); },
        },
        a);
}

bool has_no_value(const Cell& cell) {
    const auto* text = std::get_if<std::string>(&cell);
    const auto* id = std::get_if<ShortId>(&cell);
    return (text != nullptr && text->empty()) || (id != nullptr && id->id.empty());
}

}  // namespace

std::string time_text(Timestamp time, const CellStyle& style) {
    const auto fields = calendar_of(time, style.zone);
    const auto today = calendar_of(style.now, style.zone);
    const bool is_today = fields.tm_yday == today.tm_yday && fields.tm_year == today.tm_year;
    const bool is_utc = style.zone == CellStyle::Zone::Utc;
    return calendar_text(fields, is_today ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S") + (is_utc ? "Z" : "");
}

std::string whole_time_text(Timestamp time, const CellStyle& style) {
    const bool is_utc = style.zone == CellStyle::Zone::Utc;
    return calendar_text(calendar_of(time, style.zone), is_utc ? "%Y-%m-%d %H:%M:%SZ" : "%Y-%m-%d %H:%M:%S %z");
}

std::string table_text(const Cell& cell, const CellStyle& style) {
    const bool is_whole = style.form == CellStyle::Form::Whole;
    return std::visit(
        Overloaded{
            [](const std::string& text) { return text; },
            [](std::uint64_t number) { return fmt::format("{}", number); },
            [](Signed one) { return fmt::format("{}", one.number); },
            [](Bytes bytes) { return amount_text(bytes.count); },
            [](Mark mark) { return mark.value != 0 ? fmt::format("{:#x}", mark.value) : std::string{}; },
            [](std::chrono::seconds duration) { return rounded_duration(duration); },
            [](Would would) { return fmt::format("would {}", would.count); },
            [&](Timestamp time) { return is_whole ? whole_time_text(time, style) : time_text(time, style); },
            [&](const ShortId& id) { return is_whole ? id.id : id.id.substr(0, kShortId); },
        },
        cell);
}

std::string csv_text(const Cell& cell) {
    return std::visit(Overloaded{
                          [](const std::string& text) { return text; },
                          [](std::uint64_t number) { return fmt::format("{}", number); },
                          [](Signed one) { return fmt::format("{}", one.number); },
                          [](Bytes bytes) { return fmt::format("{}", bytes.count); },
                          [](Mark mark) { return fmt::format("{}", mark.value); },
                          [](std::chrono::seconds duration) { return fmt::format("{}", duration.count()); },
                          [](Would /*would*/) { return std::string{}; },
                          [](Timestamp time) { return to_rfc3339(time); },
                          [](const ShortId& id) { return id.id; },
                      },
                      cell);
}

bool is_before(const Cell& a, const Cell& b, Direction direction) {
    if (has_no_value(a) || has_no_value(b)) return !has_no_value(a) && has_no_value(b);
    const int order = compare_cells(a, b);
    return direction == Direction::Ascending ? order < 0 : order > 0;
}

}  // namespace headgate::cli
