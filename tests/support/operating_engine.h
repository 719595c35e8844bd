// SPDX-License-Identifier: GPL-2.0-or-later
// An engine in memory for tests, with ten flows in its table.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operations/engine.h"
#include "support/engine_conformance.h"
#include "support/manual_clock.h"
#include "support/memory_flow_table.h"
#include "support/memory_judge.h"
#include "support/memory_ruleset.h"
#include "support/memory_store.h"
#include "support/temporary_folder.h"

namespace headgate::testing {

class Operating : public ::testing::Test {
  protected:
    Operating() {
        for (std::uint16_t port = 1; port <= 10; ++port)
            table_.flows.push_back(tcp_flow().from_port(port).established().with_id(port));
        make_engine({});
    }

    void make_engine(operations::EngineSettings settings) {
        settings.state_dir = folder_.path("");
        engine_.reset();
        engine_ = std::make_unique<operations::Engine>(
            store_, clock_, audit_, [this](const Endpoint&) { return access_to(table_, ruleset_, judge_); }, settings);
    }

    static operations::OperationRequest request_for(OperationType type, std::string_view filter = "protocol=tcp") {
        operations::OperationRequest request;
        request.type = type;
        request.endpoint = {"edge", "a", ""};
        request.query = query_for(filter);
        request.caller = {"cli", 0, "root", "alice", "192.0.2.7"};
        return request;
    }

    FlowOperation run(const operations::OperationRequest& request) {
        const auto started = engine_->start(request);
        EXPECT_TRUE(started.has_value()) << (started ? "" : started.error().message);
        return started ? engine_->wait(started->id, std::chrono::minutes{1}).value() : FlowOperation{};
    }

    std::vector<std::string> audit_lines() const {
        std::vector<std::string> lines;
        std::ifstream file{folder_.path("audit.log")};
        for (std::string line; std::getline(file, line);)
            lines.push_back(line);
        return lines;
    }

    TemporaryFolder folder_;
    ManualClock clock_;
    MemoryFlowTable table_;
    MemoryRuleset ruleset_;
    MemoryJudge judge_;
    std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
    MemoryStore store_{disk_, clock_};
    operations::AuditTrail audit_{folder_.path("audit.log"), clock_};
    std::unique_ptr<operations::Engine> engine_;
};

/// Holds the operation in its first phase until the test opens the gate.
class Gate {
  public:
    explicit Gate(MemoryFlowTable& table) {
        table.at_scan = [this] {
            reached_.count_down();
            open_.wait();
        };
    }
    void wait_for_operation() { reached_.wait(); }
    void open() { open_.count_down(); }

  private:
    std::latch reached_{1};
    std::latch open_{1};
};

}  // namespace headgate::testing
