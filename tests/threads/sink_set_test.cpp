// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sink_set.h"

#include <gtest/gtest.h>

#include "support/line_blocks.h"
#include "support/temporary_folder.h"

namespace headgate::flowlog {
namespace sink_set_test {

using namespace headgate::testing;
using namespace std::chrono_literals;

class SinkSetTest : public ::testing::Test {
  protected:
    /// Settings with a sink for each of these files; an empty name is standard output.
    [[nodiscard]] config::FlowLog settings(const std::vector<std::string>& files) const {
        config::FlowLog settings;
        for (const auto& name : files) {
            auto& sink = settings.sinks.emplace_back();
            sink.standard_output = name.empty();
            if (!name.empty()) sink.file = folder_.path(name);
        }
        return settings;
    }
    [[nodiscard]] std::vector<std::string> names() const {
        std::vector<std::string> names;
        for (const auto& [name, counts] : sinks_.counts())
            names.push_back(name);
        return names;
    }
    [[nodiscard]] std::vector<std::string> lines(const std::string& name) const {
        return lines_of_file(folder_.path(name));
    }

    TemporaryFolder folder_;
    SinkSet sinks_{StandardOutput::ForOthers, [](std::string_view) {}};
};

TEST_F(SinkSetTest, numbers_the_second_of_a_kind_and_those_after_it) {
    EXPECT_TRUE(sinks_.configure(settings({"a", "b", "c"})).is_empty());
    EXPECT_EQ(names(), (std::vector<std::string>{"file", "file_2", "file_3"}));
}

TEST_F(SinkSetTest, leaves_standard_output_out_where_it_is_for_others) {
    static_cast<void>(sinks_.configure(settings({"", "a"})));
    EXPECT_EQ(names(), std::vector<std::string>{"file"});
}

TEST_F(SinkSetTest, brings_every_block_to_every_sink) {
    static_cast<void>(sinks_.configure(settings({"a", "b"})));
    sinks_.push(block_of({"one", "two"}));
    sinks_.finish(5s);
    EXPECT_EQ(lines("a"), (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(lines("b"), lines("a"));
}

TEST_F(SinkSetTest, keeps_the_queue_and_the_counts_of_a_sink_that_stays_and_hands_over_one_that_goes) {
    static_cast<void>(sinks_.configure(settings({"a", "b"})));
    sinks_.push(block_of({"one"}));
    sinks_.finish(5s);
    const auto removed = sinks_.configure(settings({"c", "b"}));
    ASSERT_EQ(removed.counts().size(), 1U);
    EXPECT_EQ(removed.counts().front().second.written, 1U);
    sinks_.push(block_of({"two"}));
    sinks_.finish(5s);
    EXPECT_EQ(names(), (std::vector<std::string>{"file", "file_2"}));
    EXPECT_EQ(sinks_.counts()[0].second.written, 1U);
    EXPECT_EQ(sinks_.counts()[1].second.written, 2U);
    EXPECT_EQ(lines("a"), std::vector<std::string>{"one"});
    EXPECT_EQ(lines("c"), std::vector<std::string>{"two"});
}

TEST_F(SinkSetTest, gives_all_sinks_together_no_more_time_than_its_limit) {
    std::filesystem::create_directory(folder_.path("a"));
    std::filesystem::create_directory(folder_.path("b"));
    static_cast<void>(sinks_.configure(settings({"a", "b"})));
    sinks_.push(block_of({"one"}));
    const auto began = std::chrono::steady_clock::now();
    sinks_.finish(1s);
    EXPECT_LT(std::chrono::steady_clock::now() - began, 1900ms) << "each took that time, one after the other";
    EXPECT_EQ(sinks_.counts()[0].second.dropped, 1U);
    EXPECT_EQ(sinks_.counts()[1].second.dropped, 1U);
}

}  // namespace sink_set_test
}  // namespace headgate::flowlog
