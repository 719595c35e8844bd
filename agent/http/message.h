// SPDX-License-Identifier: GPL-2.0-or-later
// A request and its response as handlers see them: plain values, without a connection.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headgate/flow_filter.h"
#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "http/access/identity.h"

namespace headgate::http {

/// Names of header fields are case-insensitive (RFC 9110, section 5.1).
struct IgnoringCase {
    using is_transparent = void;
    [[nodiscard]] bool operator()(std::string_view a, std::string_view b) const;
};

/// How the clients of a listener are authenticated.
enum class Admission : std::uint8_t {
    PeerCredentials,  ///< by the kernel, which reports the peer of a Unix socket
    Credentials,      ///< by an access key, a token or a client certificate
    Anybody,          ///< not at all: any local user (`insecure_loopback`)
};

struct Request {
    std::string method;
    std::string path;                               ///< as sent, percent-encoded
    std::string query_text;                         ///< as sent: the part after the question mark
    std::multimap<std::string, std::string> query;  ///< decoded; repeated names in the order sent
    std::map<std::string, std::string, IgnoringCase> headers;
    std::string body;
    Admission admission = Admission::PeerCredentials;
    std::string certificate_name;  ///< common name of the client certificate that TLS has verified
    Caller caller;                 ///< the client
    access::Permissions permissions = access::kEverything;  ///< of the client
    std::optional<FlowFilter> own_flows;  ///< the client's own TCP flows to the agent: its flushes spare them
    std::optional<access::RequestSignature> signature;  ///< of a signed request
    std::map<std::string, std::string> path_members;    ///< values of the braces in the route's path, decoded

    /// Counts the request against the client's limit; released once it is answered.
    std::shared_ptr<void> place;

    /// Whether the client has gone or the server stops; polled by handlers that run long.
    std::function<bool()> is_over = [] { return false; };

    /// Value of a header field; empty where the field is absent.
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// Sends the next piece of a body. An error means that the client no longer reads.
using BodySink = std::function<Result<void>(std::string_view)>;

struct Response {
    int status = 200;
    std::string_view route;  ///< label for metrics and log: a route's path, or an AWS operation
    std::string content_type;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    /// In place of `body`: a body of any length, produced while it is sent, each piece at once. An error before the
    /// first piece becomes the response; a later one cuts the connection, so that no client takes a part for the whole.
    std::function<Result<void>(const BodySink&)> stream;
};

/// Compares the type of a Content-Type, ignoring its parameters (RFC 9110, section 8.3.1).
[[nodiscard]] bool is_media_type(std::string_view content_type, std::string_view media_type);

/// Content negotiation by the header field Accept (RFC 9110, section 12.5.1): the offered media type, such as
/// `text/csv`, with the highest q; on a tie the first one offered. Without the field, the first. Nothing where no type
/// is acceptable; a media range that is not well-formed accepts nothing.
[[nodiscard]] std::optional<std::string_view> preferred_type(std::string_view accept,
                                                             std::span<const std::string_view> offered);

[[nodiscard]] Response json_answer(int status, std::string body);

/// The value of a header field by which a client marks a request that it sends again, with the API and the caller, so
/// that two callers never share one; empty where the field is absent.
[[nodiscard]] Result<std::string> idempotency_token(const Request& request, std::string_view field,
                                                    std::string_view api);

}  // namespace headgate::http
