// SPDX-License-Identifier: GPL-2.0-or-later
// A record of the policy applied to a network namespace, kept outside the kernel to detect later changes and removals
// by other programs. A file in /run: it lasts as long as the ruleset can, until the next boot.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "headgate/result.h"

#include "files/file_descriptor.h"

namespace headgate::midstream {

struct Applied {
    std::string policy;       ///< name of the policy
    std::string fingerprint;  ///< of the table right after it was applied

    friend bool operator==(const Applied&, const Applied&) = default;
};

class PolicyStateFile {
  public:
    /// The record of the calling thread's network namespace, named by a number that no other namespace gets before the
    /// next boot (SO_NETNS_COOKIE, Linux 5.14; net/core/net_namespace.c, net_alloc_ns_cookie).
    [[nodiscard]] static Result<PolicyStateFile> open(const std::filesystem::path& folder);

    /// None if there is no record, or it may not be read.
    [[nodiscard]] Result<std::optional<Applied>> read() const;

    /// The exclusive right to change the record, and with it the applied policy, as long as this object lives.
    class Lock {
      public:
        [[nodiscard]] Result<void> write(const Applied& applied) const;
        [[nodiscard]] Result<void> remove() const;

      private:
        friend class PolicyStateFile;
        Lock(FileDescriptor fd, std::filesystem::path file) : fd_(std::move(fd)), file_(std::move(file)) {}

        FileDescriptor fd_;
        std::filesystem::path file_;
    };

    /// Waits for the lock for `patience` at most: Locked afterwards. Creating a record removes those of namespaces that
    /// no longer exist, if the kernel can tell (Linux 6.18); the others stay until the next boot.
    [[nodiscard]] Result<Lock> lock(std::chrono::seconds patience = kPatience) const;

    /// A shared lock: no process changes the record while it is held. Nothing is locked if there is no record, if it
    /// may not be read, or if another process keeps it locked for `patience`.
    [[nodiscard]] FileDescriptor share(std::chrono::seconds patience = kPatience) const;

    static constexpr std::chrono::seconds kPatience{10};

  private:
    PolicyStateFile(std::filesystem::path file, std::string of) : file_(std::move(file)), of_(std::move(of)) {}

    std::filesystem::path file_;
    std::string of_;  ///< the namespace's handle
};

}  // namespace headgate::midstream
