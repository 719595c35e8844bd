// SPDX-License-Identifier: GPL-2.0-or-later
#include "netlink/request_buffer.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>

#include <cstring>

namespace headgate::netlink {

nlmsghdr* RequestBuffer::begin(const RequestHeader& header, std::size_t longest) {
    if (buffer_.size() < used_ + longest) buffer_.resize(2 * used_ + longest);
    last_ = used_;
    nlmsghdr* const message = mnl_nlmsg_put_header(buffer_.data() + used_);
    message->nlmsg_type = header.type;
    message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | header.flags);
    message->nlmsg_seq = header.sequence;
    auto* const generic = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
    generic->nfgen_family = header.family;
    generic->version = NFNETLINK_V0;
    generic->res_id = htons(header.resource);
    return message;
}

void RequestBuffer::end(const nlmsghdr* message) {
    used_ += MNL_ALIGN(message->nlmsg_len);
    ++count_;
}

void RequestBuffer::acknowledge_last() {
    if (count_ == 0) return;
    nlmsghdr header{};
    std::memcpy(&header, buffer_.data() + last_, sizeof header);
    header.nlmsg_flags |= NLM_F_ACK;
    std::memcpy(buffer_.data() + last_, &header, sizeof header);
}

void RequestBuffer::number_all(std::uint32_t sequence) {
    nlmsghdr header{};
    for (std::size_t at = 0; at < used_; at += MNL_ALIGN(header.nlmsg_len)) {
        std::memcpy(&header, buffer_.data() + at, sizeof header);
        header.nlmsg_seq = sequence;
        std::memcpy(buffer_.data() + at, &header, sizeof header);
    }
}

void RequestBuffer::clear() noexcept {
    used_ = 0;
    last_ = 0;
    count_ = 0;
}

}  // namespace headgate::netlink
