// SPDX-License-Identifier: GPL-2.0-or-later
// `headgate log` on files: what it writes to stdout and stderr, and how it ends.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <thread>

#include "cli/cli.h"
#include "cli/interruption.h"
#include "flowlog/record_format.h"
#include "operations/sqlite_store.h"
#include "support/ended_flows.h"
#include "support/line_blocks.h"
#include "support/stored_operations.h"
#include "support/temporary_folder.h"

namespace headgate::cli {
namespace log_command_test {

using namespace headgate::testing;

struct Told {
    int status = 0;
    std::string out;
    std::string err;
};

bool contains(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

class LogCommandTest : public ::testing::Test {
  protected:
    LogCommandTest() {
        flowlog::LineBlock block;
        const auto format = flowlog::make_format(config::FlowLogFormat::Eve);
        for (const auto& each : {flushed_flow(), foreign_flushed_flow(), timed_out_ping()})
            format->append(block, each);
        append(std::string{block.from(0)});
        flushed_ = std::string{block.line(0)};
        ping_ = std::string{block.line(2)};
        flowlog::LineBlock loss;
        format->append(loss, lost_flows());
        loss_ = std::string{loss.from(0)};
    }

    void append(const std::string& text) const { std::ofstream{file_, std::ios::app} << text; }

    /// Runs `headgate log` without an agent and without a flow log, and `meanwhile` on another thread.
    [[nodiscard]] Told run(std::vector<const char*> words, const std::function<void()>& meanwhile = {}) const {
        const std::string configuration = folder_.write(
            "headgate.yaml", "flow_log: {sinks: " + sinks_ + "}\nhttp: {socket: " + folder_.path("no-socket") +
                                 "}\nstate_dir: " + folder_.path("state") + "\n");
        std::vector<const char*> all{"headgate", "--config", configuration.c_str(), "log"};
        all.insert(all.end(), words.begin(), words.end());
        ::testing::internal::CaptureStdout();
        ::testing::internal::CaptureStderr();
        std::jthread other;
        if (meanwhile) other = std::jthread{meanwhile};
        const int status = cli::run(static_cast<int>(all.size()), all.data());
        if (meanwhile) other.join();
        return {status, ::testing::internal::GetCapturedStdout(), ::testing::internal::GetCapturedStderr()};
    }
    [[nodiscard]] Told show(std::vector<const char*> words, const std::function<void()>& meanwhile = {}) const {
        words.insert(words.begin(), {"--file", file_.c_str()});
        return run(std::move(words), meanwhile);
    }

    TemporaryFolder folder_;
    std::string file_ = folder_.path("flow.json");
    std::string flushed_, ping_, loss_;
    std::string sinks_ = "[]";
};

TEST_F(LogCommandTest, writes_the_records_as_they_are) {
    const auto told = show({"--output", "ndjson"});
    EXPECT_EQ(told.status, 0);
    EXPECT_EQ(told.err, "");
    ASSERT_EQ(lines_of(told.out).size(), 3U);
    EXPECT_EQ(lines_of(told.out)[0], flushed_);

    const auto json = show({"--lines", "1", "--json"});
    EXPECT_EQ(json.out, "{\"records\":[\n" + ping_ + "]}\n");
}

TEST_F(LogCommandTest, shows_who_ended_a_flow_in_a_table) {
    const auto lines = lines_of(show({"--output", "table"}).out);
    ASSERT_EQ(lines.size(), 4U);
    EXPECT_TRUE(lines[0].starts_with("TIME  ")) << lines[0];
    EXPECT_TRUE(contains(lines[0], "  BY ")) << lines[0];
    EXPECT_TRUE(lines[0].ends_with("  OPERATION")) << lines[0];
    EXPECT_TRUE(contains(lines[1], "tcp    10.0.1.2:43210  ")) << lines[1];
    EXPECT_TRUE(contains(lines[1], "  203.0.113.7:443 ")) << lines[1];
    EXPECT_TRUE(contains(lines[1], "  alice ")) << lines[1];
    EXPECT_TRUE(lines[1].ends_with("  4f7b2c1e")) << lines[1];
    EXPECT_TRUE(lines[2].ends_with("conntrack (port 4711)")) << lines[2];
    EXPECT_TRUE(contains(lines[3], "10.0.2.2 type 8 code 0")) << lines[3];
}

TEST_F(LogCommandTest, shows_those_alone_that_match) {
    EXPECT_EQ(lines_of(show({"--output", "ndjson", "--reason", "flushed"}).out).size(), 2U);
    EXPECT_EQ(lines_of(show({"--output", "ndjson", "--reason", "flushed", "--reason", "timeout"}).out).size(), 3U);
    EXPECT_EQ(lines_of(show({"--output", "ndjson", "--source", "10.0.0.0/8"}).out).size(), 2U);
    EXPECT_EQ(
        lines_of(show({"--output", "ndjson", "--filter", "protocol=icmp", "--filter", "protocol=udp"}).out).size(), 2U);
    EXPECT_EQ(show({"--output", "ndjson", "--reason", "flushed", "--destination-port", "443", "--lines", "1"}).out,
              flushed_ + "\n");
    EXPECT_EQ(show({"--output", "ndjson", "--firewall", "edge", "--lines", "1"}).out, ping_ + "\n");
    EXPECT_EQ(show({"--output", "ndjson", "--by", "alice"}).out, flushed_ + "\n");
    EXPECT_EQ(lines_of(show({"--by", "conntrack", "--no-header", "--columns", "by"}).out),
              std::vector<std::string>{"conntrack (port 4711)"});
    for (const auto* id : {"4f7b2c1e-9a60-4d0f-8b8e-2b1f0c9d7e31", "4f7b2c1e", "4F7B"})
        EXPECT_EQ(show({"--output", "ndjson", "--operation", id}).out, flushed_ + "\n") << id;
}

TEST_F(LogCommandTest, shows_those_that_ended_within_a_time) {
    const auto shown = [this](std::vector<const char*> words) {
        words.insert(words.begin(), {"--output", "ndjson"});
        return lines_of(show(std::move(words)).out).size();
    };
    EXPECT_EQ(shown({"--since", "2025-08-12T13:05:03Z"}), 3U);
    EXPECT_EQ(shown({"--since", "2025-08-12T15:05:04+02:00"}), 0U);
    EXPECT_EQ(shown({"--until", "2025-08-12T13:05:03.931841+0000"}), 3U) << "as a table and the records show it";
    EXPECT_EQ(shown({"--until", "2025-08-12T13:05:03Z"}), 0U);
    EXPECT_EQ(shown({"--since", "1h"}), 0U) << "they ended in 2025";
    EXPECT_EQ(shown({"--until", "1h"}), 3U);
    EXPECT_EQ(shown({"--since", "1000000d"}), 3U) << "longer ago than the clock can show";
}

TEST_F(LogCommandTest, exits_with_3_when_nothing_matches) {
    for (const auto& words : std::vector<std::vector<const char*>>{{"--firewall", "other"},
                                                                   {"--by", "bob"},
                                                                   {"--operation", "9a60"},
                                                                   {"--reason", "evicted"},
                                                                   {"--protocol", "sctp"},
                                                                   {"--lines", "0"}}) {
        EXPECT_EQ(show(words).status, 3) << words[1];
    }
    EXPECT_EQ(show({"--reason", "evicted", "--json"}).out, "{\"records\":[]}\n");
}

/// Ends an operation in the store of the commands.
void keep(const std::string& folder, FlowOperation operation) {
    const auto store = operations::SqliteStore::open(folder);
    ASSERT_TRUE(store) << store.error().message;
    ASSERT_TRUE((*store)->begin(operation, {}));
    operation.status = OperationStatus::Completed;
    ASSERT_TRUE((*store)->update(operation));
}

TEST_F(LogCommandTest, says_why_an_operation_has_no_record) {
    const auto absence = [this](const FlowOperation& operation, std::vector<const char*> words = {}) {
        keep(folder_.path("state"), operation);
        words.insert(words.begin(), {"--operation", operation.id.c_str()});
        const auto told = show(words);
        EXPECT_EQ(told.status, 3);
        return told.err;
    };
    auto capture = operation_named("aaaa0001-9a60-4d0f-8b8e-2b1f0c9d7e31");
    capture.requested_at = kSystemClock.now();
    auto dry_run = capture;
    dry_run.id = "aaaa0002-9a60-4d0f-8b8e-2b1f0c9d7e31";
    dry_run.type = OperationType::Flush;
    dry_run.dry_run = true;
    auto idle = dry_run;
    idle.id = "aaaa0003-9a60-4d0f-8b8e-2b1f0c9d7e31";
    idle.dry_run = false;
    auto flush = idle;
    flush.id = "aaaa0004-9a60-4d0f-8b8e-2b1f0c9d7e31";
    flush.counts.flushed = 2;
    EXPECT_EQ(absence(capture), "headgate: operation " + capture.id + " is a capture, which ends no flow\n");
    EXPECT_EQ(absence(dry_run), "headgate: operation " + dry_run.id + " was a dry run, and ended no flow\n");
    EXPECT_EQ(absence(idle), "headgate: operation " + idle.id + " ended no flow\n");
    EXPECT_EQ(absence(flush),
              "headgate: operation " + flush.id + " ended 2 flows: " + file_ + " has no record of them\n");
    flush.id = "bbbb0005-9a60-4d0f-8b8e-2b1f0c9d7e31";
    EXPECT_EQ(absence(flush, {"-p", "udp"}),
              "headgate: operation " + flush.id + " ended 2 flows: " + file_ + " has no record of them that matches\n");
    EXPECT_EQ(show({"--operation", "bbbb"}).err,
              "headgate: operation " + flush.id + " ended 2 flows: " + file_ + " has no record of them\n");
    EXPECT_EQ(show({"--operation", "cccc"}).err, "headgate: no record of operation cccc in " + file_ +
                                                     "; headgate operations list shows no such operation either\n");
    EXPECT_EQ(show({"--operation", "4f7b"}).err, "") << "its record is there";
}

TEST_F(LogCommandTest, reports_once_that_records_cannot_be_parsed_and_shows_the_rest) {
    append("{\"event_type\":\"flow\"}\nno record\n" + flushed_ + "\n");
    const auto told = show({"--output", "ndjson"});
    EXPECT_EQ(told.status, 0);
    EXPECT_EQ(lines_of(told.out).size(), 4U);
    EXPECT_EQ(told.err,
              "headgate: a record cannot be read, and is left out: timestamp: missing\n"
              "headgate: 2 records in all could not be read\n");
}

TEST_F(LogCommandTest, reports_that_records_are_missing) {
    append(loss_);
    const auto told = show({"--output", "ndjson"});
    EXPECT_EQ(lines_of(told.out).size(), 3U);
    EXPECT_TRUE(told.err.starts_with("headgate: warning: 1200 flows ended between")) << told.err;
}

TEST_F(LogCommandTest, keeps_a_terminal_from_what_a_record_may_hold) {
    append(R"({"event_type":"flow","timestamp":"\u001b[2J","src_ip":"10.0.0.1","dest_ip":"10.0.0.2","proto":"UDP",)"
           R"("flow":{"last_state":"\u009b31m"}})"
           "\n");
    for (const auto* format : {"table", "wide", "csv"}) {
        const auto told = show({"--output", format, "--lines", "1"});
        EXPECT_TRUE(contains(told.out, "?[2J")) << format;
        EXPECT_EQ(told.out.find('\x1b'), std::string::npos) << format;
        EXPECT_EQ(told.out.find("\xc2\x9b"), std::string::npos) << format;
    }
}

/// Waits until stdout, which the test captures in a file, has this many lines.
void wait_for_lines(std::ptrdiff_t count) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (std::ranges::count(text_of_file("/proc/self/fd/1"), '\n') < count &&
           std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
}

TEST_F(LogCommandTest, follows_until_it_is_interrupted) {
    const Interruption interruptible;  // so that a signal that comes too early or too late does not end the test
    const auto told = show({"--follow", "--lines", "1", "--reason", "flushed", "--output", "table"}, [this] {
        wait_for_lines(2);
        append(ping_ + "\n" + flushed_ + "\n");
        wait_for_lines(3);
        ::kill(::getpid(), SIGINT);
    });
    EXPECT_EQ(told.status, 0);
    const auto lines = lines_of(told.out);
    ASSERT_EQ(lines.size(), 3U) << told.out;
    EXPECT_TRUE(lines[1].ends_with("conntrack (port 4711)")) << lines[1];
    EXPECT_TRUE(lines[2].ends_with("alice                  4f7b2c1e")) << lines[2];
}

TEST_F(LogCommandTest, follows_up_to_the_time_that_is_given) {
    const auto told = show({"--follow", "--output", "ndjson", "--until", "2025-08-12T13:05:04Z"});
    EXPECT_EQ(told.status, 0) << told.err;
    EXPECT_EQ(lines_of(told.out).size(), 3U);
}

TEST_F(LogCommandTest, asks_the_agent_whose_socket_is_named_and_not_the_file) {
    sinks_ = "[{file: " + file_ + "}]";
    EXPECT_EQ(lines_of(run({"--output", "ndjson"}).out).size(), 3U);
    const auto asked = run({"--socket", "/nowhere/headgate.sock"});
    EXPECT_EQ(asked.status, 1);
    EXPECT_EQ(asked.out, "");
    EXPECT_TRUE(contains(asked.err, "--socket: no agent answers at /nowhere/headgate.sock")) << asked.err;
    EXPECT_EQ(lines_of(show({"--output", "ndjson", "--socket", "/nowhere/headgate.sock"}).out).size(), 3U)
        << "--file names the file itself";
}

TEST_F(LogCommandTest, advises_what_to_do_where_there_is_no_log) {
    const auto nowhere = run({});
    EXPECT_EQ(nowhere.status, 1);
    EXPECT_TRUE(contains(nowhere.err, "start the agent, or name a file with --file")) << nowhere.err;
    EXPECT_EQ(run({"--follow"}).status, 1);

    const auto missing = run({"--file", "/nowhere/flow.json"});
    EXPECT_EQ(missing.status, 1);
    EXPECT_EQ(missing.err, "headgate: /nowhere/flow.json: No such file or directory\n");
}

TEST_F(LogCommandTest, an_argument_that_is_wrong_is_named) {
    EXPECT_EQ(show({"--reason", "bored"}).status, 2);
    EXPECT_EQ(show({"--follow", "--sort", "bytes"}).status, 2);
    EXPECT_TRUE(contains(show({"--lines", "-1"}).err, "--lines: -1 is negative"));
    EXPECT_TRUE(contains(show({"--source", "10.0.0.0/33"}).err, "--source: "));
    EXPECT_TRUE(contains(show({"--since", "soon"}).err, "--since: \"soon\" is neither a duration such as 90s"));
    EXPECT_EQ(show({"--until", "2025-08-12"}).status, 2);
    EXPECT_TRUE(contains(show({"--operation", "4f7"}).err, "--operation: \"4f7\" is neither an operation's id nor"));
}

}  // namespace log_command_test
}  // namespace headgate::cli
