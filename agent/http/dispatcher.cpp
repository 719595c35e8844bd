// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/dispatcher.h"

#include <chrono>

#include "base/text.h"
#include "http/access/same_site.h"
#include "http/aws/aws_error.h"
#include "http/aws/aws_protocol.h"
#include "http/console/console.h"
#include "http/host.h"
#include "http/problem.h"
#include "http/rest/routes.h"
#include "threads/guarded.h"

namespace headgate::http {
namespace {

using access::Refusal;

/// Burst after an idle period, in seconds' worth of the configured rate.
constexpr double kBurstSeconds = 2;

/// Retry-After for clients with too many requests in progress.
constexpr std::chrono::seconds kMoment{1};

/// Clients of the AWS protocol parse only errors in its own form.
bool speaks_aws(const Request& request) {
    return (request.method == "POST" && request.path == "/") || !request.header("X-Amz-Target").empty();
}

AwsFault fault_of(Refusal refusal) {
    switch (refusal) {
        case Refusal::NoCredentials:
            return AwsFault::AccessDenied;
        case Refusal::IncompleteSignature:
            return AwsFault::IncompleteSignature;
        case Refusal::UnknownClient:
            return AwsFault::UnrecognizedClient;
        case Refusal::WrongSignature:
            return AwsFault::InvalidSignature;
        case Refusal::Expired:
            return AwsFault::RequestExpired;
    }
    return AwsFault::AccessDenied;
}

Response unknown_client(const Request& request, const access::AccessError& error) {
    if (speaks_aws(request)) return aws_error(fault_of(error.refusal), error.message);
    auto answer = problem(401, {ErrorKind::Forbidden, error.message});
    answer.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"headgate\"");  // RFC 6750, section 3
    return answer;
}

Response forbidden_answer(const Request& request, std::string_view why) {
    return speaks_aws(request) ? aws_error(AwsFault::AccessDenied, why) : problem(403, why);
}

Response too_often(const Request& request, std::string_view why, std::chrono::seconds wait) {
    if (speaks_aws(request)) return aws_error(AwsFault::Throttling, why, wait);
    auto answer = problem(429, {ErrorKind::Busy, std::string{why}});
    answer.headers.emplace_back("Retry-After", fmt::format("{}", wait.count()));
    return answer;
}

/// The rate limiter's key for unauthenticated requests.
std::string stranger(const Request& request) {
    const auto address = parse_address(request.caller.source_address);
    return compound_key({"address", address ? neighbourhood_of(*address) : request.caller.source_address});
}

/// Whether parsed JSON would need far more memory than its text. No valid request has that many members.
bool is_intricate(std::string_view body) {
    constexpr std::ptrdiff_t kMostMembers = 8192;
    const auto opens = [](char c) { return c == ',' || c == '{' || c == '['; };
    return std::ranges::count_if(body, opens) > kMostMembers;
}

}  // namespace

Dispatcher::Admitted::Admitted(access::Credentials credentials, double requests_per_second, std::size_t most_in_hand)
    : authenticator(std::move(credentials)),
      limiter(requests_per_second, kBurstSeconds * requests_per_second),
      in_hand(std::make_shared<access::RequestsInHand>(most_in_hand)) {}

Dispatcher::Dispatcher(gateway::ManagedGateway& gateway, Metrics& metrics, AccessLog log)
    : gateway_(gateway), metrics_(metrics), log_(std::move(log)), router_(make_router(gateway, replays_, metrics)) {
    admit({}, 1, 1);
}

void Dispatcher::admit(access::Credentials credentials, double requests_per_second, std::size_t most_in_hand) {
    auto admitted = std::make_shared<Admitted>(std::move(credentials), requests_per_second, most_in_hand);
    const std::lock_guard lock{mutex_};
    admitted_ = std::move(admitted);
}

std::shared_ptr<Dispatcher::Admitted> Dispatcher::admitted() const {
    const std::lock_guard lock{mutex_};
    return admitted_;
}

Response Dispatcher::answer(Request& request) {
    auto answered = guarded([&]() -> Result<Response> { return dispatch(request); });
    if (answered) return std::move(*answered);
    const auto& fault = answered.error();
    return speaks_aws(request) ? aws_error(AwsFault::InternalServerError, fault.message) : problem(500, fault);
}

Response Dispatcher::dispatch(Request& request) {
    if (auto turned_away = turn_away(request)) return std::move(*turned_away);
    if (is_intricate(request.body)) return error_response(request, 413, "the body has too many members");
    if (speaks_aws(request)) return carry_out_aws(gateway_, replays_, request);
    if (auto of_console = console_answer(request)) return std::move(*of_console);
    return router_.answer(request);
}

/// Whether the response reveals nothing about this gateway.
bool Dispatcher::is_for_anybody(const Request& request) const {
    return !speaks_aws(request) && (is_of_console(request) || router_.is_open(request));
}

/// Over TCP, rejects unauthenticated clients, and requests made by other sites' pages: a browser attaches the user's
/// client certificate, and reaches loopback, on behalf of any page. Links may lead to the console.
std::optional<Response> Dispatcher::turn_away(Request& request) const {
    if (request.admission == Admission::PeerCredentials) return std::nullopt;
    if (auto checked = access::check_origin(request); !checked)
        return forbidden_answer(request, checked.error().message);
    const auto checked_site = is_for_anybody(request) ? Result<void>{} : access::check_fetch_site(request);
    if (!checked_site) return forbidden_answer(request, checked_site.error().message);
    if (request.admission == Admission::Credentials) return turn_away_stranger(request);
    request.caller.face = "loopback";
    const auto checked = access::check_local_host(request);
    return checked ? std::nullopt : std::optional{forbidden_answer(request, checked.error().message)};
}

std::optional<Response> Dispatcher::turn_away_stranger(Request& request) const {
    request.permissions = {access::Role::Viewer, std::vector<std::string>{}};
    if (is_for_anybody(request)) return std::nullopt;
    const auto by = admitted();
    const auto identity = by->authenticator.identify(request, std::chrono::system_clock::now());
    const auto who = identity ? compound_key({identity->caller.face, identity->caller.user}) : stranger(request);
    if (const auto wait = by->limiter.wait_for(who, std::chrono::steady_clock::now())) {
        return too_often(request, "more requests than http.requests_per_second allows", *wait);
    }
    if (!identity) return unknown_client(request, identity.error());
    if (speaks_aws(request) && identity->caller.face == "token") {
        return forbidden_answer(request, "a token is for REST; requests of the AWS API are signed");
    }
    request.place = by->in_hand->enter(who);
    if (!request.place)
        return too_often(request, "these credentials have half of http.connections in use already", kMoment);
    request.caller.face = identity->caller.face;
    request.caller.user = identity->caller.user;
    request.permissions = identity->permissions;
    request.signature = identity->signature;
    return std::nullopt;
}

Response Dispatcher::error_response(const Request& request, int status, std::string_view detail) {
    if (!speaks_aws(request)) return problem(status, detail);
    return aws_error(status == 413 ? AwsFault::RequestEntityTooLarge : AwsFault::InvalidRequest, detail);
}

void Dispatcher::finished(const RequestRecord& record) {
    metrics_.count(record);
    log_(access_line(record));
}

void Dispatcher::turned_away() {
    metrics_.count_turned_away();
}

}  // namespace headgate::http
