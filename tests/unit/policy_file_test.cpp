// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/policy_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "support/temporary_folder.h"

namespace headgate::midstream {
namespace policy_file_test {

using namespace std::chrono_literals;
using headgate::testing::TemporaryFolder;

Result<StreamExceptionPolicy> parse(std::string_view text) {
    return parse_policy(text, "x", "x.yaml");
}

std::string error_of(std::string_view text) {
    const auto parsed = parse(text);
    if (parsed) return "";
    EXPECT_EQ(parsed.error().kind, ErrorKind::Invalid);
    return parsed.error().message;
}

/// The error of an otherwise valid policy whose second and later lines are these.
std::string error_with(std::string_view lines) {
    return error_of(fmt::format("stream_exception_policy: drop\n{}\n", lines));
}

TEST(PolicyFile, gives_every_key_its_place) {
    const auto policy = parse(
        "# comment\n"
        "description: Tells both ends\n"
        "stream_exception_policy: reject\n"
        "scope: all\n"
        "hooks: [output, forward]\n"
        "reject_invalid: true\n"
        "priority: -10\n"
        "log:\n"
        "  prefix: 'headgate: '\n"
        "  packets_per_second: 100\n"
        "remember_flushed_for: 1h\n"
        "remember_at_most: 1000\n");
    ASSERT_TRUE(policy) << policy.error().message;
    StreamExceptionPolicy expected;
    expected.name = "x";
    expected.description = "Tells both ends";
    expected.exception = StreamException::Reject;
    expected.scope = MidstreamScope::All;
    expected.reject_invalid = true;
    expected.hooks = {Hook::Output, Hook::Forward};
    expected.priority = -10;
    expected.log = PacketLog{"headgate: ", 100};
    expected.remember_flushed_for = 1h;
    expected.remember_at_most = 1000;
    EXPECT_EQ(*policy, expected);
}

TEST(PolicyFile, needs_no_more_than_the_exception) {
    StreamExceptionPolicy expected;
    expected.name = "x";
    expected.exception = StreamException::Continue;
    EXPECT_EQ(parse("stream_exception_policy: continue"), expected);
}

TEST(PolicyFile, logs_five_packets_a_second_by_default) {
    EXPECT_EQ(parse("{stream_exception_policy: drop, log: {prefix: a}}").value().log, (PacketLog{"a", 5}));
}

TEST(PolicyFile, rejects_what_is_invalid_only_where_all_is_rejected) {
    for (const auto* text : {"{stream_exception_policy: reject, reject_invalid: true}",
                             "{stream_exception_policy: reject, scope: flushed, reject_invalid: true}",
                             "{stream_exception_policy: drop, scope: all, reject_invalid: true}"}) {
        EXPECT_EQ(error_of(text), "x.yaml:1: reject_invalid: requires stream_exception_policy reject and scope all")
            << text;
    }
    EXPECT_TRUE(parse("{stream_exception_policy: drop, reject_invalid: false}").has_value());
}

TEST(PolicyFile, takes_each_number_up_to_its_ends) {
    EXPECT_EQ(parse("{stream_exception_policy: drop, priority: -199}").value().priority, -199);
    EXPECT_EQ(parse("{stream_exception_policy: drop, priority: 299}").value().priority, 299);
    EXPECT_EQ(parse("{stream_exception_policy: drop, remember_at_most: 1048576}").value().remember_at_most, 1U << 20U);
    EXPECT_EQ(parse("{stream_exception_policy: drop, remember_flushed_for: 7d}").value().remember_flushed_for, 168h);
    EXPECT_EQ(parse("{stream_exception_policy: drop, remember_flushed_for: 1}").value().remember_flushed_for, 1s);
}

TEST(PolicyFile, can_remember_each_flow_as_long_as_its_connection_would_have_been_tracked) {
    const auto policy = parse("{stream_exception_policy: drop, remember_flushed_for: connection}");
    ASSERT_TRUE(policy) << policy.error().message;
    EXPECT_EQ(policy->remember_flushed_for, std::nullopt);
    EXPECT_EQ(policy->window_time(), 5min) << "a window has no connection";
}

TEST(PolicyFile, its_time_is_printed_as_it_was_written) {
    for (const std::string time : {"90s", "7d", "connection"}) {
        auto policy = parse("{stream_exception_policy: drop, remember_flushed_for: " + time + "}").value();
        const auto known = settings_of(policy);
        const auto setting = std::ranges::find(known.settings, "remember_flushed_for", &config::Setting::key);
        ASSERT_NE(setting, known.settings.end());
        EXPECT_EQ(setting->print(), std::vector{time});
    }
}

TEST(PolicyFile, is_as_headgate_ships_it) {
    for (const auto exception : {StreamException::Drop, StreamException::Reject, StreamException::Continue}) {
        const auto path = fmt::format("{}/{}.yaml", SHIPPED_POLICIES, to_string(exception));
        const auto policy = read_policy_file(path);
        ASSERT_TRUE(policy) << policy.error().message;
        StreamExceptionPolicy expected;
        expected.name = to_string(exception);
        expected.description = policy->description;
        expected.exception = exception;
        EXPECT_EQ(*policy, expected) << "the files say that what they leave as it is may be left out";
        EXPECT_NE(policy->description, "");
    }
}

TEST(PolicyFile, has_no_name_that_means_no_policy_in_the_configuration) {
    for (const std::string name : {"none", "removed"}) {
        const auto policy = parse_policy("stream_exception_policy: drop\n", name, name + ".yaml");
        ASSERT_FALSE(policy);
        EXPECT_EQ(
            policy.error().message,
            fmt::format("{0}.yaml: \"{0}\" can't be a policy's name: stream_exception_policy: {0} is a setting that "
                        "names no policy",
                        name));
    }
}

TEST(PolicyFile, errors_name_the_line_the_key_and_the_rule) {
    EXPECT_EQ(error_of("scope: all\nstream_exception_policy: ignore"),
              "x.yaml:2: stream_exception_policy: \"ignore\" is none of drop, reject and continue");
    EXPECT_EQ(error_with("scope: some"), "x.yaml:2: scope: \"some\" is neither all nor flushed");
    EXPECT_EQ(error_with("hooks: [forward,\n  sideways]"),
              "x.yaml:3: hooks: \"sideways\" is none of forward, input and output");
    EXPECT_EQ(error_with("hooks:\n  - input\n  - forward\n  - input"),
              "x.yaml:5: hooks: \"input\" is in the list twice");
    EXPECT_EQ(error_with("hooks: []"), "x.yaml:2: hooks: the list is empty");
    EXPECT_EQ(error_with("description: |\n  one\n  two"),
              "x.yaml:2: description: must be one line without control characters");
    EXPECT_EQ(error_with(R"(description: "\e[2J")"),
              "x.yaml:2: description: must be one line without control characters");
    EXPECT_EQ(error_with("remember_flushed_for: -5s"), "x.yaml:2: remember_flushed_for: -5s is negative");
    EXPECT_EQ(error_with("remember_flushed_for: 0s"), "x.yaml:2: remember_flushed_for: 0s is not within 1s..7d");
    EXPECT_EQ(error_with("remember_flushed_for: 169h"), "x.yaml:2: remember_flushed_for: 169h is not within 1s..7d");
    EXPECT_EQ(error_with("remember_flushed_for: soon"),
              "x.yaml:2: remember_flushed_for: \"soon\" is neither a duration such as 90s, 5m or 12h nor connection");
    EXPECT_EQ(error_with("remember_flushed_for: 5 minutes"),
              "x.yaml:2: remember_flushed_for: \"5 minutes\" is not a duration such as 90s, 5m or 12h");
    EXPECT_EQ(error_with("remember_at_most: 0"), "x.yaml:2: remember_at_most: 0 is not within 1..1048576");
    EXPECT_EQ(error_with("remember_at_most: 1048577"), "x.yaml:2: remember_at_most: 1048577 is not within 1..1048576");
    EXPECT_EQ(error_with("remember_at_most: 64k"), "x.yaml:2: remember_at_most: \"64k\" is not a whole number");
}

TEST(PolicyFile, all_its_errors_are_told_in_the_order_of_their_lines) {
    EXPECT_EQ(error_of("scope: some\nlog:\n  packets_per_second: 0\nhooks: []\n"),
              "x.yaml:1: stream_exception_policy: missing\n"
              "x.yaml:1: scope: \"some\" is neither all nor flushed\n"
              "x.yaml:3: log: prefix: missing\n"
              "x.yaml:3: log: packets_per_second: 0 is not within 1..10000\n"
              "x.yaml:4: hooks: the list is empty");
}

TEST(PolicyFile, a_priority_before_conntrack_is_an_error_with_the_reason) {
    for (const auto* priority : {"-200", "300", "99999999999999999999"}) {
        EXPECT_EQ(error_with(fmt::format("priority: {}", priority)),
                  fmt::format("x.yaml:2: priority: {} is not within -199..299; conntrack knows a packet only after "
                              "priority -200, and its helpers come at 300",
                              priority));
    }
}

TEST(PolicyFile, errors_in_the_log_name_the_way_to_the_key) {
    const auto* alphabet = "x.yaml:3: log: prefix: takes printable ASCII alone, and none of \", \\ and $";
    EXPECT_EQ(error_with("log:\n  prefix: a$b"), alphabet);
    EXPECT_EQ(error_with("log:\n  prefix: 'a\"b'"), alphabet);
    EXPECT_EQ(error_with("log:\n  prefix: a\\b"), alphabet);
    EXPECT_EQ(error_with("log:\n  prefix: ä"), alphabet);
    EXPECT_EQ(error_with("log:\n  prefix: ''"), "x.yaml:3: log: prefix: takes 1 to 127 characters, not 0");
    EXPECT_EQ(error_with("log:\n  prefix: " + std::string(127, 'a')), "");
    EXPECT_EQ(error_with("log:\n  prefix: " + std::string(128, 'a')),
              "x.yaml:3: log: prefix: takes 1 to 127 characters, not 128");
    EXPECT_EQ(error_with("log:\n  packets_per_second: 5"), "x.yaml:3: log: prefix: missing");
    EXPECT_EQ(error_with("log:\n  prefix: a\n  packets_per_second: 10001"),
              "x.yaml:4: log: packets_per_second: 10001 is not within 1..10000");
    EXPECT_EQ(error_with("log:\n  prefix: a\n  level: 3"),
              "x.yaml:4: log: level: unknown key (known: prefix, packets_per_second)");
    EXPECT_EQ(error_with("log: headgate"), "x.yaml:2: log: a map of keys and values belongs here, not a text");
    EXPECT_EQ(error_with("log:\nscope: all"), "x.yaml:2: log: a map of keys and values belongs here, not nothing");
}

TEST(PolicyFile, a_key_is_known_and_given_once) {
    EXPECT_EQ(error_of("# drop\nscope: all\n"), "x.yaml:2: stream_exception_policy: missing");
    EXPECT_EQ(error_with("\nscoop: all"),
              "x.yaml:3: scoop: unknown key (known: description, stream_exception_policy, scope, reject_invalid, "
              "hooks, priority, "
              "log, remember_flushed_for, remember_at_most)");
    EXPECT_EQ(error_with("scope: all\nscope: flushed"), "x.yaml:3: scope: given twice");
    EXPECT_EQ(error_with("? [scope]\n: all"), "x.yaml:2: a key is a text, not a list");
    EXPECT_EQ(error_with("~: all"), "x.yaml:2: a key is a text, not nothing");
    EXPECT_TRUE(error_with("<<: {scope: all}").starts_with("x.yaml:2: <<: unknown key"));
}

TEST(PolicyFile, a_value_is_of_its_keys_kind) {
    EXPECT_EQ(error_with("scope: [all]"), "x.yaml:2: scope: one value belongs here, not a list");
    EXPECT_EQ(error_with("scope: {all: 1}"), "x.yaml:2: scope: one value belongs here, not a map");
    EXPECT_EQ(error_with("scope:\npriority: 0"), "x.yaml:2: scope: one value belongs here, not nothing");
    EXPECT_EQ(error_with("scope: ~"), "x.yaml:2: scope: one value belongs here, not nothing");
    EXPECT_EQ(error_with("hooks: forward"), "x.yaml:2: hooks: a list belongs here, not a text");
    EXPECT_EQ(error_with("hooks:\npriority: 0"), "x.yaml:2: hooks: a list belongs here, not nothing");
    EXPECT_EQ(error_with("hooks: [[forward]]"), "x.yaml:2: hooks: one value belongs here, not a list");
    EXPECT_EQ(error_with("hooks:\n  -\npriority: 0"), "x.yaml:2: hooks: one value belongs here, not nothing");
}

TEST(PolicyFile, is_one_map) {
    EXPECT_EQ(error_of(""), "x.yaml:1: stream_exception_policy: missing");
    EXPECT_EQ(error_of("# nothing\n"), "x.yaml:1: stream_exception_policy: missing");
    EXPECT_EQ(error_of("\ndrop"), "x.yaml:2: a map of keys and values belongs here, not a text");
    EXPECT_EQ(error_of("- drop"), "x.yaml:1: a map of keys and values belongs here, not a list");
    EXPECT_EQ(error_with("---\nscope: all"),
              "x.yaml:2: begins something new after the end of the map: is its indentation right?");
    EXPECT_EQ(error_of("---\nstream_exception_policy: drop\n...\n"), "");
}

TEST(PolicyFile, is_plain_yaml) {
    const auto* reference = "x.yaml:2: anchors and aliases are not understood here; write the value out";
    EXPECT_EQ(error_with("scope: &scope all"), reference);
    EXPECT_EQ(error_with("hooks: &hooks [input]"), reference);
    EXPECT_EQ(error_with("log: &log\n  prefix: a"), reference);
    EXPECT_EQ(error_of("&x stream_exception_policy: drop"),
              "x.yaml:1: anchors and aliases are not understood here; write the value out");
    EXPECT_EQ(error_with("scope: !!binary YWxs"), "x.yaml:2: tags are not understood here; write the value alone");
    EXPECT_EQ(error_with("scope: 'all'\npriority: \"5\""), "") << "quotes change nothing";
}

TEST(PolicyFile, that_is_not_yaml_is_an_error_with_its_line) {
    EXPECT_EQ(error_with("description: a: b"), "x.yaml:2: a second colon in one line: put the value in quotes");
    EXPECT_EQ(error_with("hooks: [forward"), "x.yaml:2: the list that begins with [ does not end with ]");
    EXPECT_EQ(error_with("scope: *nowhere"),
              "x.yaml:2: anchors and aliases are not understood here; write the value out");
    EXPECT_EQ(error_with("description: \xff"), "x.yaml:2: not YAML: not UTF-8, or a control character");
    EXPECT_EQ(error_with("\ndescription: \x1b[2J"), "x.yaml:3: not YAML: not UTF-8, or a control character");
    EXPECT_EQ(error_with(std::string_view{"scope: all\0", 11}),
              "x.yaml:2: not YAML: not UTF-8, or a control character");
}

TEST(PolicyFile, that_is_nested_without_end_is_an_error) {
    EXPECT_EQ(error_with("hooks: " + std::string(15, '[') + std::string(15, ']')),
              "x.yaml:2: hooks: one value belongs here, not a list");
    EXPECT_EQ(error_with("hooks: " + std::string(16, '[')), "x.yaml:2: nested deeper than 16 levels");
    EXPECT_EQ(error_with("hooks: " + std::string(50'000, '[')), "x.yaml:2: nested deeper than 16 levels");
    EXPECT_EQ(error_of(std::string(50'000, '{')), "x.yaml:1: nested deeper than 16 levels");
    EXPECT_NE(error_of(std::string(50'000, '-')), "");
}

TEST(PolicyFile, an_error_fits_one_line_whatever_it_quotes) {
    EXPECT_EQ(error_with(R"(scope: "a\n\e[2Jb")"), "x.yaml:2: scope: \"a??[2Jb\" is neither all nor flushed");
    EXPECT_LT(error_with("scope: " + std::string(50'000, 'a')).size(), 600U);
    EXPECT_LT(error_with(std::string(500, 'a') + ": b").size(), 600U);
}

TEST(PolicyFile, its_name_is_the_policys) {
    const auto error_of_name = [](std::string_view name) {
        const auto policy = parse_policy("stream_exception_policy: drop", name, "x.yaml");
        return policy ? "" : policy.error().message;
    };
    EXPECT_EQ(error_of_name("Reject_web-2"), "");
    EXPECT_EQ(error_of_name(std::string(32, 'a')), "");
    for (const auto& name : {std::string{}, std::string{"2nd"}, std::string{"-a"}, std::string{"a.b"},
                             std::string{"a b"}, std::string{"ä"}, std::string{".."}, std::string(33, 'a')}) {
        EXPECT_EQ(error_of_name(name), fmt::format("x.yaml: \"{}\" can't be a policy's name: letters, digits, - and _, "
                                                   "beginning with a letter, 32 at most",
                                                   name));
    }
}

class PolicyFileOnDisk : public ::testing::Test {
  protected:
    Error error_of_file(const std::string& path) { return read_policy_file(path).error(); }

    TemporaryFolder folder_;
};

TEST_F(PolicyFileOnDisk, is_named_in_its_errors) {
    const auto path = folder_.write("mine.yaml", "stream_exception_policy: drop\nscope: some\n");
    EXPECT_EQ(error_of_file(path).message, path + ":2: scope: \"some\" is neither all nor flushed");
}

TEST_F(PolicyFileOnDisk, that_can_not_be_read_is_a_system_error) {
    const auto error = error_of_file(folder_.path("none.yaml"));
    EXPECT_EQ(error.kind, ErrorKind::Missing);
    EXPECT_EQ(error.number, ENOENT);
    EXPECT_EQ(error.message, folder_.path("none.yaml") + ": No such file or directory");
}

TEST_F(PolicyFileOnDisk, is_a_regular_file) {
    const auto pipe = folder_.path("pipe.yaml");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    for (const auto& path : {pipe, folder_.path(""), std::string{"/dev/null"}}) {
        EXPECT_EQ(error_of_file(path).message, path + ": not a regular file");
        EXPECT_EQ(error_of_file(path).kind, ErrorKind::Invalid);
    }
}

TEST_F(PolicyFileOnDisk, has_64_kib_at_most) {
    const std::string policy = "stream_exception_policy: drop\n#";
    const auto fits = folder_.write("fits.yaml", policy + std::string(64 * 1024 - policy.size(), ' '));
    EXPECT_TRUE(read_policy_file(fits).has_value());
    const auto large = folder_.write("large.yaml", policy + std::string(64 * 1024 - policy.size() + 1, ' '));
    EXPECT_EQ(error_of_file(large).message, large + ": larger than 64 KiB");
}

}  // namespace policy_file_test
}  // namespace headgate::midstream
