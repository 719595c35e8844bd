// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/memory_judge.h"

#include <gtest/gtest.h>

#include "support/judge_conformance.h"

namespace headgate::testing {
namespace memory_judge_test {

class MemoryJudgeEnvironment {
  public:
    [[nodiscard]] static std::string reason_to_skip() { return {}; }
    Judge& judge() { return judge_; }
    void drop_by_default() {
        judge_.drops_by_default = true;
        ++judge_.generation;
    }
    void add_rule(std::uint16_t port, std::string_view verdict) { judge_.add_rule(filter_of(port), verdict); }
    [[nodiscard]] static std::string candidate(std::uint16_t port, std::string_view verdict) {
        return MemoryJudge::rule_text(filter_of(port), verdict);
    }
    [[nodiscard]] static Flow flow_to(std::uint16_t port) { return tcp_flow().to_port(port).established(); }

  private:
    static std::string filter_of(std::uint16_t port) { return fmt::format("protocol=tcp,destination-port={}", port); }

    MemoryJudge judge_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, JudgeConformance, MemoryJudgeEnvironment);

}  // namespace memory_judge_test
}  // namespace headgate::testing
