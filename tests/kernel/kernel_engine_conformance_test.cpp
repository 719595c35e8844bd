// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/own_namespace.h"
#include "midstream/kernel_ruleset.h"
#include "operations/sqlite_store.h"
#include "support/engine_conformance.h"

namespace headgate::testing {

class OnTheGateway {
  public:
    OnTheGateway() : ruleset_(midstream::KernelRuleset::open({}, folder_.path("run"))) {
        if (auto opened = conntrack::KernelFlowTable::open({})) table_ = std::move(*opened);
        if (auto opened = operations::SqliteStore::open(folder_.path("state"))) store_ = std::move(*opened);
    }
    FlowTable& table() { return *table_; }
    Ruleset& ruleset() { return *ruleset_; }
    OperationStore& store() { return *store_; }
    std::string reason_to_skip() const {
        return !namespace_.reason_to_skip().empty() || table_ ? namespace_.reason_to_skip() : "no conntrack here";
    }

  private:
    OwnNamespace namespace_;
    TemporaryFolder folder_;
    std::unique_ptr<conntrack::KernelFlowTable> table_;
    std::unique_ptr<midstream::KernelRuleset> ruleset_;
    std::unique_ptr<operations::SqliteStore> store_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Kernel, EngineConformance, OnTheGateway);

}  // namespace headgate::testing
