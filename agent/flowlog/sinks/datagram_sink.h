// SPDX-License-Identifier: GPL-2.0-or-later
// Sends one datagram per record.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "headgate/result.h"

#include "files/file_descriptor.h"
#include "flowlog/line_block.h"
#include "flowlog/sinks/sink.h"
#include "flowlog/sinks/socket_address.h"

namespace headgate::flowlog {

/// The text before and after each record.
struct Envelope {
    std::function<std::string()> before;  ///< called once per write; null: nothing
    std::string_view after;
};

class DatagramSink final : public Sink {
  public:
    DatagramSink(SocketAddress to, Envelope envelope) : to_(std::move(to)), envelope_(std::move(envelope)) {}

    [[nodiscard]] Result<Written> write(const LineBlock& block, std::size_t first) override;
    void reopen() override { socket_ = FileDescriptor{}; }

  private:
    [[nodiscard]] Result<void> connect();

    SocketAddress to_;
    Envelope envelope_;
    FileDescriptor socket_;
};

inline constexpr const char* kJournalSocket = "/run/systemd/journal/socket";

/// Sends to systemd's journal by its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL).
[[nodiscard]] std::unique_ptr<Sink> make_journald_sink(const std::filesystem::path& socket = kJournalSocket);

}  // namespace headgate::flowlog
