// SPDX-License-Identifier: GPL-2.0-or-later
#include "files/append_file.h"

#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <set>
#include <thread>

#include "support/line_blocks.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace append_file_test {

using namespace std::chrono_literals;

AppendFile opened(const std::string& path, TornLine torn = TornLine::Remove) {
    auto file = AppendFile::open(path, torn);
    EXPECT_TRUE(file.has_value()) << file.error().message;
    return std::move(*file);
}

/// Limits the size of this process's files, so that writes are partial, as on a full disk.
class FileLimit {
  public:
    explicit FileLimit(rlim_t bytes) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        auto limit = before_;
        limit.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &limit);
        handler_ = std::signal(SIGXFSZ, SIG_IGN);
    }
    FileLimit(const FileLimit&) = delete;
    FileLimit& operator=(const FileLimit&) = delete;
    ~FileLimit() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handler_);
    }

  private:
    rlimit before_{};
    void (*handler_)(int) = nullptr;
};

TEST(AppendFile, makes_the_file_and_its_folder_readable_to_the_group) {
    const TemporaryFolder folder;
    const auto path = folder.path("log/headgate/flow.json");
    ASSERT_EQ(opened(path).append("one\ntwo\n", 0ms).value().bytes, 8U);
    EXPECT_EQ(text_of_file(path), "one\ntwo\n");
    struct stat about {};
    ASSERT_EQ(::stat(path.c_str(), &about), 0);
    EXPECT_EQ(about.st_mode & 0777U, 0640U);
}

TEST(AppendFile, ends_a_last_line_that_has_no_end) {
    const TemporaryFolder folder;
    const auto path = folder.write("log", "some text");
    const auto appended = opened(path).append("more\n", 0ms);
    EXPECT_FALSE(appended.value().removed_torn);
    EXPECT_EQ(text_of_file(path), "some text\nmore\n");
}

TEST(AppendFile, removes_a_torn_record_and_reports_it) {
    const TemporaryFolder folder;
    for (const std::string torn : {"{", R"({"a":1,"b":{"c":2})", R"({"a":"}")", R"({"a":"\")"}) {
        const auto path = folder.write("log", "{\"n\":1}\n" + torn);
        const auto appended = opened(path).append("{\"n\":2}\n", 0ms);
        EXPECT_TRUE(appended.value().removed_torn) << torn;
        EXPECT_EQ(appended.value().bytes, 8U);
        EXPECT_EQ(text_of_file(path), "{\"n\":1}\n{\"n\":2}\n");
    }
}

TEST(AppendFile, takes_a_torn_record_off_where_it_is_all_there_is) {
    const TemporaryFolder folder;
    const auto path = folder.write("log", "{\"n\":");
    EXPECT_TRUE(opened(path).append("{\"n\":2}\n", 0ms).value().removed_torn);
    EXPECT_EQ(text_of_file(path), "{\"n\":2}\n");
}

TEST(AppendFile, keeps_a_whole_record_of_which_only_the_line_end_is_missing) {
    const TemporaryFolder folder;
    const auto path = folder.write("log", R"({"n":"\"}{","m":{}})");
    EXPECT_FALSE(opened(path).append("{}\n", 0ms).value().removed_torn);
    EXPECT_EQ(lines_of_file(path), (std::vector<std::string>{R"({"n":"\"}{","m":{}})", "{}"}));
}

