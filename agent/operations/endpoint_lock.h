// SPDX-License-Identifier: GPL-2.0-or-later
// Exclusive use of an endpoint across all processes that share a state directory, and the order of waiters.
//
// Captures may follow each other without a gap. So a flush waits as the next holder, meanwhile no other operation
// begins, and a long capture gives way (is_waited_for). Both are locks on one file, and end with their process:
// flock(2) holds the endpoint, an open file description lock (F_OFD_SETLK, fcntl_locking(2)) the place in line. On
// Linux the two are independent (flock(2)).
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::operations {

/// Held for the lifetime of the object, at most of the process.
class EndpointLock {
  public:
    /// How long a flush waits for a capture: longer than kGrace.
    static constexpr std::chrono::seconds kPatience{10};

    /// How long a capture continues while another operation waits.
    static constexpr std::chrono::seconds kGrace{3};

    EndpointLock(EndpointLock&&) = default;
    EndpointLock& operator=(EndpointLock&&) = delete;
    ~EndpointLock();

    /// Busy where another operation holds the endpoint or is next; the message has its id. On a disk that cannot be
    /// written, only an endpoint that was locked before can be locked.
    [[nodiscard]] static Result<EndpointLock> acquire(const std::filesystem::path& state_dir,
                                                      const FlowOperation& operation);

    /// Likewise, but waits for a capture that holds it, ahead of all others. Busy at once where a flush holds it or is
    /// next, and after `patience` or when `goes_on` returns false.
    [[nodiscard]] static Result<EndpointLock> acquire_next(const std::filesystem::path& state_dir,
                                                           const FlowOperation& operation,
                                                           std::chrono::milliseconds patience,
                                                           const std::function<bool()>& goes_on);

    /// Whether another operation waits for the endpoint.
    [[nodiscard]] bool is_waited_for() const;

  private:
    explicit EndpointLock(FileDescriptor file) : file_(std::move(file)) {}

    FileDescriptor file_;
};

}  // namespace headgate::operations
