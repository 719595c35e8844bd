// SPDX-License-Identifier: GPL-2.0-or-later
// write_capture STATE_DIR FLOWS: writes a capture of firewall `edge`, zone `a` with that many flows into a store, since
// a real table of a million flows would slow down all other tests on the machine. Prints the operation's id.
#include <cstdio>
#include <cstdlib>

#include "operations/sqlite_store.h"
#include "support/stored_operations.h"

namespace {

using namespace headgate;

constexpr std::uint32_t kBlock = 4096;

Result<void> write(const std::string& folder, std::uint32_t count, FlowOperation operation) {
    auto store = operations::SqliteStore::open(folder);
    if (!store) return tl::unexpected(store.error());
    auto written = (*store)->begin(operation, {});
    for (std::uint32_t first = 0; written && first < count; first += kBlock) {
        written = (*store)->append(operation.id, testing::numbered_flows(first, std::min(kBlock, count - first)));
    }
    operation.status = OperationStatus::Completed;
    operation.counts.scanned = operation.counts.matched = count;
    return written.and_then([&] { return (*store)->update(operation); });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    auto operation = testing::operation_named("11111111-2222-4333-8444-555555555555");
    operation.endpoint = {"edge", "a", ""};
    operation.requested_at = std::chrono::system_clock::now();
    operation.stream_exception_policy = "none";
    const auto written = write(argv[1], static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10)), operation);
    if (!written) fmt::print(stderr, "{}\n", written.error().message);
    fmt::print("{}\n", operation.id);
    return written ? 0 : 1;
}
