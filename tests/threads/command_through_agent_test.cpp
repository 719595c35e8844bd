// SPDX-License-Identifier: GPL-2.0-or-later
// The whole command line with an agent that serves an in-memory gateway.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <future>

#include "cli/cli.h"
#include "flow/flow_json.h"
#include "operations/operation_json.h"
#include "support/line_blocks.h"
#include "support/served_gateway.h"

namespace headgate::cli {
namespace command_through_agent_test {

using namespace headgate::testing;

/// A command line with stdout in a pipe and stderr in a file.
class Command {
  public:
    explicit Command(std::vector<std::string> words) : words_(std::move(words)) {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        out_ = FileDescriptor{ends[0]};
        const FileDescriptor in{ends[1]};
        ::testing::internal::CaptureStderr();
        stdout_ = FileDescriptor{::dup(STDOUT_FILENO)};
        ::dup2(in.get(), STDOUT_FILENO);
        status_ = std::async(std::launch::async, [this] {
            std::vector<const char*> arguments{"headgate"};
            for (const auto& word : words_)
                arguments.push_back(word.c_str());
            const int status = cli::run(static_cast<int>(arguments.size()), arguments.data());
            ::dup2(stdout_.get(), STDOUT_FILENO);
            return status;
        });
    }

    /// Waits until so many lines have been read in all; returns what has been read.
    const std::string& read_lines(std::ptrdiff_t lines) {
        while (std::count(text_.begin(), text_.end(), '\n') < lines && read_some()) {
        }
        return text_;
    }

    struct End {
        int status = 0;
        std::string out, err;
    };
    End end() {
        while (read_some()) {
        }
        return {status_.get(), text_, ::testing::internal::GetCapturedStderr()};
    }

  private:
    bool read_some() {
        std::array<char, 64 * 1024> buffer{};
        const auto size = ::read(out_.get(), buffer.data(), buffer.size());
        if (size > 0) text_.append(buffer.data(), static_cast<std::size_t>(size));
        return size > 0;
    }

    std::vector<std::string> words_;
    FileDescriptor out_, stdout_;
    std::string text_;
    std::future<int> status_;
};

/// Relays between the command and the agent. Cuts the connection of each response to a request for flows behind some
/// bytes.
class CuttingRelay {
  public:
    CuttingRelay(const std::string& path, std::string agent, std::size_t behind)
        : listener_(http::UnixListener::open(path).value()),
          agent_(std::move(agent)),
          behind_(behind),
          thread_([this](const std::stop_token& stop) { run(stop); }) {}

    [[nodiscard]] int cuts() const { return cuts_; }

  private:
    void run(const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            pollfd asked{listener_.descriptor(), POLLIN, 0};
            if (::poll(&asked, 1, 10) <= 0) continue;
            const FileDescriptor client{::accept(listener_.descriptor(), nullptr, nullptr)};
            if (client.is_open()) relay(client.get());
        }
    }

    /// One request, with a single receive.
    void relay(int client) {
        std::array<char, 16 * 1024> buffer{};
        const auto size = ::recv(client, buffer.data(), buffer.size(), 0);
        if (size <= 0) return;
        const std::string_view request{buffer.data(), static_cast<std::size_t>(size)};
        auto left = request.find("/results") == std::string_view::npos ? SIZE_MAX : behind_;
        const auto agent = http::connect_to(agent_).value();
        ::send(agent.get(), request.data(), request.size(), MSG_NOSIGNAL);
        for (ssize_t got = 0; left > 0 && (got = ::recv(agent.get(), buffer.data(), buffer.size(), 0)) > 0;) {
            const auto sent = std::min(left, static_cast<std::size_t>(got));
            ::send(client, buffer.data(), sent, MSG_NOSIGNAL);
            left -= sent;
        }
        if (left == 0) ++cuts_;
    }

    http::UnixListener listener_;
    const std::string agent_;
    const std::size_t behind_;
    std::atomic<int> cuts_ = 0;
    std::jthread thread_;
};

class CommandThroughAgent : public ServedGateway {
  protected:
    Command command(std::vector<std::string> words, const std::string& socket) {
        words.insert(words.end(), {"--socket", socket, "--config", folder_.write("headgate.yaml", "")});
        return Command{std::move(words)};
    }
    Command capture_ndjson(const std::string& socket) { return command({"capture", "--all", "-o", "ndjson"}, socket); }

