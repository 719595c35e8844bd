// SPDX-License-Identifier: GPL-2.0-or-later
// A flow log on a disk that fills up: a tmpfs of 64 KiB, which only root can mount.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include "flowlog/sink_queue.h"
#include "flowlog/sinks/file_sink.h"
#include "support/line_blocks.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace full_disk_flow_log_test {

using namespace std::chrono_literals;

class FullDiskFlowLog : public ::testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::create_directory(folder_.path("log"));
        mounted_ = ::mount("tmpfs", folder_.path("log").c_str(), "tmpfs", 0, "size=64k") == 0;
        if (!mounted_) GTEST_SKIP() << "no file system of its own: " << std::strerror(errno);
    }
    void TearDown() override {
        if (mounted_) ::umount2(folder_.path("log").c_str(), MNT_DETACH);
    }

    TemporaryFolder folder_;
    bool mounted_ = false;
};

TEST_F(FullDiskFlowLog, keeps_whole_lines_waits_for_room_and_goes_on_when_there_is_some) {
    const auto path = folder_.path("log/flow.json");
    std::vector<std::string> messages;  // added by the queue's thread, except the last, which follows that thread's end
    {
        flowlog::SinkQueue queue{"file",
                                 std::make_unique<flowlog::FileSink>(path),
                                 1 << 20,
                                 [&](std::string_view message) { messages.emplace_back(message); },
                                 {.retry = 10ms, .report = 10s}};
        const auto block = numbered_block(0, 150, 900);
        queue.push(block);
        const auto until = std::chrono::steady_clock::now() + 5s;
        while (queue.counts().fault.empty() && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(1ms);
        EXPECT_EQ(queue.counts().fault, "No space left on device");
        EXPECT_EQ(queue.counts().written, 65'536U / 903U);
        EXPECT_EQ(lines_of_file(path), lines_of(*numbered_block(0, 65'536 / 903, 900)));
        ASSERT_EQ(::mount("tmpfs", folder_.path("log").c_str(), "tmpfs", MS_REMOUNT, "size=1m"), 0);
        queue.finish(5s);
        EXPECT_EQ(lines_of_file(path), lines_of(*block));
        EXPECT_EQ(queue.counts().written, 150U);
    }
    EXPECT_EQ(messages, (std::vector<std::string>{"flow log: file: No space left on device: 78 records wait",
                                                  "flow log: file: works again"}));
}

}  // namespace full_disk_flow_log_test
}  // namespace headgate::testing
