// SPDX-License-Identifier: GPL-2.0-or-later
// The client while the agent restarts: connections that end without a response, and times without an agent.
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <functional>
#include <thread>

#include "http/client/agent_gateway.h"
#include "http/client/exchange.h"
#include "support/served_gateway.h"

namespace headgate::http {
namespace restarted_agent_test {

using namespace headgate::testing;

/// Listens on the agent's socket path. Loses the first connections' responses or requests; relays later connections.
class LossyRelay {
  public:
    /// What is lost. With Response, the request still reaches the agent.
    enum class Lost : std::uint8_t { Request, Response };

    LossyRelay(const std::string& path, std::string agent, int connections, Lost lost)
        : listener_(UnixListener::open(path).value()),
          agent_(std::move(agent)),
          to_lose_(connections),
          lost_(lost),
          thread_([this](const std::stop_token& stop) { run(stop); }) {}

    [[nodiscard]] int connections() const { return connections_; }

  private:
    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            pollfd asked{listener_.descriptor(), POLLIN, 0};
            if (::poll(&asked, 1, 10) <= 0) continue;
            const FileDescriptor client{::accept(listener_.descriptor(), nullptr, nullptr)};
            if (client.is_open()) relay(client.get());
        }
    }

    /// Relays one request, with a single receive; the tests' requests are short enough.
    void relay(int client) {
        std::array<char, 16 * 1024> request{};
        if (::recv(client, request.data(), request.size(), MSG_PEEK) <= 0) return;  // a probe for an agent
        const bool loses = connections_++ < to_lose_;
        if (loses && lost_ == Lost::Request) return;  // closing with unread data resets the client's connection
        const auto size = ::recv(client, request.data(), request.size(), 0);
        const auto agent = connect_to(agent_);
        if (!agent) return;
        ::send(agent->get(), request.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL);
        std::array<char, 16 * 1024> answer{};
        for (ssize_t got = 0; (got = ::recv(agent->get(), answer.data(), answer.size(), 0)) > 0;)
            if (!loses) ::send(client, answer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
    }

    UnixListener listener_;
    const std::string agent_;
    const int to_lose_;
    const Lost lost_;
    std::atomic<int> connections_ = 0;
    std::jthread thread_;
};

class RestartedAgent : public ServedGateway {
  protected:
    std::string front_ = folder_.path("front.sock");
};

TEST_F(RestartedAgent, that_ends_connections_without_an_answer_is_asked_again) {
    start();
    const LossyRelay relay{front_, path_, 3, LossyRelay::Lost::Request};
    const auto agent = AgentGateway::connect(front_).value();
    const auto listed = agent->list({});
    ASSERT_TRUE(listed) << listed.error().message;
    EXPECT_EQ(relay.connections(), 4);
}

TEST_F(RestartedAgent, that_has_started_an_operation_and_not_said_so_starts_it_once) {
    start();
    gateway_.complete_at_once(3);
    const LossyRelay relay{front_, path_, 2, LossyRelay::Lost::Response};
    const auto agent = AgentGateway::connect(front_).value();
    const auto started = agent->start(capture());
    ASSERT_TRUE(started) << started.error().message;
    EXPECT_EQ(relay.connections(), 3);
    EXPECT_EQ(gateway_.list({})->size(), 1U);
    const auto another = agent->start(capture());
    ASSERT_TRUE(another) << another.error().message;
    EXPECT_NE(another->id, started->id) << "another request is no repetition";
}

TEST_F(RestartedAgent, is_asked_again_for_everything_that_can_be_asked) {
    start();
    gateway_.complete_at_once(3);
    const auto id = gateway_.start(capture())->id;
    gateway::PolicyRequest request;
    request.policy = "drop";
    const std::vector<std::function<bool(AgentGateway&)>> questions{
        [&](AgentGateway& agent) { return agent.find(id).has_value(); },
        [&](AgentGateway& agent) { return agent.wait(id, 1s).has_value(); },
        [&](AgentGateway& agent) { return agent.cancel(id).has_value(); },
        [&](AgentGateway& agent) { return agent.flows(id, 0, 3)->size() == 3; },
        [&](AgentGateway& agent) {
            return agent.for_each_flow(id, 0, [](auto) { return Result<void>{}; }).has_value();
        },
        [&](AgentGateway& agent) { return agent.statistics({}).has_value(); },
        [&](AgentGateway& agent) { return agent.status({}).has_value(); },
        [&](AgentGateway& agent) { return agent.apply(request).has_value(); },
        [&](AgentGateway& agent) { return agent.remove(request).has_value(); },
        [&](AgentGateway& agent) { return agent.for_each_ended({}, [](auto) { return Result<void>{}; }).has_value(); },
    };
    for (std::size_t i = 0; i < questions.size(); ++i) {
        const LossyRelay relay{front_, path_, 1, LossyRelay::Lost::Response};
        const auto agent = AgentGateway::connect(front_).value();
        EXPECT_TRUE(questions[i](*agent)) << i;
        EXPECT_EQ(relay.connections(), 2) << i;
    }
}

TEST_F(RestartedAgent, that_is_not_there_for_a_while_is_waited_for) {
    start();
    const auto agent = client();
    server_.reset();
    std::thread restarting{[&] {
        std::this_thread::sleep_for(300ms);  // longer than the client's interval between attempts
        start();
    }};
    const auto listed = agent->list({});
    restarting.join();
    EXPECT_TRUE(listed) << listed.error().message;
}

TEST_F(RestartedAgent, that_does_not_come_back_is_given_up_with_what_to_do_then) {
    start();
    Question question{"GET", "/v1/operations", {}, {}};
    question.restart = 250ms;
    server_.reset();
    const auto gone = ask(path_, question);
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().kind, ErrorKind::Missing);
    EXPECT_NE(gone.error().message.find("headgate operations list"), std::string::npos) << gone.error().message;
}

TEST_F(RestartedAgent, is_not_waited_for_by_one_who_has_stopped_looking_on) {
    start();
    server_.reset();
    Question question{"GET", "/v1/flow-log", {}, {}};
    question.restart = 10min;
    question.is_over = [] { return true; };
    EXPECT_TRUE(ask_for_lines(path_, question, [](const std::string&) { return Result<void>{}; }));
}

TEST_F(RestartedAgent, an_error_that_the_agent_reports_is_not_taken_for_its_own_restart) {
    start();
    gateway_.fail_with({ErrorKind::Disconnected, "the collector has gone"});
    const LossyRelay relay{front_, path_, 0, LossyRelay::Lost::Response};
    const auto listed = AgentGateway::connect(front_).value()->list({});
    EXPECT_EQ(listed.error().message, "the collector has gone");
    EXPECT_EQ(listed.error().kind, ErrorKind::Disconnected);
    EXPECT_EQ(relay.connections(), 1);
}

TEST_F(RestartedAgent, that_has_made_its_socket_and_does_not_listen_yet_is_waited_for_a_moment) {
    {
        auto listener = UnixListener::open(path_);
        ASSERT_TRUE(listener);
        std::filesystem::rename(path_, path_ + ".kept");
    }
    std::filesystem::rename(path_ + ".kept", path_);
    const auto asked_at = std::chrono::steady_clock::now();
    EXPECT_EQ(AgentGateway::connect(path_).error().kind, ErrorKind::Disconnected)
        << "a socket that is never opened is no agent's";
    EXPECT_GE(std::chrono::steady_clock::now() - asked_at, 500ms);
}

}  // namespace restarted_agent_test
}  // namespace headgate::http
