// One operation at a time on an endpoint, over all processes that share a state directory.
#pragma once

#include <filesystem>
#include <string_view>

#include "headgate/flow_operation.h"
#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::operations {

/// Held as long as the object lives, and no longer than its process (flock(2)).
class EndpointLock {
  public:
    /// Refused with EBUSY where somebody has it, with the name of their operation in the message. Where the disk takes
    /// nothing, one that was locked there before can be locked all the same.
    [[nodiscard]] static Result<EndpointLock> take(const std::filesystem::path& state_dir, const Endpoint& endpoint,
                                                   std::string_view operation_id);

  private:
    explicit EndpointLock(FileDescriptor file) : file_(std::move(file)) {}

    FileDescriptor file_;
};

}  // namespace headgate::operations
