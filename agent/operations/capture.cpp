// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/capture.h"

#include "operations/operation_lifecycle.h"

namespace headgate::operations {

Result<void> run_capture(FlowTable& table, const Moment& moment, FlowOperation& operation, ScanListener& listener) {
    ASSIGN_OR_RETURN(const auto report, table.scan(operation.query, moment, listener));
    count(operation, report);
    return {};
}

}  // namespace headgate::operations
