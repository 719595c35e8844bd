// What the records of every format are made of. Written by hand rather than by a JSON library: this is done for each
// flow that ends, hundreds of thousands of times a second.
#pragma once

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/ended_flow.h"

#include "flowlog/line_text.h"

namespace headgate::flowlog {

using Buffer = fmt::memory_buffer;

/// UTC with microseconds, as Suricata writes it: `2025-08-12T13:05:03.931841+0000`. Times that are told one after the
/// other are mostly of the same day: its text is kept.
class TimeText {
  public:
    void append_to(LineText& out, Timestamp time);

  private:
    std::chrono::sys_days day_ = std::chrono::sys_days::max();
    std::array<char, 11> date_{};  ///< of that day, up to the `T`
};

/// When a flow began and ended, and how.
class LifeText {
  public:
    /// `2025-08-12T13:05:03.931841+0000`, without quotes.
    void append_end(LineText& out, const EndedFlow& ended) { ends_.append_to(out, ended.ended_at); }

    /// `"start":"...","end":"...","age":4,"state":"closed","reason":"timeout","last_state":"CLOSED"`, as far as it is
    /// known: the end is.
    void append_to(LineText& out, const EndedFlow& ended);

    /// The event that tells of lost records, without the braces around it:
    /// `"timestamp":"...","event_type":"engine",...`
    void append_loss(Buffer& out, const LostFlows& lost);

  private:
    TimeText starts_;
    TimeText ends_;
};

/// The same during the whole life of a flow. Its lower 32 bits are the kernel's id of the entry, those above them the
/// lower 21 of the microsecond in which it began: below 2^53, so that every reader of JSON keeps it (RFC 8259, section
/// 6).
[[nodiscard]] std::uint64_t flow_id(const Flow& flow);

/// `"src_ip":"10.0.1.2","src_port":40000,"dest_ip":"10.0.2.2","dest_port":80`: ports where the protocol has some.
void append_ends(LineText& out, const FlowTuple& tuple);

/// append_ends(), and `,"proto":"TCP"`, `,"icmp_type":8,"icmp_code":0` where there are such, `,"ip_v":4`.
void append_tuple(LineText& out, const FlowTuple& tuple);

/// `,"community_id":"1:..."`, where there is one.
void append_community_id(LineText& out, std::string_view id);

/// `,"tcp":{"state":"time_wait"}`, where the protocol has a state and the kernel told it.
void append_protocol_state(LineText& out, const Flow& flow);

/// `,"nat":{...}` where `after` is not what the record says already.
void append_nat(LineText& out, const FlowTuple& before, const FlowTuple& after);

/// `,"mark":5,"zone":7`
void append_mark_and_zone(LineText& out, const Flow& flow);

/// What the log is part of: `,"headgate":{"firewall":"edge",...}`. The text is kept for as long as it is the same.
class Provenance {
  public:
    void append_to(LineText& out, const EndedFlow& ended);

  private:
    void compose(const EndedFlow& ended);

    std::shared_ptr<const Endpoint> endpoint_;
    std::shared_ptr<const FlushNote> flush_;
    std::shared_ptr<const ForeignFlush> foreign_;
    bool flushed_ = false;
    Buffer text_;
};

}  // namespace headgate::flowlog
