// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/dump_stream.h"

#include <utility>

#include "conntrack/ctnetlink_requests.h"
#include "netlink/messages.h"
#include "threads/start_thread.h"

namespace headgate::conntrack {
namespace {

/// Enough to bridge a pause of the consumer, few enough to stay in the cache.
constexpr std::size_t kBuffersPerDump = 8;

/// Whether the piece has the last message of a dump, or of a refused one (af_netlink.c, netlink_dump_done).
bool ends_dump(netlink::Bytes piece) {
    netlink::Message message;
    for (netlink::MessageReader reader{piece}; reader.next(message);) {
        if (message.header.nlmsg_type == NLMSG_DONE || message.header.nlmsg_type == NLMSG_ERROR) return true;
    }
    return false;
}

}  // namespace

Result<netlink::Socket> begin_dump(const SocketSource& open_socket, const KernelFilter& filter) {
    ASSIGN_OR_RETURN(auto socket, open_socket());
    RequestBatch request;
    request.add_dump(filter, kDumpSequence);
    RETURN_IF_ERROR(socket.send(request.bytes()));
    return socket;
}

DumpStream::DumpStream(std::vector<netlink::Socket> dumps)
    : free_(dumps.size() * kBuffersPerDump, Buffer(netlink::kDumpBuffer)), dumps_(std::move(dumps)) {}

Result<void> DumpStream::start() {
    readers_.reserve(dumps_.size());
    for (auto& dump : dumps_) {
        {
            const std::lock_guard lock{mutex_};
            ++running_;
        }
        auto reader = start_thread(
            "reading the flow table",
            [this, &dump] {
                read(dump);
                end_reader(std::nullopt);
            },
            [this](const Error& fault) { end_reader(fault); });
        if (!reader) {
            end_reader(std::nullopt);
            return tl::unexpected(std::move(reader.error()));
        }
        readers_.push_back(std::move(*reader));
    }
    return {};
}

DumpStream::~DumpStream() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    free_changed_.notify_all();
    readers_.clear();
}

void DumpStream::end_reader(std::optional<Error> fault) {
    const std::lock_guard lock{mutex_};
    if (fault) fault_ = std::move(fault);
    --running_;
    filled_changed_.notify_one();
}

Result<std::optional<netlink::Bytes>> DumpStream::next() {
    std::unique_lock lock{mutex_};
    if (!shown_.empty()) {
        free_.push_back(std::move(shown_));
        shown_.clear();
        free_changed_.notify_one();
    }
    filled_changed_.wait(lock, [this] { return !filled_.empty() || running_ == 0 || fault_; });
    if (fault_) return tl::unexpected(*fault_);
    if (filled_.empty()) return std::nullopt;
    auto [buffer, piece] = std::move(filled_.front());
    filled_.pop_front();
    shown_ = std::move(buffer);  // the piece refers to the vector's memory, which moves along
    if (!piece) return tl::unexpected(std::move(piece.error()));
    return *piece;
}

void DumpStream::read(netlink::Socket& dump) {
    for (bool go_on = true; go_on;) {
        auto buffer = wait_for_buffer();
        if (!buffer) break;
        const auto piece = dump.receive(*buffer);
        const bool last = !piece || ends_dump(*piece);
        go_on = hand_over(std::move(*buffer), piece) && !last;
    }
}

/// Waits for a free buffer; returns none if the stream is stopping.
std::optional<DumpStream::Buffer> DumpStream::wait_for_buffer() {
    std::unique_lock lock{mutex_};
    free_changed_.wait(lock, [this] { return !free_.empty() || stopping_; });
    if (stopping_) return std::nullopt;
    Buffer buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
}

/// Returns whether the stream still accepts pieces.
bool DumpStream::hand_over(Buffer buffer, const Result<netlink::Bytes>& piece) {
    const std::lock_guard lock{mutex_};
    filled_.emplace_back(std::move(buffer), piece);
    filled_changed_.notify_one();
    return !stopping_;
}

}  // namespace headgate::conntrack
