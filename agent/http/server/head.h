// The head of a message: its first line and its header fields (RFC 9112, sections 2 to 5). Read in linear time.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headgate/result.h"

#include "http/message.h"

namespace headgate::http {

/// Header fields in the order in which they came.
using Fields = std::vector<std::pair<std::string, std::string>>;

/// How many there are of this name.
[[nodiscard]] std::size_t times_given(const Fields& fields, std::string_view name);

/// The first one's value; empty where there is none.
[[nodiscard]] std::string_view value_of(const Fields& fields, std::string_view name);

/// `Name: value`, without the line's end.
[[nodiscard]] Result<std::pair<std::string, std::string>> parse_field(std::string_view line);

struct RequestHead {
    std::string method;
    std::string target;
    bool is_http_1_0 = false;  ///< otherwise it is HTTP/1.1
    Fields fields;

    /// Whether the client may ask again on this connection (RFC 9112, section 9.3).
    [[nodiscard]] bool keeps_alive() const;

    /// Whether the client waits for a word before it sends the body (RFC 9110, section 10.1.1).
    [[nodiscard]] bool expects_continue() const;
};

/// Takes all lines up to the empty one.
[[nodiscard]] Result<RequestHead> parse_head(std::string_view text);

/// What the head says, put into the request; as much of it as there is, also where something is wrong with it.
[[nodiscard]] Result<void> take_head(const RequestHead& head, Request& request);

}  // namespace headgate::http
