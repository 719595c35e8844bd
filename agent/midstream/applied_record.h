// What was applied to a network namespace, kept beside the kernel, so that it can be told when somebody has changed or
// removed it since. A file in /run: it lasts as long as the ruleset could, until the next boot.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::midstream {

struct Applied {
    std::string policy;       ///< its name
    std::string fingerprint;  ///< of the table right afterwards

    friend bool operator==(const Applied&, const Applied&) = default;
};

class AppliedRecord {
  public:
    /// Of the calling thread's network namespace. A namespace has a number that no other gets before the next boot
    /// (SO_NETNS_COOKIE, Linux 5.14; net/core/net_namespace.c, net_alloc_ns_cookie).
    [[nodiscard]] static Result<AppliedRecord> open(const std::filesystem::path& folder);

    /// None if nothing is on record.
    [[nodiscard]] Result<std::optional<Applied>> read() const;

    /// The right to change the record, and with it what is applied; nobody else has it as long as this object lives.
    class Lock {
      public:
        [[nodiscard]] Result<void> write(const Applied& applied) const;
        [[nodiscard]] Result<void> remove() const;

      private:
        friend class AppliedRecord;
        Lock(FileDescriptor fd, std::filesystem::path file) : fd_(std::move(fd)), file_(std::move(file)) {}

        FileDescriptor fd_;
        std::filesystem::path file_;
    };

    /// Waits for it, but not for ever: EBUSY after that time. Who makes a record removes those beside it whose
    /// namespaces are gone, as far as the kernel tells (Linux 6.18); the others stay until the next boot.
    [[nodiscard]] Result<Lock> lock(std::chrono::seconds patience = kPatience) const;

    /// While this is held nobody changes the record. Nothing to hold where there is none, where it may not be read, or
    /// where somebody has been changing it for that time.
    [[nodiscard]] FileDescriptor share(std::chrono::seconds patience = kPatience) const;

    static constexpr std::chrono::seconds kPatience{10};

  private:
    AppliedRecord(std::filesystem::path file, std::string of) : file_(std::move(file)), of_(std::move(of)) {}

    std::filesystem::path file_;
    std::string of_;  ///< the namespace's handle
};

}  // namespace headgate::midstream
