// SPDX-License-Identifier: GPL-2.0-or-later
// An in-memory gateway behind the HTTP server, and clients for it.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>
#include <thread>

#include "http/client/agent_gateway.h"
#include "http/dispatcher.h"
#include "http/server/server.h"
#include "support/memory_gateway.h"
#include "support/temporary_folder.h"

namespace headgate::testing {

using namespace std::chrono_literals;

/// Waits up to 5 seconds for the condition; returns whether it became true.
template <typename Condition>
bool soon(const Condition& condition) {
    for (int i = 0; i < 500; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(10ms);
    }
    return false;
}

/// An in-memory gateway served on a Unix socket in a temporary directory.
class ServedGateway : public ::testing::Test {
  protected:
    void start(const http::Limits& limits = {}) {
        auto listener = http::UnixListener::open(path_);
        ASSERT_TRUE(listener) << listener.error().message;
        auto server = http::Server::start({http::Listener::on(std::move(*listener))}, dispatcher_, limits);
        ASSERT_TRUE(server) << server.error().message;
        server_ = std::move(*server);
    }
    std::unique_ptr<http::AgentGateway> client() { return http::AgentGateway::connect(path_).value(); }

    /// A connection for arbitrary bytes.
    class Raw {
      public:
        explicit Raw(const std::string& path) : socket_(http::connect_to(path).value()) {
            const timeval patience{5, 0};
            ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        }
        void say(std::string_view text) const {
            static_cast<void>(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL));
        }
        /// Receives until the peer closes or the text contains `until`.
        [[nodiscard]] std::string hear(std::string_view until = {}) const {
            std::string heard;
            std::array<char, 4096> buffer{};
            for (;;) {
                if (!until.empty() && heard.find(until) != std::string::npos) return heard;
                const auto size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
                if (size <= 0) return heard;
                heard.append(buffer.data(), static_cast<std::size_t>(size));
            }
        }

      private:
        FileDescriptor socket_;
    };
    Raw raw() { return Raw{path_}; }

    /// Sends the text on a new connection and returns the response.
    std::string answer_to(std::string_view text) {
        const auto connection = raw();
        connection.say(text);
        return connection.hear();
    }

    TemporaryFolder folder_;
    std::string path_ = folder_.path("run/headgate.sock");
    MemoryGateway gateway_;
    http::Metrics metrics_;
    http::Dispatcher dispatcher_{gateway_, metrics_, [](std::string_view) {}};
    std::unique_ptr<http::Server> server_;
};

inline gateway::OperationRequest capture() {
    gateway::OperationRequest request;
    request.query = query_for("destination-port=80,protocol=tcp");
    return request;
}

}  // namespace headgate::testing
