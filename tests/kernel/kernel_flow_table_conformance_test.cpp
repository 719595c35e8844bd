// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/own_namespace.h"
#include "support/flow_table_conformance.h"

namespace headgate::testing {

class InTheKernel {
  public:
    InTheKernel() {
        if (auto opened = conntrack::KernelFlowTable::open({})) table_ = std::move(*opened);
    }
    FlowTable& table() { return *table_; }
    std::string reason_to_skip() const {
        return !namespace_.reason_to_skip().empty() || table_ ? namespace_.reason_to_skip() : "no conntrack here";
    }

  private:
    OwnNamespace namespace_;
    std::unique_ptr<conntrack::KernelFlowTable> table_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Kernel, FlowTableConformance, InTheKernel);

}  // namespace headgate::testing
