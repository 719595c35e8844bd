// SPDX-License-Identifier: GPL-2.0-or-later
#include "http/server/peer.h"

#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace headgate::http {
namespace {

constexpr std::size_t kEntrySize = 16 * 1024;  // bytes, for a passwd or group entry

struct User {
    std::string name;
    gid_t group = 0;
};

User find_user(uid_t uid) {
    std::vector<char> room(kEntrySize);
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(uid, &entry, room.data(), room.size(), &found) != 0 || found == nullptr) return {};
    return {found->pw_name, found->pw_gid};
}

bool is_member(const User& user, gid_t group) {
    if (user.name.empty()) return false;
    int count = 64;
    std::vector<gid_t> groups(static_cast<std::size_t>(count));
    while (::getgrouplist(user.name.c_str(), user.group, groups.data(), &count) < 0) {
        // The count becomes the number of groups, on some systems less: grow in any case.
        groups.resize(std::max(static_cast<std::size_t>(count), 2 * groups.size()));
        count = static_cast<int>(groups.size());
    }
    groups.resize(static_cast<std::size_t>(count));
    return std::ranges::find(groups, group) != groups.end();
}

}  // namespace

std::optional<gid_t> find_group(std::string_view name) {
    // A group entry has its members' names, of which there may be any number.
    group entry{};
    group* found = nullptr;
    std::vector<char> room(kEntrySize);
    while (::getgrnam_r(std::string{name}.c_str(), &entry, room.data(), room.size(), &found) == ERANGE)
        room.resize(2 * room.size());
    return found == nullptr ? std::nullopt : std::optional{found->gr_gid};
}

Result<Peer> peer_of(int socket, std::string_view group) {
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return system_error(errno, "SO_PEERCRED");
    }
    const auto user = find_user(credentials.uid);
    Peer peer;
    peer.caller.face = "unix";
    peer.caller.uid = credentials.uid;
    peer.caller.user = user.name;
    peer.is_admitted = credentials.uid == 0 || credentials.uid == ::geteuid();
    if (peer.is_admitted) return peer;
    const auto admitted = find_group(group);
    peer.is_admitted = admitted && (credentials.gid == *admitted || is_member(user, *admitted));
    return peer;
}

}  // namespace headgate::http
