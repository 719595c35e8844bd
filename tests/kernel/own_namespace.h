// SPDX-License-Identifier: GPL-2.0-or-later
// A network namespace for one test; it exists until the test's process ends.
#pragma once

#include <gtest/gtest.h>
#include <sched.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

#include "conntrack/kernel_flow_table.h"

namespace headgate::testing {

/// Moves the calling thread into an empty network namespace; CTest runs each test in its own process.
/// If that fails, the test is skipped with the reason.
class OwnNamespace {
  public:
    OwnNamespace() {
        if (::unshare(CLONE_NEWNET) != 0) {
            reason_ = std::string{"no network namespace of its own: "} + std::strerror(errno);
            return;
        }
        for (const auto* name : {"nf_conntrack_acct", "nf_conntrack_timestamp", "nf_conntrack_events"}) {
            if (!set_sysctl(name, "1")) reason_ = std::string{"cannot set "} + name + ": is nf_conntrack loaded?";
        }
    }

    [[nodiscard]] const std::string& reason_to_skip() const { return reason_; }

    static bool set_sysctl(std::string_view name, std::string_view value) {
        std::ofstream file{"/proc/sys/net/netfilter/" + std::string{name}};
        file << value << std::flush;
        return file.good();
    }

  private:
    std::string reason_;
};

class KernelTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (!namespace_.reason_to_skip().empty()) GTEST_SKIP() << namespace_.reason_to_skip();
        auto opened = conntrack::KernelFlowTable::open({});
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        table_ = std::move(*opened);
    }

    OwnNamespace namespace_;
    std::unique_ptr<conntrack::KernelFlowTable> table_;
};

}  // namespace headgate::testing