TEST(AppendFile, keeps_what_is_torn_where_it_is_very_long_or_evidence) {
    const TemporaryFolder folder;
    const std::string very_long = "{" + std::string(70'000, 'x');
    const auto path = folder.write("log", very_long);
    EXPECT_FALSE(opened(path).append("{}\n", 0ms).value().removed_torn);
    EXPECT_EQ(text_of_file(path), very_long + "\n{}\n");
    const auto evidence = folder.write("audit", "{\"n\":");
    EXPECT_FALSE(opened(evidence, TornLine::End).append("{}\n", 0ms).value().removed_torn);
    EXPECT_EQ(text_of_file(evidence), "{\"n\":\n{}\n");
}

TEST(AppendFile, mends_what_another_process_tears_while_it_is_open) {
    const TemporaryFolder folder;
    const auto path = folder.path("log");
    auto file = opened(path);
    ASSERT_TRUE(file.append("{\"n\":1}\n", 0ms).has_value());
    std::ofstream{path, std::ios::app} << "{\"n\":2}\n{\"n\"";
    EXPECT_TRUE(file.append("{\"n\":3}\n", 0ms).value().removed_torn);
    EXPECT_EQ(text_of_file(path), "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
}

TEST(AppendFile, takes_back_the_line_that_did_not_fit) {
    const TemporaryFolder folder;
    const auto path = folder.path("log");
    auto file = opened(path);
    {
        const FileLimit limit{20};
        EXPECT_EQ(file.append("1234567\n1234567\n1234567\n", 0ms).value().bytes, 16U);
        EXPECT_EQ(text_of_file(path), "1234567\n1234567\n");
        EXPECT_EQ(file.append("1234567\n", 0ms).error().number, EFBIG);
        EXPECT_EQ(text_of_file(path), "1234567\n1234567\n");
        EXPECT_EQ(file.append("123\n", 0ms).value().bytes, 4U);
    }
    EXPECT_EQ(file.append("1234567\n", 0ms).value().bytes, 8U);
    EXPECT_EQ(text_of_file(path), "1234567\n1234567\n123\n1234567\n");
}

TEST(AppendFile, reports_that_a_device_is_full) {
    const auto appended = opened("/dev/full").append("line\n", 0ms);
    ASSERT_FALSE(appended.has_value());
    EXPECT_EQ(appended.error().number, ENOSPC);
    EXPECT_EQ(appended.error().message, "No space left on device");
}

TEST(AppendFile, does_not_wait_for_ever_for_one_who_holds_the_lock) {
    const TemporaryFolder folder;
    const auto path = folder.write("log", "");
    const FileDescriptor other{::open(path.c_str(), O_WRONLY)};
    ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
    auto file = opened(path);
    EXPECT_EQ(file.append("line\n", 20ms).error().number, ETIMEDOUT);
    ASSERT_EQ(::flock(other.get(), LOCK_UN), 0);
    EXPECT_TRUE(file.append("line\n", 20ms).has_value());
}

TEST(AppendFile, of_two_neither_tears_the_lines_of_the_other) {
    const TemporaryFolder folder;
    const auto path = folder.path("log");
    constexpr std::size_t kBlocks = 200;
    const auto append_blocks = [&](std::size_t first) {
        auto file = opened(path);
        for (std::size_t i = 0; i < kBlocks; ++i) {
            const auto lines = numbered_block(first + i * 10, 10);
            EXPECT_EQ(file.append(lines->from(0), 10s).value().bytes, lines->bytes());
        }
    };
    std::thread other{append_blocks, 100'000};
    append_blocks(0);
    other.join();
    std::set<std::string> expected;
    for (std::size_t i = 0; i < kBlocks * 10; ++i)
        expected.merge(std::set{numbered_record(i), numbered_record(100'000 + i)});
    const auto lines = lines_of_file(path);
    EXPECT_EQ(lines.size(), expected.size());
    EXPECT_EQ((std::set<std::string>{lines.begin(), lines.end()}), expected);
}

TEST(AppendFile, knows_whether_it_was_moved_away) {
    const TemporaryFolder folder;
    const auto path = folder.path("log");
    const auto file = opened(path);
    EXPECT_TRUE(file.is_named(path));
    std::filesystem::rename(path, path + ".1");
    EXPECT_FALSE(file.is_named(path));
    EXPECT_TRUE(file.is_named(path + ".1"));
}

TEST(AppendFile, that_cannot_be_opened_is_an_error_with_its_name) {
    const auto file = AppendFile::open("/proc/nowhere/log", TornLine::End);
    ASSERT_FALSE(file.has_value());
    EXPECT_EQ(file.error().message, "/proc/nowhere/log: No such file or directory");
}

}  // namespace append_file_test
}  // namespace headgate::testing
