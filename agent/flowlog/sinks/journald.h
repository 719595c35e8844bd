// SPDX-License-Identifier: GPL-2.0-or-later
// Sends records to systemd's journal by its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL).
#pragma once

#include <filesystem>
#include <memory>

#include "flowlog/sink.h"

namespace headgate::flowlog {

inline constexpr const char* kJournalSocket = "/run/systemd/journal/socket";

[[nodiscard]] std::unique_ptr<Sink> make_journald_sink(const std::filesystem::path& socket = kJournalSocket);

}  // namespace headgate::flowlog
