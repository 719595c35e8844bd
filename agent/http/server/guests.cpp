// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/guests.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <functional>

namespace headgate::http {
namespace {

bool waits_without_request(const Guest& guest) {
    return !guest.is_at_work && guest.rest.phase != Phase::Answering;
}

/// Whether there is no unread input.
bool is_silent(const Guest& guest) {
    pollfd asked{guest.descriptor, POLLIN, 0};
    return ::poll(&asked, 1, 0) == 0;
}

/// Whether a response or a log record is due, which takes a thread.
bool needs_response(const Guest& guest) {
    return guest.connection && (guest.rest.phase == Phase::Arriving || guest.rest.phase == Phase::Answering);
}

/// Makes the awaited event fire (poll(2): POLLIN, or POLLHUP), so that a worker ends the connection.
void wake_at_end(Guest& guest) {
    guest.is_expired = true;
    guest.rest.until = Deadline::max();
    const bool can_be_answered = guest.rest.phase == Phase::Arriving && guest.rest.event == POLLIN;
    ::shutdown(guest.descriptor, can_be_answered ? SHUT_RD : SHUT_RDWR);
}

}  // namespace

Guests::Id Guests::add(Guest guest) {
    guests_.emplace_hint(guests_.end(), ++last_, std::move(guest));
    return last_;
}

Guest* Guests::find(Id id) {
    const auto found = guests_.find(id);
    return found == guests_.end() ? nullptr : &found->second;
}

Guest Guests::remove(Id id) {
    auto node = guests_.extract(id);
    held_ -= node.mapped().rest.held;
    return std::move(node.mapped());
}

template <typename Condition>
std::vector<Guest> Guests::remove_all(const Condition& condition) {
    std::vector<Id> ids;
    for (auto& [id, guest] : guests_)
        if (condition(guest)) ids.push_back(id);
    std::vector<Guest> removed;
    removed.reserve(ids.size());
    for (const auto id : ids)
        removed.push_back(remove(id));
    return removed;
}

template <typename By, typename Condition>
std::optional<Guest> Guests::remove_first(const By& by, const Condition& condition) {
    std::optional<std::pair<Deadline, Id>> first;
    for (const auto& [id, guest] : guests_) {
        const std::pair moment{std::invoke(by, guest), id};
        if ((!first || moment < *first) && !guest.is_at_work && condition(guest)) first = moment;
    }
    if (!first) return std::nullopt;
    return remove(first->second);
}

std::optional<Guest> Guests::remove_to_make_room(std::string_view neighbourhood) {
    const auto is_meant = [&](const Guest& guest) {
        return neighbourhood.empty() || guest.neighbourhood == neighbourhood;
    };
    auto removed = remove_first(&Guest::since, [&](const Guest& guest) {
        return is_meant(guest) && waits_without_request(guest) && is_silent(guest);
    });
    if (removed) return removed;
    return remove_first([](const Guest& guest) { return guest.rest.until; },
                        [&](const Guest& guest) { return is_meant(guest) && guest.rest.phase == Phase::Answering; });
}

std::optional<Guest> Guests::remove_oldest_holder() {
    return remove_first(&Guest::since, [](const Guest& guest) { return guest.rest.held != 0; });
}

std::vector<Guest> Guests::remove_idle_last() {
    return remove_all(
        [](const Guest& guest) { return !guest.is_at_work && guest.is_last && guest.rest.phase == Phase::Idle; });
}

std::vector<Guest> Guests::remove_without_request() {
    return remove_all(waits_without_request);
}

std::vector<Guest> Guests::remove_expired(Deadline now) {
    return remove_all([&](Guest& guest) {
        if (guest.is_at_work || guest.rest.until > now) return false;
        if (!needs_response(guest)) return true;
        wake_at_end(guest);
        return false;
    });
}

Deadline Guests::next_expiry() const {
    auto next = Deadline::max();
    for (const auto& [id, guest] : guests_)
        if (!guest.is_at_work) next = std::min(next, guest.rest.until);
    return next;
}

std::size_t Guests::count_from(std::string_view neighbourhood) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(guests_, [&](const auto& each) { return each.second.neighbourhood == neighbourhood; }));
}

std::size_t Guests::count_answering() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(guests_, [](const auto& each) { return each.second.rest.phase == Phase::Answering; }));
}

void Guests::set_rest(Guest& guest, const Rest& rest) {
    if (rest.phase != guest.rest.phase) guest.since = std::chrono::steady_clock::now();
    held_ = held_ - guest.rest.held + rest.held;
    guest.rest = rest;
}

}  // namespace headgate::http
