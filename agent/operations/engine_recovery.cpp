// SPDX-License-Identifier: GPL-2.0-or-later
// Engine: recovery of interrupted operations, and retention.
#include <utility>

#include "operations/crash_recovery.h"
#include "operations/engine.h"
#include "operations/operation_lifecycle.h"
#include "operations/running_operation.h"

namespace headgate::operations {
namespace {

OperationSelection in_progress_on(const Endpoint& endpoint) {
    return {.status = OperationStatus::InProgress,
            .firewalls = {{endpoint.firewall}},
            .availability_zone = endpoint.availability_zone};
}

}  // namespace

Result<void> Engine::recover_interrupted() {
    ASSIGN_OR_RETURN(const auto cut, store_.list({.status = OperationStatus::InProgress}));
    Result<void> result;
    for (const auto& operation : cut) {
        // Busy: the lock's holder is running the operation.
        const auto lock = EndpointLock::acquire(state_dir_, operation);
        if (!lock && lock.error().kind == ErrorKind::Busy) continue;
        auto recovered = lock ? recover_interrupted_on(operation.endpoint) : tl::unexpected(lock.error());
        if (!recovered && result) result = std::move(recovered);
    }
    return result;
}

/// Requires the endpoint's lock, so that no process is running what is in progress there.
Result<void> Engine::recover_interrupted_on(const Endpoint& endpoint) {
    ASSIGN_OR_RETURN(const auto cut, store_.list(in_progress_on(endpoint)));
    for (const auto& operation : cut) {
        if (operation.endpoint != endpoint) continue;
        if (auto recovered = recover(operation); !recovered) {
            return tl::unexpected(std::move(recovered.error()).within("recovering operation " + operation.id));
        }
    }
    return {};
}

Result<void> Engine::recover(FlowOperation operation) {
    if (unkept_.has(operation.id)) {
        // It has ended and was reported; only the store was not updated.
        close(operation, failed("its flows could not be stored"));
        return store_.update(operation);
    }
    auto access = open_(operation.endpoint);
    // Missing: the namespace is gone, and its flows with it. Without permission, recovery is left to other processes.
    if (!access && access.error().kind != ErrorKind::Missing) return tl::unexpected(std::move(access.error()));
    const auto& listener = listener_for(operation.id);
    auto recovered = access ? recover_operation(store_, listener, access->table.get(), access->ruleset.get(), operation)
                            : recover_operation(store_, listener, nullptr, nullptr, operation);
    if (recovered) {
        operation = std::move(*recovered);
    } else if (recovered.error().kind == ErrorKind::Damaged) {
        close(operation, failed("cut short: headgate was stopped in the middle of it; what became of its flows is not "
                                "known, for its journal cannot be read: {}",
                                recovered.error().message));
    } else {
        return tl::unexpected(std::move(recovered.error()));
    }
    RETURN_IF_ERROR(store_.update(operation));
    on_ended_(operation);
    return audit_.record(operation);
}

Result<std::uint64_t> Engine::tidy() {
    static_cast<void>(unkept_.expire(settings().retention));
    auto removed = remove_old();
    sweep_later();
    return removed;
}

Result<std::uint64_t> Engine::remove_old() {
    const auto bounds = settings();
    return store_.expire(bounds.retention).and_then([&](std::uint64_t expired) {
        if (expired != 0) sweep_later();
        return store_.shrink_to(bounds.disk_budget, [this] { return !is_draining(); });
    });
}

/// If this fails, a later sweep continues.
void Engine::sweep_later() {
    static_cast<void>(sweeping_.begin([this](const std::stop_token& stop) {
        for (auto more = store_.sweep(); more && *more && !stop.stop_requested();)
            more = store_.sweep();
    }));
}

/// Flows ended by this process have been reported already, even if that could not be stored.
const FlushListener& Engine::listener_for(const std::string& id) {
    const std::lock_guard lock{mutex_};
    return running_.contains(id) || left_open_.contains(id) ? kNobodyListens : flushes_;
}

}  // namespace headgate::operations
