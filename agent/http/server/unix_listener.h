// The Unix socket that the agent listens on: made here, or handed over by whoever started this process.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/result.h"

#include "files/file_descriptor.h"
#include "http/server/peer.h"

namespace headgate::http {

class UnixListener {
  public:
    /// Makes the socket, mode 0660 and of the group where there is one, and its folder where that is missing. One that
    /// a killed process left behind is replaced. EADDRINUSE where somebody listens there.
    [[nodiscard]] static Result<UnixListener> open(const std::filesystem::path& path, std::string_view group = kGroup);

    /// Takes over a socket that listens already. Its file is left to whoever made it.
    [[nodiscard]] static Result<UnixListener> adopt(FileDescriptor listening);

    UnixListener(UnixListener&&) = default;
    UnixListener& operator=(UnixListener&&) = delete;

    /// Removes the file that it made, unless another one stands there by now.
    ~UnixListener();

    [[nodiscard]] int descriptor() const { return socket_.get(); }

    /// The name that it is reached by.
    [[nodiscard]] std::filesystem::path path() const;

  private:
    [[nodiscard]] static Result<UnixListener> make(const std::filesystem::path& path, std::string_view group);
    struct File {
        std::filesystem::path path;
        dev_t device = 0;
        ino_t inode = 0;
    };

    explicit UnixListener(FileDescriptor socket) : socket_(std::move(socket)) {}
    [[nodiscard]] Result<void> bind_to(const std::filesystem::path& path, std::string_view group);

    FileDescriptor socket_;
    std::optional<File> file_;  ///< that it made
};

/// A connection to whoever listens there. ENOENT or ECONNREFUSED: nobody does.
[[nodiscard]] Result<FileDescriptor> connect_to(const std::filesystem::path& path);

}  // namespace headgate::http
