// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/memory_flow_table.h"

#include "support/flow_table_conformance.h"

namespace headgate::testing {

class InMemory {
  public:
    FlowTable& table() { return table_; }
    static std::string reason_to_skip() { return {}; }

  private:
    MemoryFlowTable table_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, FlowTableConformance, InMemory);

}  // namespace headgate::testing
