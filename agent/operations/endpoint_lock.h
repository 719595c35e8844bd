// One operation at a time on an endpoint, over all processes that share a state directory, and whose turn it is.
//
// Captures may follow each other without a gap. So who would act waits for the one that has the endpoint, and meanwhile
// no other one begins; one that goes on for long gives way (is_waited_for). Both are locks on one file, which end with
// their holder, however that ends: flock(2) on it has the endpoint, an open file description lock (F_OFD_SETLK,
// fcntl_locking(2)) is next. On Linux the two know nothing of each other (flock(2)).
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

/// Held as long as the object lives, and no longer than its process.
class EndpointLock {
  public:
    /// How long somebody waits for a capture: for longer than that one goes on.
    static constexpr std::chrono::seconds kPatience{10};

    /// How long a capture goes on that somebody waits for.
    static constexpr std::chrono::seconds kGrace{3};

    EndpointLock(EndpointLock&&) = default;
    EndpointLock& operator=(EndpointLock&&) = delete;
    ~EndpointLock();

    /// Refused with EBUSY where somebody has it or is next, with the name of their operation in the message. Where the
    /// disk takes nothing, one that was locked there before can be locked all the same.
    [[nodiscard]] static Result<EndpointLock> take(const std::filesystem::path& state_dir,
                                                   const FlowOperation& operation);

    /// The same, but waits for a capture that has it, and lets no other one come first. Refused with EBUSY at once
    /// where a flush has it or is next, and after `patience`, or when it is no longer worth the wait.
    [[nodiscard]] static Result<EndpointLock> take_next(const std::filesystem::path& state_dir,
                                                        const FlowOperation& operation,
                                                        std::chrono::milliseconds patience,
                                                        const std::function<bool()>& goes_on);

    /// Whether somebody is next.
    [[nodiscard]] bool is_waited_for() const;

  private:
    explicit EndpointLock(FileDescriptor file) : file_(std::move(file)) {}

    FileDescriptor file_;
};

}  // namespace headgate::operations
