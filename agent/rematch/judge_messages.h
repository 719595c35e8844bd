// SPDX-License-Identifier: GPL-2.0-or-later
// The messages between an agent and its judge, over a stream socket: a type, a length, and packed values. The judge
// answers each request in order, and ends when the stream does.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "headgate/judge.h"
#include "headgate/result.h"

#include "rematch/packed_message.h"
#include "rematch/probe.h"
#include "rematch/snapshot.h"

namespace headgate::rematch {

enum class MessageType : std::uint32_t {
    Prepare,   ///< a snapshot and perhaps a candidate; answered by Prepared
    Prepared,  ///< warnings
    Ask,       ///< questions; answered by Verdicts
    Verdicts,
    Fault,  ///< an error, in place of either answer
};

struct JudgeMessage {
    MessageType type{};
    ByteString payload;
};

[[nodiscard]] Result<void> send_message(int socket, MessageType type, netlink::Bytes payload);

/// Waits for the next message. Disconnected: the stream has ended.
[[nodiscard]] Result<JudgeMessage> receive_message(int socket);

struct Preparation {
    Snapshot snapshot;
    std::optional<std::string> candidate;
};

// Packed values may come from anyone: Damaged if they are cut short or make no sense.

[[nodiscard]] ByteString pack_preparation(const Preparation& preparation);
[[nodiscard]] Result<Preparation> unpack_preparation(netlink::Bytes payload);

[[nodiscard]] ByteString pack_texts(std::span<const std::string> texts);
[[nodiscard]] Result<std::vector<std::string>> unpack_texts(netlink::Bytes payload);

[[nodiscard]] ByteString pack_questions(std::span<const Question> questions);
[[nodiscard]] Result<std::vector<Question>> unpack_questions(netlink::Bytes payload);

[[nodiscard]] ByteString pack_verdicts(std::span<const FlowVerdict> verdicts);
[[nodiscard]] Result<std::vector<FlowVerdict>> unpack_verdicts(netlink::Bytes payload);

[[nodiscard]] ByteString pack_error(const Error& error);
[[nodiscard]] Result<Error> unpack_error(netlink::Bytes payload);

}  // namespace headgate::rematch
