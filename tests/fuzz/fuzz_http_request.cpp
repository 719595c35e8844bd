// SPDX-License-Identifier: GPL-2.0-or-later
// Sends any bytes on a connection: each request in them gets one response, and the connection ends.
#include <sys/socket.h>

#include <cstdlib>

#include "http/dispatcher.h"
#include "http/server/connection.h"
#include "support/memory_gateway.h"

namespace {

/// Passes requests to the agent's handler, and checks that each response is well-formed.
class Checked final : public headgate::http::RequestHandler {
  public:
    explicit Checked(headgate::http::RequestHandler& inner) : inner_(inner) {}

    headgate::http::Response answer(headgate::http::Request& request) override {
        return checked(inner_.answer(request));
    }
    headgate::http::Response error_response(const headgate::http::Request& request, int status,
                                            std::string_view detail) override {
        return checked(inner_.error_response(request, status, detail));
    }
    void finished(const headgate::http::RequestRecord& record) override { inner_.finished(record); }
    void turned_away() override { inner_.turned_away(); }

  private:
    static headgate::http::Response checked(headgate::http::Response answer) {
        if (answer.status < 200 || (!answer.stream && answer.body.empty())) std::abort();
        return answer;
    }

    headgate::http::RequestHandler& inner_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace headgate;
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    const FileDescriptor client{ends[0]};
    auto wire = std::make_unique<http::Stream>(FileDescriptor{ends[1]});
    if (::send(client.get(), data, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) std::abort();
    ::shutdown(client.get(), SHUT_WR);

    testing::MemoryGateway gateway;
    gateway.complete_at_once(3);
    http::Metrics metrics;
    http::Dispatcher door{gateway, metrics, [](std::string_view) {}};
    Checked checked{door};
    http::Peer root;
    root.caller = {"unix", 0U, "root", "", ""};
    root.is_admitted = true;
    const http::Service service{checked, {}, [] { return false; }, [] { return false; }, [] { return false; }, [] {}};
    http::Connection connection{std::move(wire), root, service, std::chrono::steady_clock::now()};
    while (const auto rest = connection.advance())
        if (rest->phase == http::Phase::Answering) break;  // the client does not read the response
    return 0;
}
