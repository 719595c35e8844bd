// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/results_json.h"

#include <utility>

#include "flow/json_members.h"
#include "operations/operation_json.h"

namespace headgate::operations {

void ResultsJson::begin(fmt::memory_buffer& out, const FlowOperation& operation) {
    moment_ = moment_of(operation);
    out.push_back('{');
    append_request_members(out, operation);
    out.append(std::string_view{",\n\"flows\":["});
}

void ResultsJson::flow(fmt::memory_buffer& out, const FlowRow& row) {
    out.append(std::string_view{std::exchange(first_, false) ? "\n" : ",\n"});
    append_flow_json(out, row, moment_);
}

void ResultsJson::end(fmt::memory_buffer& out, const FlowOperation& operation, std::string_view next_cursor) const {
    out.append(std::string_view{first_ ? "]" : "\n]"});
    append_result_members(out, operation);
    if (!next_cursor.empty()) {
        JsonMembers members{out, JsonMembers::Place::Later};
        members.text("next_cursor", next_cursor);
    }
    out.append(std::string_view{"}\n"});
}

}  // namespace headgate::operations
