// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>

#include "headgate/operation_store.h"

namespace headgate {

bool OperationSelection::has(const FlowOperation& operation) const {
    const auto fits = [](const auto& wanted, const auto& value) { return !wanted || *wanted == value; };
    const auto lists = [](const auto& names, const auto& name) {
        return std::ranges::find(names, name) != names.end();
    };
    return fits(type, operation.type) && fits(status, operation.status) &&
           (!firewalls || lists(*firewalls, operation.endpoint.firewall)) &&
           fits(availability_zone, operation.endpoint.availability_zone) && fits(user, operation.caller.name()) &&
           (!since || operation.requested_at >= *since) &&
           (one_off_runs || operation.endpoint.network_namespace.empty()) && operation.id.starts_with(id_begin);
}

}  // namespace headgate