    /// The only operation, once it was started.
    std::string started() {
        EXPECT_TRUE(soon([&] { return gateway_.list({})->size() == 1; }));
        return gateway_.list({})->front().id;
    }

    /// Ends a rematch with judged_flows().
    void judge(const std::string& id, std::uint64_t refused = 4) {
        gateway_.amend(id, [&](FlowOperation& operation) {
            operation.ruleset = JudgedRuleset{RulesetSource::InForce, 7, {}};
            operation.counts.verdicts = {3, refused, 2, 2};
            operation.refused_by = {{*judged_flows()[1].verdict->rule, RefusalKind::Drop, refused, 2048}};
            operation.unknown_reasons = {{"meta cpu is not known", {}, 2}};
        });
        gateway_.finish(id, judged_flows());
    }

    /// NDJSON as this process writes it.
    static std::string lines_of(const std::vector<FlowRow>& flows, const FlowOperation& operation) {
        fmt::memory_buffer out;
        for (const auto& each : flows) {
            append_flow_json(out, each, moment_of(operation));
            out.push_back('\n');
        }
        operations::append_operation_json(out, operation);
        out.push_back('\n');
        return fmt::to_string(out);
    }

    std::string front_ = folder_.path("front.sock");
};

TEST_F(CommandThroughAgent, shows_flows_while_the_operation_is_running) {
    start();
    auto running = capture_ndjson(path_);
    const auto id = started();
    const auto all = numbered_flows(0, 5000);
    gateway_.find_flows(id, {all.begin(), all.begin() + 3000});
    const auto& seen = running.read_lines(2000);
    EXPECT_EQ(gateway_.find(id)->status, OperationStatus::InProgress);
    EXPECT_TRUE(lines_of(all, *gateway_.find(id)).starts_with(seen)) << "each once, in their order";
    gateway_.find_flows(id, {all.begin(), all.begin() + 4000});  // which ends within a block
    gateway_.finish(id, all);
    const auto [status, out, err] = running.end();
    EXPECT_EQ(status, 0) << err;
    EXPECT_EQ(out, lines_of(all, *gateway_.find(id)));
}

TEST_F(CommandThroughAgent, passes_on_flows_of_every_kind_without_loss) {
    start();
    auto running = capture_ndjson(path_);
    const auto id = started();
    gateway_.amend(id, [](FlowOperation& operation) { operation.requested_at += std::chrono::milliseconds{7}; });
    gateway_.finish(id, flows_of_every_kind());
    EXPECT_EQ(running.end().out, lines_of(flows_of_every_kind(), *gateway_.find(id)));
}

TEST_F(CommandThroughAgent, goes_on_with_the_next_flow_when_the_connection_breaks) {
    start();
    gateway_.complete_at_once(5000);
    const CuttingRelay relay{front_, path_, 50'000};
    const auto [status, out, err] = capture_ndjson(front_).end();
    EXPECT_EQ(status, 0) << err;
    EXPECT_EQ(out, lines_of(numbered_flows(0, 5000), gateway_.list({})->front()));
    EXPECT_GT(relay.cuts(), 2);
}

TEST_F(CommandThroughAgent, shows_no_part_of_a_flow_when_the_connection_breaks_and_says_so) {
    start();
    gateway_.complete_at_once(5000);
    const CuttingRelay relay{front_, path_, 5000};  // within the first block
    const auto [status, out, err] = capture_ndjson(front_).end();
    EXPECT_EQ(status, 1);
    EXPECT_EQ(out, "");
    EXPECT_EQ(err, fmt::format("headgate: the connection ended in the middle of a body; headgate operations results {} "
                               "prints the flows again\n",
                               gateway_.list({})->front().id));
}

TEST_F(CommandThroughAgent, shows_the_flows_before_an_error_of_the_agent_whole_and_then_the_error) {
    start();
    gateway_.complete_at_once(5000);
    gateway_.break_after(2560);
    const auto [status, out, err] = capture_ndjson(path_).end();
    EXPECT_EQ(status, 1);
    const auto whole = lines_of(numbered_flows(0, 2560), gateway_.list({})->front());
    EXPECT_TRUE(whole.starts_with(out) && (out.empty() || out.ends_with('\n')));
    EXPECT_TRUE(err.starts_with("headgate: the disk is broken; ")) << err;
}

TEST_F(CommandThroughAgent, shows_what_the_rules_would_not_allow_and_by_which_of_them) {
    start();
    auto running = command({"rematch", "--all", "-o", "table"}, path_);
    judge(started());
    const auto [status, out, err] = running.end();
    EXPECT_EQ(status, 0) << err;
    EXPECT_NE(out.find("refused     inet filter forward handle 12: tcp dport 22 \"quoted\" drop"), std::string::npos)
        << out;
    EXPECT_NE(out.find("translated  to 10.0.0.9:8080 from 192.0.2.1"), std::string::npos) << out;
    EXPECT_NE(out.find("12 of 0 flows match: 3 allowed, 4 refused, 2 translated, 2 unknown\n\n"
                       "FLOWS    BYTES  REFUSED BY\n"
                       "    4  2.0 KiB  inet filter forward handle 12: tcp dport 22 \"quoted\" drop\n\n"
                       "FLOWS  UNKNOWN BECAUSE\n"
                       "    2  meta cpu is not known\n"),
              std::string::npos)
        << out;
    EXPECT_EQ(out.find("assumes"), std::string::npos) << "allowed flows are not shown";
}

TEST_F(CommandThroughAgent, shows_flows_by_their_verdicts_and_exits_with_3_if_none_is_refused) {
    start();
    const auto lines_with = [&](const std::string& show) {
        gateway_.forget_requests();
        auto running = command({"rematch", "--all", "-o", "ndjson", "--show", show}, path_);
        judge(started(), 0);
        const auto [status, out, err] = running.end();
        EXPECT_EQ(status, 3) << err;
        return std::count(out.begin(), out.end(), '\n') - 1;
    };
    EXPECT_EQ(lines_with("all"), 12);
    EXPECT_EQ(lines_with("allowed"), 3);
    EXPECT_EQ(lines_with("refused"), 4);
    EXPECT_EQ(lines_with("unknown"), 2);
}

TEST_F(CommandThroughAgent, sends_a_candidate_for_the_ruleset_from_a_file) {
    start();
    const auto file = folder_.write("new.nft", "add rule inet filter forward drop\n");
    auto running = command({"rematch", "--all", "--ruleset", file}, path_);
    judge(started());
    EXPECT_EQ(running.end().status, 0);
    EXPECT_EQ(gateway_.last_request().type, OperationType::Rematch);
    EXPECT_EQ(gateway_.last_request().ruleset_text, "add rule inet filter forward drop\n");
}

TEST_F(CommandThroughAgent, flushes_what_a_rematch_has_refused) {
    start();
    auto running = command({"rematch", "--all", "--flush", "--yes", "--max-flows", "9", "-o", "json"}, path_);
    const auto judged = started();
    judge(judged);
    ASSERT_TRUE(soon([&] { return gateway_.list({})->size() == 2; }));
    const auto flush = gateway_.list({})->front();
    EXPECT_EQ(gateway_.last_request().type, OperationType::Flush);
    EXPECT_EQ(gateway_.last_request().from_operation, judged);
    EXPECT_EQ(gateway_.last_request().maximum_flows, 9U);
    EXPECT_FALSE(gateway_.last_request().include_translated);
    gateway_.finish(flush.id, {judged_flows()[1]});
    const auto [status, out, err] = running.end();
    EXPECT_EQ(status, 0) << err;
    EXPECT_NE(out.find(R"("type":"FLOW_FLUSH")"), std::string::npos) << out;
    EXPECT_NE(out.find(R"("verdict":{"result":"refused")"), std::string::npos) << out;
    EXPECT_NE(err.find("judged by operation " + judged), std::string::npos) << err;
}

TEST_F(CommandThroughAgent, flushes_nothing_if_a_rematch_has_refused_nothing) {
    start();
    auto running = command({"rematch", "--all", "--flush", "--yes"}, path_);
    judge(started(), 0);
    EXPECT_EQ(running.end().status, 3);
    EXPECT_EQ(gateway_.list({})->size(), 1U);
}

}  // namespace command_through_agent_test
}  // namespace headgate::cli
