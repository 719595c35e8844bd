// SPDX-License-Identifier: GPL-2.0-or-later
// The open connections of a server: which exist, which are closed when there are too many, and which have timed out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "files/file_descriptor.h"
#include "http/server/connection.h"
#include "http/server/listener.h"

namespace headgate::http {

/// One connection. Until its first bytes arrive it is only a socket.
struct Guest {
    FileDescriptor socket;                   ///< until `connection` takes it over
    std::unique_ptr<Connection> connection;  ///< from the first bytes on
    int descriptor = -1;
    Terms terms;
    std::string neighbourhood;  ///< peer's IPv4 address or IPv6 /64; empty for loopback and Unix sockets
    Deadline arrived;

    Rest rest;
    Deadline since;             ///< start of the phase
    bool is_at_work = false;    ///< a worker thread is using it
    bool was_answered = false;  ///< at least once
    bool is_last = false;       ///< closes after the current request
    bool is_expired = false;
};

/// Not thread-safe. Connections in use by a worker are removed only by id.
class Guests {
  public:
    using Id = std::uint64_t;

    /// Returns an id that is never reused.
    Id add(Guest guest);

    /// Null where it no longer exists.
    [[nodiscard]] Guest* find(Id id);

    [[nodiscard]] Guest& at(Id id) { return guests_.at(id); }
    [[nodiscard]] const Guest& at(Id id) const { return guests_.at(id); }

    [[nodiscard]] Guest remove(Id id);

    /// Removes a connection to make room for another: from this neighbourhood, or from all if empty. Chosen is the one
    /// longest without a request, unless it has unread input; otherwise the one longest without accepting bytes of its
    /// response.
    [[nodiscard]] std::optional<Guest> remove_to_make_room(std::string_view neighbourhood);

    /// The one that has held memory for longest while waiting for its client.
    [[nodiscard]] std::optional<Guest> remove_oldest_holder();

    /// Removes all idle connections that are marked `is_last`.
    [[nodiscard]] std::vector<Guest> remove_idle_last();

    /// Removes all that wait for their client and have no response to send.
    [[nodiscard]] std::vector<Guest> remove_without_request();

    /// Removes those past their deadline; but wakes, by shutdown(2), one that needs a response or a log record.
    [[nodiscard]] std::vector<Guest> remove_expired(Deadline now);

    /// The earliest deadline; Deadline::max() where there is none.
    [[nodiscard]] Deadline next_expiry() const;

    [[nodiscard]] std::size_t count() const { return guests_.size(); }
    [[nodiscard]] std::size_t count_from(std::string_view neighbourhood) const;
    [[nodiscard]] std::size_t count_answering() const;
    [[nodiscard]] std::size_t held() const { return held_; }

    /// Records what a connection waits for.
    void set_rest(Guest& guest, const Rest& rest);

    template <typename Work>
    void for_each(const Work& work) {
        for (auto& [id, guest] : guests_)
            work(guest);
    }

  private:
    template <typename Condition>
    std::vector<Guest> remove_all(const Condition& condition);
    template <typename By, typename Condition>
    std::optional<Guest> remove_first(const By& by, const Condition& condition);

    std::map<Id, Guest> guests_;
    Id last_ = 0;
    std::size_t held_ = 0;
};

}  // namespace headgate::http
