// SPDX-License-Identifier: GPL-2.0-or-later
#include "quarantine/quarantine_state.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace headgate::quarantine {
namespace quarantine_state_test {

using namespace std::chrono_literals;
using headgate::testing::TemporaryFolder;

QuarantineState state_with(std::vector<std::chrono::nanoseconds> ends) {
    QuarantineState state{"f00", 2, {}};
    for (const auto until : ends) {
        KeptEntry entry;
        entry.prefix = parse_prefix("2001:db8::/64").value();
        entry.action = QuarantineAction::Reject;
        entry.since = Timestamp{1'700'000'000s};
        entry.by = "ada";
        entry.reason = "a \"reason\" \xFF";
        entry.packets_before = 7;
        entry.bytes_before = 420;
        entry.layer = 1;
        entry.until = until;
        state.entries.push_back(std::move(entry));
    }
    return state;
}

TEST(QuarantineState, is_read_as_it_was_written) {
    const TemporaryFolder folder;
    const QuarantineFile file{folder.path("run"), 4711};
    EXPECT_EQ(file.read().value(), QuarantineState{});
    ASSERT_TRUE(file.lock(0s).has_value());
    for (const auto& state : {state_with({5s, 90s}), state_with({7ns}), QuarantineState{}}) {
        ASSERT_TRUE(file.write(state).has_value());
        EXPECT_EQ(file.read().value(), state);
    }
}

TEST(QuarantineState, of_another_network_namespace_is_another_one) {
    const TemporaryFolder folder;
    const QuarantineFile file{folder.path("run"), 4711};
    ASSERT_TRUE(file.lock(0s).has_value());
    ASSERT_TRUE(file.write(state_with({5s})).has_value());
    EXPECT_EQ((QuarantineFile{folder.path("run"), 4712}.read().value()), QuarantineState{});
}

TEST(QuarantineState, can_be_changed_by_one_process_at_a_time) {
    const TemporaryFolder folder;
    const QuarantineFile file{folder.path("run"), 4711};
    const auto locked = file.lock(0s);
    ASSERT_TRUE(locked.has_value());
    const auto again = file.lock(0s);
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().kind, ErrorKind::Locked);
}

TEST(QuarantineState, a_file_that_cannot_be_parsed_is_an_error_that_names_it) {
    const TemporaryFolder folder;
    folder.write("run/quarantine-4711", "{\"fingerprint\":");
    const auto read = QuarantineFile{folder.path("run"), 4711}.read();
    ASSERT_FALSE(read.has_value());
    EXPECT_NE(read.error().message.find("run/quarantine-4711"), std::string::npos) << read.error().message;
}

TEST(QuarantineState, entries_end_and_what_the_others_have_left_is_rounded_up) {
    auto state = state_with({5s, 1500ms, 10s});
    pass_time(state, 1600ms);
    ASSERT_EQ(state.entries.size(), 2U);
    EXPECT_EQ(state.entries[0].left, 4s);
    EXPECT_EQ(state.entries[1].left, 9s);
    pass_time(state, 10s);
    EXPECT_TRUE(state.entries.empty());
}

}  // namespace quarantine_state_test
}  // namespace headgate::quarantine
