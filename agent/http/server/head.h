// SPDX-License-Identifier: GPL-2.0-or-later
// The head of a message: start line and header fields (RFC 9112, sections 2 to 5), parsed in linear time.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headgate/result.h"

#include "http/message.h"

namespace headgate::http {

/// Header fields in the order received.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// Number of fields with this name.
[[nodiscard]] std::size_t times_given(const Fields& fields, std::string_view name);

/// Value of the first field with this name; empty where there is none.
[[nodiscard]] std::string_view value_of(const Fields& fields, std::string_view name);

/// Parses `Name: value`, without the line end.
[[nodiscard]] Result<std::pair<std::string, std::string>> parse_field(std::string_view line);

struct RequestHead {
    std::string method;
    std::string target;
    bool is_http_1_0 = false;  ///< otherwise HTTP/1.1
    Fields fields;

    /// Whether the connection persists (RFC 9112, section 9.3).
    [[nodiscard]] bool keeps_alive() const;

    /// Whether the client waits for 100 Continue before it sends the body (RFC 9110, section 10.1.1).
    [[nodiscard]] bool expects_continue() const;
};

/// Parses all lines up to the empty one.
[[nodiscard]] Result<RequestHead> parse_head(std::string_view text);

/// Copies the head into the request. On error, the request has as much as could be parsed.
[[nodiscard]] Result<void> fill_request(const RequestHead& head, Request& request);

}  // namespace headgate::http
