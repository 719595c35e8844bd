// SPDX-License-Identifier: GPL-2.0-or-later
// The reference: requests a dump of the whole table, receives and discards it. No program that reads conntrack over
// netlink can be faster. Prints the number of bytes received.
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstdio>

int main() {
    struct Request {
        nlmsghdr header{};
        nfgenmsg generic{};
    } request;
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
    if (fd < 0 || send(fd, &request, sizeof request, 0) < 0) {
        std::perror("discard_dump");
        return 1;
    }
    alignas(nlmsghdr) static char buffer[32 * 1024];
    std::uint64_t bytes = 0;
    for (;;) {
        const ssize_t size = recv(fd, buffer, sizeof buffer, 0);
        if (size <= 0) {
            std::perror("discard_dump");
            return 1;
        }
        bytes += static_cast<std::uint64_t>(size);
        const auto* const first = reinterpret_cast<const nlmsghdr*>(buffer);
        if (first->nlmsg_type == NLMSG_ERROR) return 1;
        if (first->nlmsg_type == NLMSG_DONE) break;
    }
    std::printf("%llu\n", static_cast<unsigned long long>(bytes));
    return 0;
}
