// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>

#include <cerrno>

#include "conntrack/table_sysctls.h"

namespace headgate::conntrack {
namespace recording_sysctls_test {

TEST(RecordingSysctl, that_could_not_be_set_is_described_with_what_is_lacking_and_what_to_do) {
    EXPECT_EQ(describe({"nf_conntrack_acct", SysctlOutcome::NotSet, 0, EROFS}),
              "net.netfilter.nf_conntrack_acct is 0 and cannot be set (Read-only file system): packets and bytes are "
              "not counted; set it with sysctl -w net.netfilter.nf_conntrack_acct=1");
}

TEST(RecordingSysctl, that_reports_while_a_process_listens_is_described_as_no_more_than_that) {
    EXPECT_EQ(
        describe({"nf_conntrack_events", SysctlOutcome::NotSet, 2, EROFS}),
        "net.netfilter.nf_conntrack_events is 2 and cannot be set (Read-only file system): the end of flows that began "
        "while no process listened is not reported; set it with sysctl -w net.netfilter.nf_conntrack_events=1");
    EXPECT_EQ(describe({"nf_conntrack_events", SysctlOutcome::NotSet, 0, EROFS}),
              "net.netfilter.nf_conntrack_events is 0 and cannot be set (Read-only file system): the end of flows is "
              "not reported; set it with sysctl -w net.netfilter.nf_conntrack_events=1");
}

TEST(RecordingSysctl, that_was_set_is_described_with_what_earlier_flows_lack) {
    EXPECT_EQ(
        describe({"nf_conntrack_timestamp", SysctlOutcome::Set, 0, 0}),
        "net.netfilter.nf_conntrack_timestamp was 0 and is 1 now: the age of flows that began before is not known");
    EXPECT_EQ(
        describe({"nf_conntrack_events", SysctlOutcome::Set, 2, 0}),
        "net.netfilter.nf_conntrack_events was 2 and is 1 now: the end of flows that began before may not be reported");
}

TEST(RecordingSysctl, that_this_kernel_does_not_have_is_described_as_missing) {
    EXPECT_EQ(describe({"nf_conntrack_timestamp", SysctlOutcome::NotSet, std::nullopt, ENOENT}),
              "net.netfilter.nf_conntrack_timestamp is missing: this kernel was built without it, and the age of flows "
              "is not known");
}

TEST(RecordingSysctl, that_was_right_is_described_in_a_few_words) {
    EXPECT_EQ(describe({"nf_conntrack_events", SysctlOutcome::WasRight, 1, 0}),
              "net.netfilter.nf_conntrack_events is 1");
}

}  // namespace recording_sysctls_test
}  // namespace headgate::conntrack
