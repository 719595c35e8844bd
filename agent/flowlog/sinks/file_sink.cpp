// SPDX-License-Identifier: GPL-2.0-or-later
#include "flowlog/sinks/file_sink.h"

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

#include "flowlog/sinks/socket_address.h"

namespace headgate::flowlog {
namespace {

/// Bytes per write, each under one lock.
constexpr std::size_t kFilePiece = 256 * 1024;

constexpr std::chrono::seconds kBetweenLooks{1};

/// The next lines, at least one.
std::string_view next_piece(const LineBlock& block, std::size_t first) {
    const auto lines = block.from(first);
    if (lines.size() <= kFilePiece) return lines;
    const auto end = lines.rfind('\n', kFilePiece - 1);
    return lines.substr(0, (end != std::string_view::npos ? end : lines.find('\n')) + 1);
}

}  // namespace

Result<Written> FileSink::write(const LineBlock& block, std::size_t first) {
    look_after();
    RETURN_IF_ERROR(open());
    const auto appended = file_->append(next_piece(block, first), kPatience);
    if (!appended) return fault(appended.error().number);
    Written written{.lines = block.lines_within(first, appended->bytes), .too_long = 0, .note = {}};
    if (appended->removed_torn) written.note = name_.native() + ": the last record was torn, and was taken off";
    return written;
}

Result<void> FileSink::open() {
    if (file_) return {};
    std::error_code ignored;
    if (std::filesystem::is_fifo(name_, ignored)) {
        // The reader of a pipe could block the thread forever.
        return tl::unexpected(Error{ErrorKind::Failed, name_.native() + ": is a pipe, not a file"});
    }
    ASSIGN_OR_RETURN(auto opened, AppendFile::open(name_, TornLine::Remove));
    file_.emplace(std::move(opened));
    return {};
}

void FileSink::look_after() {
    const auto now = std::chrono::steady_clock::now();
    if (now - looked_at_ < kBetweenLooks) return;
    looked_at_ = now;
    if (file_ && !file_->is_named(name_)) file_.reset();
}

}  // namespace headgate::flowlog
