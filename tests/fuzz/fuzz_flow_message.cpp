// SPDX-License-Identifier: GPL-2.0-or-later
// Parses any bytes as messages, flows and keys from the kernel. Nothing outside of the bytes is read, and decoded flows
// can be printed and sent back.
#include <cstdlib>
#include <span>

#include "conntrack/ctnetlink_requests.h"
#include "conntrack/flow_message.h"
#include "flow/flow_json.h"
#include "netlink/messages.h"

namespace {

using namespace headgate;
using namespace headgate::conntrack;
using namespace headgate::netlink;

void decode(Bytes payload) {
    const auto message = FlowMessage::parse(payload);
    if (!message) return;
    const auto flow = message->decode();
    if (!flow) return;
    Flow updated = *flow;
    message->update(updated);
    if (updated != *flow) std::abort();
    fmt::memory_buffer out;
    append_flow_json(out, {*flow}, Moment{});
    RequestBatch batch;
    batch.add_delete(*flow, 1);
    batch.add_insert(*flow, 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes bytes = std::as_bytes(std::span{data, size});
    decode(bytes);
    Message message;
    for (MessageReader reader{bytes}; reader.next(message);) {
        static_cast<void>(message.error());
        decode(message.payload);
    }
    return 0;
}
