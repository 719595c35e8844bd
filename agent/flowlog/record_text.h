// SPDX-License-Identifier: GPL-2.0-or-later
// Building blocks of all record formats. Written by hand instead of with a JSON library: this runs for each flow that
// ends, hundreds of thousands of times a second.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "headgate/ended_flow.h"

namespace headgate::flowlog {

using Buffer = fmt::memory_buffer;

/// Writes a line made of many small pieces into a buffer, with copies inlined instead of a call for each. While it
/// exists, no other code may access the buffer.
class LineText {
  public:
    explicit LineText(fmt::memory_buffer& buffer) : buffer_(buffer) { find_room(); }
    ~LineText() { buffer_.resize(size()); }
    LineText(const LineText&) = delete;
    LineText& operator=(const LineText&) = delete;

    void append(std::string_view text) {
        std::memcpy(room(text.size()), text.data(), text.size());
        next_ += text.size();
    }
    void push_back(char c) {
        *room(1) = c;
        ++next_;
    }
    template <std::integral Number>
    void append(Number number) {
        char* const begin = room(kLongestNumber);
        next_ = std::to_chars(begin, begin + kLongestNumber, number).ptr;
    }
    /// `name` is the complete text before the number: `,"age":`.
    template <std::integral Number>
    void append(std::string_view name, Number number) {
        append(name);
        append(number);
    }

    /// Space for `size` characters; advance() commits those that were written.
    [[nodiscard]] char* room(std::size_t size) {
        if (static_cast<std::size_t>(end_ - next_) < size) [[unlikely]]
            grow(size);
        return next_;
    }
    void advance(std::size_t size) { next_ += size; }

  private:
    static constexpr std::size_t kLongestNumber = 20;

    [[nodiscard]] std::size_t size() const { return static_cast<std::size_t>(next_ - buffer_.data()); }
    void find_room() {
        next_ = buffer_.data() + buffer_.size();
        end_ = buffer_.data() + buffer_.capacity();
    }
    void grow(std::size_t more) {
        buffer_.resize(size());
        buffer_.reserve(std::max(size() + more, 2 * buffer_.capacity()));
        find_room();
    }

    fmt::memory_buffer& buffer_;
    char* next_ = nullptr;
    char* end_ = nullptr;
};

/// UTC with microseconds, as Suricata writes it: `2025-08-12T13:05:03.931841+0000`. Caches the text of the date,
/// because consecutive times are mostly on the same day.
class TimeText {
  public:
    void append_to(LineText& out, Timestamp time);

  private:
    std::chrono::sys_days day_ = std::chrono::sys_days::max();
    std::array<char, 11> date_{};  ///< text of `day_` up to the `T`
};

/// Start, end, age, state and reason of a flow.
class LifeText {
  public:
    /// `2025-08-12T13:05:03.931841+0000`, without quotes.
    void append_end(LineText& out, const EndedFlow& ended) { ends_.append_to(out, ended.ended_at); }

    /// `"start":"...","end":"...","age":4,"state":"closed","reason":"timeout","last_state":"CLOSED"`; unknown values
    /// are omitted, except the end, which is always known.
    void append_to(LineText& out, const EndedFlow& ended);

    /// The event that reports lost records, without the enclosing braces: `"timestamp":"...","event_type":"engine",...`
    void append_loss(Buffer& out, const LostFlows& lost);

  private:
    TimeText starts_;
    TimeText ends_;
};

/// Constant over the life of a flow. The lower 32 bits are the kernel's id of the entry, the 21 bits above them the
/// lower bits of the microsecond of its start (0 if unknown): below 2^53, so that every JSON reader keeps it exactly
/// (RFC 8259, section 6).
[[nodiscard]] std::uint64_t flow_id(const Flow& flow);

/// `"src_ip":"10.0.1.2","src_port":40000,"dest_ip":"10.0.2.2","dest_port":80`; without ports if the protocol has none.
void append_ends(LineText& out, const FlowTuple& tuple);

/// append_ends(), then `,"proto":"TCP"`, for ICMP `,"icmp_type":8,"icmp_code":0`, and `,"ip_v":4`.
void append_tuple(LineText& out, const FlowTuple& tuple);

/// `,"community_id":"1:..."`; nothing if `id` is empty.
void append_community_id(LineText& out, std::string_view id);

/// `,"tcp":{"state":"time_wait"}`; nothing if the protocol has no state or the kernel did not report it.
void append_protocol_state(LineText& out, const Flow& flow);

/// `,"nat":{...}`; nothing if `after` equals `before`.
void append_nat(LineText& out, const FlowTuple& before, const FlowTuple& after);

/// `,"mark":5,"zone":7`
void append_mark_and_zone(LineText& out, const Flow& flow);

/// Origin of a record: `,"headgate":{"firewall":"edge",...}`. Caches the text while the origin stays the same.
class Provenance {
  public:
    void append_to(LineText& out, const EndedFlow& ended);

  private:
    void compose(const EndedFlow& ended);

    std::shared_ptr<const Endpoint> endpoint_;
    std::shared_ptr<const FlushAttribution> flush_;
    std::shared_ptr<const ExternalDelete> foreign_;
    bool flushed_ = false;
    Buffer text_;
};

}  // namespace headgate::flowlog
