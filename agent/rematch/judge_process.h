// SPDX-License-Identifier: GPL-2.0-or-later
// The process that judges, in a network namespace of its own, which ends with it.
#pragma once

#include <sys/types.h>

#include <utility>

#include "headgate/result.h"

#include "files/file_descriptor.h"
#include "rematch/judge_messages.h"

namespace headgate::rematch {

/// Answers the requests on the stream socket until it ends. The calling thread must be in a new network namespace.
void serve_judge(int socket);

/// A child of this process. It has no more privileges than judging needs, and no files but its socket; it ends when the
/// socket is closed, also by the end of this process.
class JudgeProcess {
  public:
    /// Needs CAP_SYS_ADMIN, CAP_NET_ADMIN and CAP_NET_RAW.
    [[nodiscard]] static Result<JudgeProcess> start();

    JudgeProcess(JudgeProcess&& other) noexcept
        : process_(std::exchange(other.process_, -1)), socket_(std::move(other.socket_)) {}
    JudgeProcess& operator=(JudgeProcess&&) = delete;
    ~JudgeProcess();

    /// Sends a request and returns the payload of the answer, which must be of the type `expected`; or the error that
    /// the judge answers.
    [[nodiscard]] Result<ByteString> exchange(MessageType request, netlink::Bytes payload, MessageType expected);

    [[nodiscard]] pid_t process() const noexcept { return process_; }

  private:
    JudgeProcess(pid_t process, FileDescriptor socket) : process_(process), socket_(std::move(socket)) {}

    pid_t process_;
    FileDescriptor socket_;
};

}  // namespace headgate::rematch
