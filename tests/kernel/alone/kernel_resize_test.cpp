// SPDX-License-Identifier: GPL-2.0-or-later
// A table that is resized during a scan. All namespaces share the hash table, so no other test may run meanwhile.
#include <fcntl.h>

#include <set>

#include "conntrack/walk/hash_walk.h"
#include "kernel/own_namespace.h"
#include "support/flow_builder.h"
#include "support/insert_flows.h"
#include "support/scan_collector.h"

namespace headgate::testing {
namespace kernel_resize_test {

/// nf_conntrack_buckets is writable in the initial namespace only, so it is opened before the test changes namespace.
class HashSize {
  public:
    HashSize() : file_(::open("/proc/sys/net/netfilter/nf_conntrack_buckets", O_RDWR | O_CLOEXEC)), original_(read()) {}
    ~HashSize() {
        if (original_ != 0) static_cast<void>(write(original_));
    }
    HashSize(const HashSize&) = delete;
    HashSize& operator=(const HashSize&) = delete;

    [[nodiscard]] unsigned original() const { return original_; }
    [[nodiscard]] bool write(unsigned buckets) const {
        const auto text = std::to_string(buckets);
        return ::pwrite(file_.get(), text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
    }

  private:
    [[nodiscard]] unsigned read() const {
        char text[32]{};
        return ::pread(file_.get(), text, sizeof text - 1, 0) > 0 ? static_cast<unsigned>(std::atoi(text)) : 0;
    }

    FileDescriptor file_;
    unsigned original_;
};

class ResizedTable : public ::testing::Test {
  protected:
    void SetUp() override {
        if (hash_.original() == 0) GTEST_SKIP() << "nf_conntrack_buckets is not to be written here";
        if (!namespace_.reason_to_skip().empty()) GTEST_SKIP() << namespace_.reason_to_skip();
        ASSERT_TRUE(hash_.write(8192));
        table_ = std::move(*conntrack::KernelFlowTable::open({}));
        std::vector<Flow> flows;
        for (std::uint16_t port = 1; port <= kFlows; ++port)
            flows.push_back(tcp_flow().from_port(port).established());
        ASSERT_TRUE(inserted(*table_, flows));
    }

    /// Scans the table, and resizes it once to this many buckets after the first block of rows.
    void expect_each_flow_once_while_resizing_to(unsigned buckets, const FlowQuery& query = query_for_all(),
                                                 std::size_t matching = kFlows) {
        ScanCollector collector;
        bool resized = false;
        collector.after_block = [&]() -> Result<void> {
            if (std::exchange(resized, true)) return {};
            EXPECT_TRUE(hash_.write(buckets));
            return {};
        };
        const Moment now{.now = std::chrono::system_clock::now()};
        const auto report = table_->scan(query, now, collector);
        ASSERT_TRUE(report.has_value()) << report.error().message;
        EXPECT_EQ(report->restarts, 1U);
        EXPECT_EQ(report->matched, matching);
        EXPECT_EQ(collector.rows.size(), matching);
        std::set<std::uint16_t> ports;
        for (const auto& row : collector.rows)
            ports.insert(row.flow.original.source_port);
        EXPECT_EQ(ports.size(), matching);
        plans_ = collector.plans;
    }

    static constexpr std::uint16_t kFlows = 20'000;

    HashSize hash_;  // must be constructed before namespace_
    OwnNamespace namespace_;
    std::unique_ptr<conntrack::KernelFlowTable> table_;
    std::vector<std::string> plans_;
};

TEST_F(ResizedTable, that_shrinks_loses_no_flow) {
    expect_each_flow_once_while_resizing_to(4096);
}

TEST_F(ResizedTable, that_grows_repeats_no_flow) {
    expect_each_flow_once_while_resizing_to(16384);
}

TEST_F(ResizedTable, that_is_walked_loses_and_repeats_no_flow) {
    if (const auto programs = conntrack::WalkPrograms::load(); !programs) GTEST_SKIP() << programs.error().message;
    table_ = std::move(*conntrack::KernelFlowTable::open({}, {std::make_shared<conntrack::HashWalk>(kFlows)}));
    const auto expect_walk = [&] {
        for (const auto& plan : plans_)
            EXPECT_EQ(plan.find("cannot be walked"), std::string::npos) << plan;
    };
    for (const unsigned buckets : {4096U, 16384U, 8192U}) {
        expect_each_flow_once_while_resizing_to(buckets, query_for("source-port=1:5000"), 5000);
        expect_walk();
    }
    for (const unsigned buckets : {4096U, 16384U, 8192U}) {
        expect_each_flow_once_while_resizing_to(buckets);
        expect_walk();
    }
}

}  // namespace kernel_resize_test
}  // namespace headgate::testing
