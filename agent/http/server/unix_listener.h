// SPDX-License-Identifier: GPL-2.0-or-later
// The agent's Unix socket: created here, or inherited from the process that started this one (socket activation).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "headgate/result.h"

#include "files/file_descriptor.h"
#include "http/server/peer.h"

namespace headgate::http {

class UnixListener {
  public:
    /// Creates the socket, mode 0660 and owned by kGroup if it exists, and its directory where missing. Replaces a
    /// stale socket file. EADDRINUSE where another process listens there.
    [[nodiscard]] static Result<UnixListener> open(const std::filesystem::path& path);

    /// Adopts a listening socket. Its file stays with the process that created it.
    [[nodiscard]] static Result<UnixListener> adopt(FileDescriptor listening);

    UnixListener(UnixListener&&) = default;
    UnixListener& operator=(UnixListener&&) = delete;

    /// Removes the socket file if this object created it and it has not been replaced since.
    ~UnixListener();

    [[nodiscard]] int descriptor() const { return socket_.get(); }

    /// The socket's bound path.
    [[nodiscard]] std::filesystem::path path() const;

  private:
    [[nodiscard]] static Result<UnixListener> make(const std::filesystem::path& path);
    struct File {
        std::filesystem::path path;
        dev_t device = 0;
        ino_t inode = 0;
    };

    explicit UnixListener(FileDescriptor socket) : socket_(std::move(socket)) {}
    [[nodiscard]] Result<void> bind_to(const std::filesystem::path& path);

    FileDescriptor socket_;
    std::optional<File> file_;  ///< set if created here
};

/// Connects to the socket. Missing or Disconnected: no process listens there.
[[nodiscard]] Result<FileDescriptor> connect_to(const std::filesystem::path& path);

}  // namespace headgate::http
