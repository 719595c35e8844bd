// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/ruleset_watch.h"

#include <gtest/gtest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "netlink/request_buffer.h"

namespace headgate::midstream {
namespace ruleset_watch_test {

/// Notifications as nf_tables sends them: several messages in one datagram.
class Notifications {
  public:
    /// In all relevant messages the table's name is attribute 1 (include/uapi/linux/netfilter/nf_tables.h).
    Notifications& add(int message, const std::string& table, std::uint8_t family = NFPROTO_INET) {
        auto* const header = begin(message, family);
        mnl_attr_put_u32(header, NFTA_TABLE_USE, 7);
        mnl_attr_put_strz(header, NFTA_TABLE_NAME, table.c_str());
        buffer_.end(header);
        return *this;
    }
    Notifications& add_generation() {
        buffer_.end(begin(NFT_MSG_NEWGEN, NFPROTO_UNSPEC));
        return *this;
    }

    [[nodiscard]] std::vector<std::byte> datagram() const { return {buffer_.bytes().begin(), buffer_.bytes().end()}; }
    [[nodiscard]] bool reports_change() const { return midstream::reports_change(buffer_.bytes()); }

  private:
    nlmsghdr* begin(int message, std::uint8_t family) {
        const auto type = static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | message);
        return buffer_.begin({.type = type, .family = family}, 512);
    }

    netlink::RequestBuffer buffer_;
};

TEST(RulesetNotification, about_our_table_its_chains_or_rules_is_a_change) {
    constexpr int kDestroyTable = 26;
    constexpr int kDestroyRule = 28;
    for (const int message :
         {int{NFT_MSG_NEWTABLE}, int{NFT_MSG_DELTABLE}, int{NFT_MSG_NEWCHAIN}, int{NFT_MSG_DELCHAIN},
          int{NFT_MSG_NEWRULE}, int{NFT_MSG_DELRULE}, kDestroyTable, kDestroyRule}) {
        EXPECT_TRUE(Notifications{}.add(message, "headgate").reports_change()) << message;
    }
}

TEST(RulesetNotification, about_the_quarantines_table_is_one) {
    EXPECT_TRUE(Notifications{}.add(NFT_MSG_DELTABLE, "headgate_quarantine").reports_change());
}

TEST(RulesetNotification, about_elements_counters_or_a_generation_is_none) {
    for (const int message : {NFT_MSG_NEWSETELEM, NFT_MSG_DELSETELEM, NFT_MSG_NEWOBJ, NFT_MSG_NEWSET})
        EXPECT_FALSE(Notifications{}.add(message, "headgate").reports_change()) << message;
    EXPECT_FALSE(Notifications{}.add_generation().reports_change());
}

TEST(RulesetNotification, about_another_table_is_none) {
    for (const auto* table : {"filter", "headgate2", "headgat", ""})
        EXPECT_FALSE(Notifications{}.add(NFT_MSG_DELTABLE, table).reports_change()) << table;
    EXPECT_FALSE(Notifications{}.add(NFT_MSG_DELTABLE, "headgate", NFPROTO_IPV4).reports_change());
}

TEST(RulesetNotification, counts_wherever_it_stands_in_its_datagram) {
    Notifications notifications;
    notifications.add(NFT_MSG_DELTABLE, "filter").add(NFT_MSG_NEWSETELEM, "headgate");
    EXPECT_FALSE(notifications.reports_change());
    EXPECT_TRUE(notifications.add(NFT_MSG_DELRULE, "headgate").add_generation().reports_change());
}

TEST(RulesetNotification, that_is_cut_short_may_hide_a_change) {
    const auto whole = Notifications{}.add(NFT_MSG_DELTABLE, "filter").datagram();
    EXPECT_FALSE(reports_change(whole));
    for (std::size_t length = 1; length < whole.size(); ++length) {
        const std::vector<std::byte> part{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(length)};
        EXPECT_TRUE(reports_change(part)) << length;
    }
    EXPECT_FALSE(reports_change({}));
}

/// A copy of the bytes that ends where readable memory ends: a read beyond it ends the process.
class BoundedBytes {
  public:
    explicit BoundedBytes(const std::vector<std::byte>& bytes) : size_(bytes.size()) {
        pages_ = ::mmap(nullptr, 2 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        EXPECT_NE(pages_, MAP_FAILED);
        EXPECT_EQ(::mprotect(static_cast<std::byte*>(pages_) + kPage, kPage, PROT_NONE), 0);
        EXPECT_LE(size_, kPage);
        std::ranges::copy(bytes, span().begin());
    }
    ~BoundedBytes() { ::munmap(pages_, 2 * kPage); }
    BoundedBytes(const BoundedBytes&) = delete;
    BoundedBytes& operator=(const BoundedBytes&) = delete;

    [[nodiscard]] std::span<std::byte> span() const { return {static_cast<std::byte*>(pages_) + kPage - size_, size_}; }

  private:
    static inline const auto kPage = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

    std::size_t size_;
    void* pages_ = nullptr;
};

TEST(RulesetNotification, with_any_byte_changed_is_read_within_its_bounds) {
    const BoundedBytes datagram{
        Notifications{}.add(NFT_MSG_DELTABLE, "filter").add(NFT_MSG_DELRULE, "headgate").datagram()};
    for (auto& byte : datagram.span()) {
        for (const int value : {0, 1, 3, 15, 127, 255}) {
            const auto before = std::exchange(byte, static_cast<std::byte>(value));
            static_cast<void>(reports_change(datagram.span()));
            byte = before;
        }
    }
    EXPECT_TRUE(reports_change(datagram.span())) << "unchanged again";
}

}  // namespace ruleset_watch_test
}  // namespace headgate::midstream
