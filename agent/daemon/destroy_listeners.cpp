// SPDX-License-Identifier: GPL-2.0-or-later
#include "daemon/destroy_listeners.h"

#include "daemon/log.h"

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
    if (!found.fault.empty() && found.fault != told_) log_error("flow log: {}", found.fault);
    told_ = found.fault;
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

}  // namespace headgate::daemon
