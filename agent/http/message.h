// A request and its answer, as handlers see them: plain values, without a connection.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

namespace headgate::http {

/// Names of header fields know no case (RFC 9110, section 5.1).
struct IgnoringCase {
    using is_transparent = void;
    [[nodiscard]] bool operator()(std::string_view a, std::string_view b) const;
};

struct Request {
    std::string method;
    std::string path;                          ///< as it was sent
    std::map<std::string, std::string> query;  ///< decoded
    std::map<std::string, std::string, IgnoringCase> headers;
    std::string body;
    Caller caller;                                    ///< who is behind the connection
    std::map<std::string, std::string> path_members;  ///< what the route's path has in braces, decoded

    /// Whether nobody waits for the answer any more: asked by handlers that take long.
    std::function<bool()> is_over = [] { return false; };

    /// A header field's value; empty where there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// Takes the next piece of a body. An error: nobody reads it any more.
using BodySink = std::function<Result<void>(std::string_view)>;

struct Answer {
    int status = 200;
    std::string content_type;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    /// In place of `body`, one of any length, which is made while it is sent. An error before the first piece becomes
    /// the answer; one after it cuts the connection, so that nobody takes a part for the whole.
    std::function<Result<void>(const BodySink&)> stream;
};

[[nodiscard]] Answer json_answer(int status, std::string_view body);

/// What is not UTF-8 is replaced (U+FFFD): names and messages may hold any bytes, JSON text may not (RFC 8259, 8.1).
[[nodiscard]] std::string as_utf8(std::string_view text);

}  // namespace headgate::http
