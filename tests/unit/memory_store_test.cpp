// SPDX-License-Identifier: GPL-2.0-or-later
#include "support/memory_store.h"

#include "support/operation_store_conformance.h"

namespace headgate::testing {
namespace memory_store_test {

class MemoryStoreEnvironment {
  public:
    std::unique_ptr<OperationStore> open() { return std::make_unique<MemoryStore>(disk_, clock_); }
    ManualClock& clock() { return clock_; }

  private:
    ManualClock clock_;
    std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
};

INSTANTIATE_TYPED_TEST_SUITE_P(Memory, OperationStoreConformance, MemoryStoreEnvironment);

TEST(MemoryStore, a_full_disk_takes_nothing_more) {
    const auto disk = std::make_shared<MemoryDisk>();
    MemoryStore store{disk};
    ASSERT_TRUE(store.begin(operation_named("one"), {}).has_value());
    disk->limit_to(4096);
    EXPECT_EQ(store.append("one", numbered_flows(0, 1000)).error().kind, ErrorKind::DiskFault);
    EXPECT_TRUE(store.update(operation_named("one")).has_value());
}

}  // namespace memory_store_test
}  // namespace headgate::testing
