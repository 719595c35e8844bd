// SPDX-License-Identifier: GPL-2.0-or-later
// bench_operation FOLDER capture | flush PREFIX journal|no-journal | pages OPERATION_ID: runs the engine alone, without
// CLI or HTTP, in the current network namespace and with its state in FOLDER. Prints the seconds measured, and the id
// of a capture.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "conntrack/kernel_flow_table.h"
#include "gateway/local_gateway.h"
#include "midstream/kernel_ruleset.h"
#include "operations/operation_work.h"

namespace {

using namespace headgate;

template <typename T>
T must(Result<T> result) {
    if (!result) {
        fmt::print(stderr, "bench_operation: {}\n", result.error().message);
        std::exit(1);
    }
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <typename Work>
double seconds(Work work) {
    const auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

gateway::LocalGateway gateway_in(const std::string& folder) {
    config::Configuration configuration;
    configuration.firewalls.push_back(config::default_firewall());
    configuration.state_dir = folder;
    configuration.audit_log = folder + "/audit.log";
    return gateway::LocalGateway{std::move(configuration)};
}

FlowQuery query_for(std::string_view prefix) {
    FlowQuery query;
    query.filters.emplace_back();
    if (prefix != "all") query.filters.front().destination = must(parse_prefix(prefix));
    return query;
}

FlowOperation run(gateway::FlowOperations& operations, OperationType type, const FlowQuery& query) {
    gateway::OperationRequest request;
    request.type = type;
    request.query = query;
    const auto started = must(operations.start(request));
    return must(operations.wait(started.id, std::chrono::minutes{2}));
}

/// A flush that writes no journal.
class NoJournal final : public operations::WorkListener {
  public:
    Result<void> about_to_end(std::span<const FlowRow> /*rows*/) override { return {}; }
    Result<void> ended(std::span<const FlowRow> /*endings*/) override { return {}; }
    Result<void> left_alone(std::span<const FlowRow> /*flows*/) override { return {}; }
};

void flush_without_journal(const FlowQuery& query) {
    const auto table = must(conntrack::KernelFlowTable::open({}));
    const auto ruleset = midstream::KernelRuleset::open({});
    FlowOperation operation;
    operation.query = query;
    NoJournal nothing;
    const SystemClock clock;
    must(operations::run_flush({}, {*table, *ruleset, clock, {.now = clock.now()}}, operation, nothing));
}

void measure_pages(gateway::FlowOperations& operations, const std::string& id, std::uint64_t flows) {
    constexpr int kPages = 200;
    double worst = 0;
    double sum = 0;
    for (int i = 0; i < kPages; ++i) {
        const auto first = static_cast<std::uint64_t>(i) * 7919 * 613 % (flows - 100);
        std::size_t told = 0;
        const auto took = seconds([&] {
            static_cast<void>(operations.for_each_flow(id, first, [&](auto page) -> Result<void> {
                told += page.size();
                return told < 100 ? Result<void>{} : failed("enough");
            }));
        });
        worst = std::max(worst, took);
        sum += took;
    }
    fmt::print("{:.6f} {:.6f}\n", sum / kPages, worst);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    const std::string_view work = argv[2];
    auto gateway = gateway_in(argv[1]);
    auto& operations = gateway.operations();
    must(operations.open_store());
    if (work == "capture") {
        FlowOperation operation;
        const auto took = seconds([&] { operation = run(operations, OperationType::Capture, query_for("all")); });
        fmt::print("{:.6f} {}\n", took, operation.id);
    } else if (work == "flush" && argc == 5) {
        const auto query = query_for(argv[3]);
        const bool journal = argv[4] == std::string_view{"journal"};
        fmt::print("{:.6f}\n", seconds([&] {
                       if (!journal) return flush_without_journal(query);
                       static_cast<void>(run(operations, OperationType::Flush, query));
                   }));
    } else if (work == "pages" && argc == 4) {
        measure_pages(operations, argv[3], must(operations.find(argv[3])).counts.matched);
    } else {
        return 2;
    }
    return 0;
}
