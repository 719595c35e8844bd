// SPDX-License-Identifier: GPL-2.0-or-later
#include <filesystem>
#include <thread>

#include "kernel/own_namespace.h"
#include "midstream/kernel_ruleset.h"
#include "support/ruleset_conformance.h"

namespace headgate::testing {
namespace kernel_ruleset_conformance_test {

class KernelRulesetEnvironment {
  public:
    ~KernelRulesetEnvironment() { std::filesystem::remove_all(run_folder_); }

    [[nodiscard]] std::string reason_to_skip() const { return namespace_.reason_to_skip(); }
    Ruleset& ruleset() { return *ruleset_; }
    static void pass(std::chrono::milliseconds time) { std::this_thread::sleep_for(time); }

  private:
    static std::filesystem::path make_folder() {
        std::string name = (std::filesystem::temp_directory_path() / "headgate-XXXXXX").string();
        return ::mkdtemp(name.data()) != nullptr ? name : "";
    }

    OwnNamespace namespace_;
    std::filesystem::path run_folder_ = make_folder();
    std::unique_ptr<Ruleset> ruleset_ = midstream::KernelRuleset::open({}, run_folder_);
};

INSTANTIATE_TYPED_TEST_SUITE_P(Kernel, RulesetConformance, KernelRulesetEnvironment);

}  // namespace kernel_ruleset_conformance_test
}  // namespace headgate::testing
