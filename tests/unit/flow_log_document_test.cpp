// SPDX-License-Identifier: GPL-2.0-or-later
// The examples in docs/flow-log.md must match what the flow log writes.
#include <gtest/gtest.h>

#include <sstream>

#include "base/text.h"
#include "flowlog/record_format.h"
#include "support/ended_flows.h"
#include "support/example_text.h"

namespace headgate::flowlog {
namespace flow_log_document_test {

using namespace headgate::testing;
using config::FlowLogFormat;

/// The examples, each on one line, as in a log file.
std::vector<std::string> examples() {
    std::vector<std::string> found;
    std::istringstream document{text_of("docs/flow-log.md")};
    bool inside = false;
    for (std::string line; std::getline(document, line);) {
        if (line == "```json") found.emplace_back();
        if (line.starts_with("```")) {
            inside = line == "```json";
        } else if (inside) {
            found.back() += trimmed(line);
        }
    }
    return found;
}

template <typename Brought>
std::string line_of(FlowLogFormat format, const Brought& brought, std::size_t index = 0) {
    LineBlock block;
    make_format(format)->append(block, brought);
    return std::string{block.line(index)};
}

TEST(FlowLogDocument, shows_records_as_they_are_written) {
    const auto shown = examples();
    ASSERT_EQ(shown.size(), 3U);
    EXPECT_EQ(shown[0], line_of(FlowLogFormat::Eve, flushed_flow()));
    EXPECT_EQ(shown[1], line_of(FlowLogFormat::Aws, flushed_flow(), 1));
    EXPECT_EQ(shown[2], line_of(FlowLogFormat::Eve, lost_flows()));
}

}  // namespace flow_log_document_test
}  // namespace headgate::flowlog
