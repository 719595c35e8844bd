// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/mount.h>

#include <cerrno>
#include <fstream>

#include "conntrack/table_sysctls.h"
#include "kernel/own_namespace.h"

namespace headgate::testing {
namespace kernel_recording_sysctls_test {

using conntrack::ensure_recording;
using conntrack::SysctlOutcome;

class RecordingSysctls : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!namespace_.reason_to_skip().empty()) GTEST_SKIP() << namespace_.reason_to_skip();
    }

    static std::string value_of(const std::string& name) {
        std::string value;
        std::ifstream{"/proc/sys/net/netfilter/" + name} >> value;
        return value;
    }

    OwnNamespace namespace_;
};

TEST_F(RecordingSysctls, that_are_right_are_left_alone) {
    const auto report = ensure_recording({});
    ASSERT_TRUE(report.has_value()) << report.error().message;
    for (const auto& sysctl : report->all())
        EXPECT_EQ(sysctl.outcome, SysctlOutcome::WasRight) << sysctl.name;
    EXPECT_TRUE(report->timestamps_were_on());
}

TEST_F(RecordingSysctls, that_are_off_are_set) {
    for (const auto* name : {"nf_conntrack_timestamp", "nf_conntrack_acct", "nf_conntrack_events"})
        ASSERT_TRUE(OwnNamespace::set_sysctl(name, "0"));
    const auto report = ensure_recording({});
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_FALSE(report->timestamps_were_on());
    for (const auto& sysctl : report->all()) {
        EXPECT_EQ(sysctl.outcome, SysctlOutcome::Set) << sysctl.name;
        EXPECT_EQ(sysctl.before, 0U);
        EXPECT_EQ(value_of(std::string{sysctl.name}), "1");
    }
}

TEST_F(RecordingSysctls, do_not_wait_for_a_listener) {
    if (!OwnNamespace::set_sysctl("nf_conntrack_events", "2")) GTEST_SKIP() << "this kernel knows 0 and 1 alone";
    EXPECT_EQ(ensure_recording({}).value().events.before, 2U);
    EXPECT_EQ(value_of("nf_conntrack_events"), "1");
}

TEST_F(RecordingSysctls, that_wait_for_a_listener_are_not_off) {
    if (!OwnNamespace::set_sysctl("nf_conntrack_events", "2")) GTEST_SKIP() << "this kernel knows 0 and 1 alone";
    EXPECT_TRUE(conntrack::recordings_off({}).value().empty());
    ASSERT_TRUE(OwnNamespace::set_sysctl("nf_conntrack_events", "0"));
    EXPECT_EQ(conntrack::recordings_off({}).value(), std::vector<std::string_view>{"nf_conntrack_events"});
}

TEST_F(RecordingSysctls, that_are_not_there_for_want_of_proc_do_not_mean_that_conntrack_is_not_loaded) {
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("none", "/proc", "tmpfs", 0, nullptr), 0);
    const std::string message =
        "/proc/sys/net/netfilter/nf_conntrack_count: No such file or directory: /proc is not mounted here";
    EXPECT_EQ(ensure_recording({}).error().message, message);
    EXPECT_EQ(conntrack::KernelFlowTable::open({}).error().message, message);
    EXPECT_EQ(::umount("/proc"), 0);  // LeakSanitizer reads /proc at exit
}

TEST_F(RecordingSysctls, are_those_of_the_namespace_that_is_asked_for) {
    ASSERT_TRUE(OwnNamespace::set_sysctl("nf_conntrack_acct", "0"));
    const auto other = netlink::NetworkNamespace::open("/proc/thread-self/ns/net");
    ASSERT_TRUE(other.has_value()) << other.error().message;
    const OwnNamespace here;
    ASSERT_TRUE(OwnNamespace::set_sysctl("nf_conntrack_acct", "0"));
    EXPECT_EQ(ensure_recording(*other).value().counters.outcome, SysctlOutcome::Set);
    EXPECT_EQ(value_of("nf_conntrack_acct"), "0");
    EXPECT_EQ(ensure_recording(*other).value().counters.outcome, SysctlOutcome::WasRight);
}

TEST_F(RecordingSysctls, that_may_not_be_written_are_reported_with_the_reason) {
    ASSERT_TRUE(OwnNamespace::set_sysctl("nf_conntrack_acct", "0"));
    ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
    ASSERT_EQ(::mount("/proc/sys", "/proc/sys", nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(::mount(nullptr, "/proc/sys", nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0);
    const auto report = ensure_recording({});
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->timestamps.outcome, SysctlOutcome::WasRight);
    EXPECT_EQ(report->counters.outcome, SysctlOutcome::NotSet);
    EXPECT_EQ(report->counters.before, 0U);
    EXPECT_EQ(report->counters.error, EROFS);
}

}  // namespace kernel_recording_sysctls_test
}  // namespace headgate::testing
