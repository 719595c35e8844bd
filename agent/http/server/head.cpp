// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/head.h"

#include <algorithm>

#include "base/text.h"
#include "http/host.h"
#include "http/router.h"

namespace headgate::http {
namespace {

constexpr std::size_t kLongestNote = 256;  ///< bytes of what a peer claims about itself

/// RFC 9110, section 5.6.2
bool is_token(std::string_view text) {
    const auto fits = [](char c) {
        return is_letter_or_digit(c) || std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
    };
    return !text.empty() && std::ranges::all_of(text, fits);
}

/// RFC 9110, section 5.5
bool is_field_value(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ' && c != '\t') || c == 0x7F; });
}

std::string_view next_line(std::string_view& text) {
    auto line = take_until(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

/// Whether a comma-separated list has this value.
bool lists(std::string_view values, std::string_view wanted) {
    while (!values.empty())
        if (equal_ignoring_case(trimmed(take_until(values, ',')), wanted)) return true;
    return false;
}

/// HTTP/1.1 requires exactly one, HTTP/1.0 allows one at most (RFC 9112, section 3.2).
Result<void> check_host(const RequestHead& head) {
    const auto hosts = times_given(head.fields, "Host");
    if (hosts > 1) return invalid("Host: given twice");
    if (hosts == 0 && !head.is_http_1_0) return invalid("Host: missing, and HTTP/1.1 requires it");
    return is_host(value_of(head.fields, "Host")) ? Result<void>{} : invalid("Host: neither a name nor an address");
}

/// What the peer claims about itself; accepted from root only, which could forge it in other ways anyway.
std::string note_of(const Request& request, const char* name) {
    const auto note = request.header(name);
    const auto printable = [](char c) { return c >= ' ' && c < 0x7F; };
    return note.size() <= kLongestNote && std::ranges::all_of(note, printable) ? std::string{note} : std::string{};
}

}  // namespace

std::size_t times_given(const Fields& fields, std::string_view name) {
    return static_cast<std::size_t>(
        std::ranges::count_if(fields, [&](const auto& field) { return equal_ignoring_case(field.first, name); }));
}

std::string_view value_of(const Fields& fields, std::string_view name) {
    const auto found =
        std::ranges::find_if(fields, [&](const auto& field) { return equal_ignoring_case(field.first, name); });
    return found == fields.end() ? std::string_view{} : std::string_view{found->second};
}

Result<std::pair<std::string, std::string>> parse_field(std::string_view line) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return invalid("a line of the header has no colon");
    const auto name = line.substr(0, colon);
    const auto value = trimmed(line.substr(colon + 1));
    if (!is_token(name) || !is_field_value(value)) return invalid("a line of the header is not well-formed");
    return std::pair{std::string{name}, std::string{value}};
}

bool RequestHead::keeps_alive() const {
    const auto connection = value_of(fields, "Connection");
    if (lists(connection, "close")) return false;
    return !is_http_1_0 || lists(connection, "keep-alive");
}

bool RequestHead::expects_continue() const {
    return !is_http_1_0 && equal_ignoring_case(value_of(fields, "Expect"), "100-continue");
}

/// Poco's parser is not used: it searches all fields for each new one, and decodes RFC 2047 words in values, so that
/// they would differ from what the client signed and what a proxy in front has read.
Result<RequestHead> parse_head(std::string_view text) {
    auto line = next_line(text);
    const auto method = take_until(line, ' ');
    const auto target = take_until(line, ' ');
    if (!is_token(method) || target.empty() || !is_field_value(target)) {
        return invalid("the request is not well-formed HTTP");
    }
    if (line != "HTTP/1.1" && line != "HTTP/1.0") return invalid("only HTTP/1.1 and HTTP/1.0 are spoken here");
    RequestHead head{std::string{method}, std::string{target}, line == "HTTP/1.0", {}};
    for (line = next_line(text); !line.empty(); line = next_line(text)) {
        ASSIGN_OR_RETURN(auto field, parse_field(line));
        head.fields.push_back(std::move(field));
    }
    return head;
}

Result<void> fill_request(const RequestHead& head, Request& request) {
    request.method = head.method;
    for (const auto& [name, value] : head.fields) {
        const auto [field, is_new] = request.headers.emplace(name, value);
        if (!is_new) field->second.append(", ").append(value);  // RFC 9110, section 5.3
    }
    if (request.caller.uid == 0U) {
        request.caller.sudo_user = note_of(request, "X-Headgate-Sudo-User");
        request.caller.source_address = note_of(request, "X-Headgate-Source-Address");
    }
    return check_host(head).and_then([&] { return parse_target(head.target, request); });
}

}  // namespace headgate::http
