// SPDX-License-Identifier: GPL-2.0-or-later
// Records of applied policies, and the network namespaces to which they belong.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <thread>

#include "files/file_descriptor.h"
#include "midstream/policy_state_file.h"
#include "support/temporary_folder.h"

namespace headgate::midstream {
namespace kernel_policy_state_file_test {

/// Writes a record in a new namespace, which only the returned descriptor keeps alive.
FileDescriptor record_elsewhere(const std::string& folder) {
    FileDescriptor held;
    std::thread{[&] {
        if (::unshare(CLONE_NEWNET) != 0) return;
        EXPECT_TRUE(PolicyStateFile::open(folder)->lock()->write({"reject", "0123abcd"}).has_value());
        held = FileDescriptor{::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)};
    }}.join();
    return held;
}

std::ptrdiff_t records_in(const std::string& folder) {
    return std::distance(std::filesystem::directory_iterator{folder}, {});
}

/// Whether namespaces have file handles, which distinguish them from removed ones (Linux 6.18).
bool have_handles() {
    alignas(file_handle) std::array<char, sizeof(file_handle) + MAX_HANDLE_SZ> room{};
    auto* const handle = reinterpret_cast<file_handle*>(room.data());
    handle->handle_bytes = MAX_HANDLE_SZ;
    int mount = 0;
    return ::name_to_handle_at(AT_FDCWD, "/proc/self/ns/net", handle, &mount, AT_SYMLINK_FOLLOW) == 0;
}

TEST(KernelPolicyStateFile, of_a_namespace_that_is_gone_is_removed_by_who_makes_the_next) {
    if (!have_handles()) GTEST_SKIP() << "namespaces have no handles before Linux 6.18";
    const testing::TemporaryFolder folder;
    const auto kept = record_elsewhere(folder.path(""));
    if (!kept.is_open()) GTEST_SKIP() << "no network namespace of its own";
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
    // The kernel removes a namespace some time after its last reference. Each attempt adds a record, and removes those
    // of namespaces that are gone.
    static_cast<void>(record_elsewhere(folder.path("")));
    std::ptrdiff_t made = 2;
    while (records_in(folder.path("")) == made && std::chrono::steady_clock::now() < until) {
        static_cast<void>(record_elsewhere(folder.path("")));
        ++made;
    }
    EXPECT_LT(records_in(folder.path("")), made);
    EXPECT_GE(records_in(folder.path("")), 2) << "the one that a descriptor alone holds stays";
    std::thread{[&] {
        ASSERT_EQ(::setns(kept.get(), CLONE_NEWNET), 0);
        EXPECT_EQ(PolicyStateFile::open(folder.path(""))->read().value().value().policy, "reject");
    }}.join();
}

TEST(KernelPolicyStateFile, that_an_older_headgate_has_made_is_left_alone) {
    const testing::TemporaryFolder folder;
    folder.write("policy-999999999", std::string(127, ' ') + "\n");
    if (!record_elsewhere(folder.path("")).is_open()) GTEST_SKIP() << "no network namespace of its own";
    EXPECT_TRUE(std::filesystem::exists(folder.path("policy-999999999")));
}

}  // namespace kernel_policy_state_file_test
}  // namespace headgate::midstream
