// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/destroy_listeners.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "daemon/log.h"
#include "files/file_identity.h"
#include "flow/flow_json.h"

namespace headgate::daemon {
namespace {

struct WatchedNamespace {
    netlink::NetworkNamespace where;
    flowlog::WatchedEndpoints endpoints;
};

/// The network namespaces of all endpoints, by cookie, and the last error of those that could not be opened.
struct Surroundings {
    std::map<std::uint64_t, WatchedNamespace> namespaces;
    std::string fault;
};

Surroundings look_around(const std::vector<gateway::Endpoints::Pointer>& endpoints) {
    Surroundings found;
    for (const auto& endpoint : endpoints) {
        auto where = endpoint->open_namespace();
        const auto cookie = where.and_then([](const auto& opened) { return opened.cookie(); });
        if (!cookie) {
            found.fault = cookie.error().message;
            continue;
        }
        auto& watched = found.namespaces[*cookie];
        watched.where = std::move(*where);
        watched.endpoints.push_back({{endpoint, &endpoint->names()}, endpoint->conntrack_zone()});
    }
    return found;
}

constexpr std::string_view kListensSince = "since ";
constexpr std::string_view kHeardUntil = "until ";
constexpr std::size_t kLongestLine = 256;

}  // namespace

bool DestroyListeners::update(const config::FlowLog& settings,
                              const std::vector<gateway::Endpoints::Pointer>& endpoints) {
    const auto wanted = flowlog::wanted_ends(settings);
    auto found = wanted ? look_around(endpoints) : Surroundings{};
    std::erase_if(listeners_, [&](const auto& each) { return !found.namespaces.contains(each.first); });
    for (auto& [cookie, watched] : found.namespaces) {
        auto listening = listen(watched.where, cookie, std::move(watched.endpoints), *wanted);
        if (!listening) found.fault = listening.error().message;
    }
    fault_.note("flow log", found.fault);
    return found.fault.empty();
}

Result<void> DestroyListeners::listen(const netlink::NetworkNamespace& where, std::uint64_t cookie,
                                      flowlog::WatchedEndpoints endpoints, conntrack::WantedEnds wanted) {
    if (const auto known = listeners_.find(cookie); known != listeners_.end()) {
        known->second->change(std::move(endpoints), wanted);
        return {};
    }
    ASSIGN_OR_RETURN(auto started, flowlog::DestroyListener::start(where, std::move(endpoints), wanted, log_));
    listeners_.emplace(cookie, std::move(started));
    return {};
}

std::string ListeningRecord::begin(Timestamp now) const {
    const auto before = read();
    write(fmt::format("{}{}", kListensSince, to_rfc3339(now)));
    if (before.starts_with(kHeardUntil)) {
        return fmt::format("no agent listened from {} to {}: flows that ended meanwhile have no record",
                           before.substr(kHeardUntil.size()), to_rfc3339(now));
    }
    if (!before.starts_with(kListensSince)) return {};
    return fmt::format(
        "no agent listened for a time before {}: the one that began at {} was killed or crashed. What it had not "
        "written, and flows that ended meanwhile, have no record",
        to_rfc3339(now), before.substr(kListensSince.size()));
}

void ListeningRecord::end(Timestamp now) const {
    write(fmt::format("{}{}", kHeardUntil, to_rfc3339(now)));
}

std::string ListeningRecord::read() const {
    const auto file = open_own_file(file_, O_RDONLY, 0);
    std::string line(kLongestLine, '\0');
    const auto got = file ? ::pread(file->get(), line.data(), line.size(), 0) : 0;
    line.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    line = line.substr(0, line.find('\n'));
    return line.substr(0, line.find_first_not_of("abcdefghijklmnopqrstuvwxyz 0123456789-:.TZ"));
}

/// Best effort: on failure only a log message is missing later.
void ListeningRecord::write(const std::string& text) const {
    const auto file = open_own_file(file_, O_WRONLY | O_CREAT, 0640);
    const auto line = text + '\n';
    if (!file || ::pwrite(file->get(), line.data(), line.size(), 0) != static_cast<ssize_t>(line.size())) return;
    static_cast<void>(::ftruncate(file->get(), static_cast<off_t>(line.size())));
}

}  // namespace headgate::daemon
