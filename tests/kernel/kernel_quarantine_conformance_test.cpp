// SPDX-License-Identifier: GPL-2.0-or-later
#include <filesystem>
#include <thread>

#include "kernel/own_namespace.h"
#include "midstream/nftables.h"
#include "quarantine/kernel_quarantine.h"
#include "support/quarantine_conformance.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace kernel_quarantine_conformance_test {

class KernelQuarantineEnvironment {
  public:
    [[nodiscard]] std::string reason_to_skip() const { return namespace_.reason_to_skip(); }
    Quarantine& quarantine() { return *quarantine_; }
    static void pass(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }
    static void flush_ruleset() { ASSERT_TRUE(midstream::Nftables::open()->run("flush ruleset").has_value()); }

  private:
    OwnNamespace namespace_;
    TemporaryFolder run_folder_;
    std::unique_ptr<Quarantine> quarantine_ =
        quarantine::KernelQuarantine::open({}, run_folder_.path("run"), std::chrono::seconds{10});
};

INSTANTIATE_TYPED_TEST_SUITE_P(Kernel, QuarantineConformance, KernelQuarantineEnvironment);

}  // namespace kernel_quarantine_conformance_test
}  // namespace headgate::testing
