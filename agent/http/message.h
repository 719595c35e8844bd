// A request and its answer, as handlers see them: plain values, without a connection.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "headgate/flow_filter.h"
#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "gateway/proof.h"
#include "gateway/rights.h"

namespace headgate::http {

/// Names of header fields know no case (RFC 9110, section 5.1).
struct IgnoringCase {
    using is_transparent = void;
    [[nodiscard]] bool operator()(std::string_view a, std::string_view b) const;
};

/// What those must show who come through a listener.
enum class Admission : std::uint8_t {
    PeerCredentials,  ///< nothing: the kernel says who is at the other end of a Unix socket
    Credentials,      ///< a key, a token, or a certificate
    Anybody,          ///< nothing: whoever is on this machine (`insecure_loopback`)
};

struct Request {
    std::string method;
    std::string path;                               ///< as it was sent
    std::string query_text;                         ///< likewise: what follows the question mark
    std::multimap<std::string, std::string> query;  ///< decoded; what stands there twice, in its order
    std::map<std::string, std::string, IgnoringCase> headers;
    std::string body;
    Admission admission = Admission::PeerCredentials;
    std::string certificate_name;                   ///< common name of the client certificate that was shown
    Caller caller;                                  ///< who asks
    gateway::Rights rights = gateway::kEverything;  ///< and what they may do
    std::optional<FlowFilter> own_flows;  ///< by which they reach the agent over TCP: no flush of theirs ends them
    std::optional<gateway::Proof> proof;  ///< where the request is signed
    std::map<std::string, std::string> path_members;  ///< what the route's path has in braces, decoded

    /// Held as long as the request is in hand: whoever counts them sees when it is over.
    std::shared_ptr<void> place;

    /// Whether nobody waits for the answer any more: asked by handlers that take long.
    std::function<bool()> is_over = [] { return false; };

    /// A header field's value; empty where there is none.
    [[nodiscard]] std::string_view header(std::string_view name) const;
};

/// Takes the next piece of a body. An error: nobody reads it any more.
using BodySink = std::function<Result<void>(std::string_view)>;

struct Answer {
    int status = 200;
    std::string_view route;  ///< what the request was for, as metrics call it: a route's path, an AWS operation
    std::string content_type;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    /// In place of `body`, one of any length, which is made while it is sent, each piece at once. An error before the
    /// first piece becomes the answer; one after it cuts the connection, so that nobody takes a part for the whole.
    std::function<Result<void>(const BodySink&)> stream;
};

/// Whether a Content-Type is this one, whatever its parameters (RFC 9110, section 8.3.1).
[[nodiscard]] bool is_media_type(std::string_view content_type, std::string_view media_type);

[[nodiscard]] Answer json_answer(int status, std::string body);

}  // namespace headgate::http
