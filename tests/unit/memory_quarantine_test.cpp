// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/memory_quarantine.h"

#include "support/quarantine_conformance.h"

namespace headgate::testing {
namespace memory_quarantine_test {

class MemoryQuarantineEnvironment {
  public:
    [[nodiscard]] static std::string reason_to_skip() { return {}; }
    Quarantine& quarantine() { return quarantine_; }
    void pass(std::chrono::milliseconds time) { quarantine_.pass(time); }
    void flush_ruleset() { quarantine_.flush_ruleset(); }

  private:
    MemoryQuarantine quarantine_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, QuarantineConformance, MemoryQuarantineEnvironment);

}  // namespace memory_quarantine_test
}  // namespace headgate::testing
