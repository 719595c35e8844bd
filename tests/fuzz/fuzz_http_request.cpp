// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes on a connection: each request in them gets one response, and the connection ends.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "http/dispatcher.h"
#include "http/server/connection.h"
#include "support/ended_flows.h"
#include "support/memory_gateway.h"

namespace {

using namespace headgate;

/// A client that sends the bytes in two parts, and receives a response in pieces.
class Client final : public http::Stream {
  public:
    explicit Client(std::string_view bytes)
        : parts_{bytes.substr(0, bytes.size() / 2), bytes.substr(bytes.size() / 2)} {}

    Result<http::Moved> receive(std::span<char> into) override {
        auto& part = parts_[parts_[0].empty() ? 1 : 0];
        const auto size = part.copy(into.data(), into.size());
        part.remove_prefix(size);
        return http::Moved{size, 0};
    }
    Result<http::Moved> send(std::span<const std::string_view> parts) override {
        return http::Moved{std::min<std::size_t>(parts.front().size(), 512), 0};
    }
    void end_sending() override {}

  private:
    std::array<std::string_view, 2> parts_;
};

/// Passes requests to the agent's handler, and checks that each response is well-formed.
class Checked final : public http::RequestHandler {
  public:
    explicit Checked(http::RequestHandler& inner) : inner_(inner) {}

    http::Response answer(http::Request& request) override {
        is_answering_ = true;
        return checked(inner_.answer(request));
    }
    http::Response error_response(const http::Request& request, int status, std::string_view detail) override {
        return checked(inner_.error_response(request, status, detail));
    }
    void finished(const http::RequestRecord& record) override {
        is_answering_ = false;
        inner_.finished(record);
    }
    void turned_away() override { inner_.turned_away(); }

    [[nodiscard]] bool is_answering() const { return is_answering_; }

  private:
    static http::Response checked(http::Response answer) {
        if (answer.status < 200 || (!answer.stream && answer.body.empty())) std::abort();
        return answer;
    }

    http::RequestHandler& inner_;
    bool is_answering_ = false;
};

/// What outlives a connection. Of it, the gateway alone has a state that responses show.
struct Agent {
    Agent() {
        gateway.id_format = "00000000-0000-4000-8000-{:012}";
        gateway.complete_at_once(3);
        gateway.end_flow(testing::flushed_flow(), "{\"event_type\":\"flow\"}\n");
    }

    testing::MemoryGateway gateway;
    http::Metrics metrics;
    http::Dispatcher dispatcher{gateway, metrics, [](std::string_view) {}};
};

http::Peer root() {
    http::Peer peer;
    peer.caller = {"unix", 0U, "root", "", ""};
    peer.is_admitted = true;
    return peer;
}

/// Nothing waits: what follows events finds that the server stops.
http::Service service_of(Checked& handler) {
    return {handler, {}, [&] { return handler.is_answering(); }, [] { return false; }, [] { return false; }, [] {}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Agent agent;
    static const auto kRoot = root();
    agent.gateway.forget_requests();
    Checked checked{agent.dispatcher};
    const std::string_view bytes{reinterpret_cast<const char*>(data), size};
    http::Connection connection{std::make_unique<Client>(bytes), kRoot, service_of(checked),
                                std::chrono::steady_clock::now()};
    while (connection.advance()) {
    }
    return 0;
}
