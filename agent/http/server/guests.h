// The connections of a server: who is there, who goes when there are too many, and whose time is over.
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

/// One connection. Until its first bytes come it is a socket and nothing else.
struct Guest {
    FileDescriptor socket;                   ///< until it is taken up
    std::unique_ptr<Connection> connection;  ///< from then on
    int descriptor = -1;
    Terms terms;
    std::string neighbourhood;  ///< that it comes from; empty: from this machine
    Deadline arrived;

    Phase phase = Phase::Idle;
    short event = 0;            ///< that it waits for: POLLIN or POLLOUT
    Deadline since;             ///< of this phase
    Deadline until;             ///< its time is over
    std::size_t held = 0;       ///< bytes of memory
    bool is_at_work = false;    ///< a thread has it in hand
    bool was_answered = false;  ///< once
    bool is_last = false;       ///< no more requests are taken from it
    bool is_expired = false;
};

/// Not thread-safe. Those that a thread has in hand are never taken out but by its id.
class Guests {
  public:
    using Id = std::uint64_t;

    /// Its id, which no other one has later.
    Id add(Guest guest);

    /// Null where it is gone.
    [[nodiscard]] Guest* find(Id id);

    [[nodiscard]] Guest& at(Id id) { return guests_.at(id); }
    [[nodiscard]] const Guest& at(Id id) const { return guests_.at(id); }

    [[nodiscard]] Guest take(Id id);

    /// The one that makes room for another: of a neighbourhood, or of all where that is empty. It is the one that has
    /// been without a request for longest, unless it has just sent something; then the one that has taken nothing of
    /// its answer for longest.
    [[nodiscard]] std::optional<Guest> take_to_make_room(std::string_view neighbourhood);

    /// The oldest that keeps memory while it waits for its client.
    [[nodiscard]] std::optional<Guest> take_oldest_holder();

    /// All that nothing of a request has come from, and that are to end with the request in hand.
    [[nodiscard]] std::vector<Guest> take_idle_last();

    /// All that wait for their client, and not for it to take an answer.
    [[nodiscard]] std::vector<Guest> take_without_request();

    /// Those whose time is over. Who has something to be told is woken instead, by the end of what comes or goes.
    [[nodiscard]] std::vector<Guest> take_expired(Deadline now);

    /// When the next one's time is over; the end of time where there is none.
    [[nodiscard]] Deadline next_expiry() const;

    [[nodiscard]] std::size_t count() const { return guests_.size(); }
    [[nodiscard]] std::size_t count_from(std::string_view neighbourhood) const;
    [[nodiscard]] std::size_t count_answering() const;
    [[nodiscard]] std::size_t held() const { return held_; }

    /// What a thread has left behind.
    void set_held(Guest& guest, std::size_t bytes);

    template <typename Work>
    void for_each(const Work& work) {
        for (auto& [id, guest] : guests_)
            work(guest);
    }

  private:
    template <typename Condition>
    std::vector<Guest> take_all(const Condition& condition);
    template <typename Condition>
    std::optional<Guest> take_first(Deadline Guest::*by, const Condition& condition);

    std::map<Id, Guest> guests_;
    Id last_ = 0;
    std::size_t held_ = 0;
};

}  // namespace headgate::http
