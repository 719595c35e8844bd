// SPDX-License-Identifier: GPL-2.0-or-later
// bench_store FOLDER [ROWS]: measures the operation store on the disk of FOLDER. Prints one line of JSON.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "operations/flow_rows.h"
#include "operations/sqlite_store.h"
#include "support/stored_operations.h"

namespace {

using namespace headgate;
using namespace headgate::operations;
using namespace headgate::testing;

constexpr std::uint32_t kHandedIn = 256;  // rows per call, as in a scan

template <typename Work>
double seconds(Work work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

template <typename T>
T must(Result<T> result) {
    if (!result) {
        fmt::print(stderr, "bench_store: {}\n", result.error().message);
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

void report(const char* name, double value) {
    fmt::print("{}\"{}\": {:.3f}", name == std::string_view{"pack_us"} ? "{" : ", ", name, value);
}

void measure_packing(const std::vector<FlowRow>& flows) {
    FlowBlock block;
    const auto packed = seconds([&] {
        for (const auto& flow : flows)
            block.add(flow);
    });
    report("pack_us", packed * 1e6 / static_cast<double>(flows.size()));
    report("row_bytes", static_cast<double>(block.rows().size()) / static_cast<double>(flows.size()));
    const auto unpacked = seconds([&] { static_cast<void>(must(unpack(block.rows()))); });
    report("unpack_us", unpacked * 1e6 / static_cast<double>(flows.size()));
}

void measure_capture(OperationStore& store, std::uint32_t rows) {
    auto operation = operation_named("capture");
    must(store.begin(operation, {}));
    const auto flows = numbered_flows(0, kHandedIn);
    report("capture_s", seconds([&] {
               for (std::uint32_t row = 0; row < rows; row += kHandedIn)
                   must(store.append("capture", flows));
               operation.status = OperationStatus::Completed;
               must(store.update(operation));
           }));
    double worst = 0;
    double sum = 0;
    constexpr int kPages = 200;
    for (int i = 0; i < kPages; ++i) {
        const auto first = static_cast<std::uint64_t>(i) * 7919 * 613 % (rows - 100);
        const auto took = seconds([&] { must(store.flows("capture", first, 100)); });
        worst = std::max(worst, took);
        sum += took;
    }
    report("page_ms", sum * 1e3 / kPages);
    report("page_worst_ms", worst * 1e3);
    report("stream_s", seconds([&] { must(store.for_each_flow("capture", 0, [](auto) { return Result<void>{}; })); }));
}

void measure_flush(OperationStore& store, std::uint32_t rows, std::uint32_t block_rows) {
    const auto id = fmt::format("flush-{}", block_rows);
    auto operation = operation_named(id);
    must(store.begin(operation, {}));
    const auto flows = numbered_flows(0, block_rows);
    const auto pending = rows_of(flows);
    const auto endings = endings_of(flows);
    double journal = 0;
    double settle = 0;
    for (std::uint32_t row = 0; row < rows; row += block_rows) {
        std::uint64_t block = 0;
        journal += seconds([&] { block = must(store.append_pending(id, pending)); });
        settle += seconds([&] { must(store.record_outcomes(id, block, endings)); });
    }
    operation.status = OperationStatus::Completed;
    must(store.update(operation));
    report(fmt::format("journal_{}_s", block_rows).c_str(), journal);
    report(fmt::format("settle_{}_s", block_rows).c_str(), settle);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    const auto rows = static_cast<std::uint32_t>(argc > 2 ? std::atoi(argv[2]) : 1'000'000);
    const auto store = must(SqliteStore::open(argv[1]));
    measure_packing(numbered_flows(0, std::min(rows, 100'000U)));
    measure_capture(*store, rows);
    for (const std::uint32_t block_rows : {64U, 256U, 1024U, 4096U})
        measure_flush(*store, rows / 10, block_rows);
    report("bytes_a_row", static_cast<double>(must(store->bytes_used())) / (1.4 * rows));
    report("remove_s", seconds([&] { must(store->shrink_to(0)); }));
    fmt::print("}}\n");
    return 0;
}
