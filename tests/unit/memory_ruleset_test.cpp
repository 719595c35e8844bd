// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/memory_ruleset.h"

#include "support/ruleset_conformance.h"

namespace headgate::testing {
namespace memory_ruleset_test {

class MemoryRulesetEnvironment {
  public:
    [[nodiscard]] static std::string reason_to_skip() { return {}; }
    Ruleset& ruleset() { return ruleset_; }
    void pass(std::chrono::milliseconds time) { ruleset_.pass(time); }

  private:
    MemoryRuleset ruleset_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, RulesetConformance, MemoryRulesetEnvironment);

}  // namespace memory_ruleset_test
}  // namespace headgate::testing
