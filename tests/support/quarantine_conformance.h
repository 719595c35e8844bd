// SPDX-License-Identifier: GPL-2.0-or-later
// Requirements on every Quarantine. Instantiated with the in-memory one (unit tests) and nftables (kernel tests), so
// that the two behave alike.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "headgate/quarantine.h"

namespace headgate::testing {

inline QuarantineEntry quarantined(std::string_view prefix, std::chrono::seconds time = std::chrono::seconds{60}) {
    QuarantineEntry entry;
    entry.prefix = parse_prefix(prefix).value();
    entry.left = time;
    entry.by = "ada";
    return entry;
}

/// `Environment` has `Quarantine& quarantine()`, empty, `void pass(std::chrono::milliseconds)` that advances time,
/// `void flush_ruleset()` and `std::string reason_to_skip()`.
template <typename Environment>
class QuarantineConformance : public ::testing::Test {
  protected:
    void SetUp() override {
        if (const auto reason = environment_.reason_to_skip(); !reason.empty()) GTEST_SKIP() << reason;
    }

    Quarantine& quarantine() { return environment_.quarantine(); }

    void add(const std::vector<QuarantineEntry>& entries) {
        const auto added = quarantine().add(entries);
        ASSERT_TRUE(added.has_value()) << added.error().message;
    }

    std::vector<QuarantineEntry> entries() {
        const auto entries = quarantine().entries();
        EXPECT_TRUE(entries.has_value()) << entries.error().message;
        return entries.value_or(std::vector<QuarantineEntry>{});
    }

    std::vector<std::string> prefixes() {
        std::vector<std::string> texts;
        for (const auto& entry : entries())
            texts.push_back(to_string(entry.prefix));
        return texts;
    }

    static std::vector<Prefix> named(std::vector<std::string_view> texts) {
        std::vector<Prefix> prefixes;
        for (const auto text : texts)
            prefixes.push_back(parse_prefix(text).value());
        return prefixes;
    }

    using Texts = std::vector<std::string>;
    Environment environment_;
};

TYPED_TEST_SUITE_P(QuarantineConformance);

TYPED_TEST_P(QuarantineConformance, nothing_is_in_quarantine_at_first) {
    EXPECT_TRUE(this->entries().empty());
    EXPECT_EQ(this->quarantine().restore().value(), Restoration::NotNeeded);
}

TYPED_TEST_P(QuarantineConformance, an_entry_is_reported_as_it_was_added) {
    auto entry = quarantined("192.0.2.7");
    entry.action = QuarantineAction::Reject;
    entry.since = Timestamp{std::chrono::seconds{1'700'000'000}};
    entry.reason = "scans; \"ports\"";
    this->add({entry});
    EXPECT_EQ(this->entries(), std::vector{entry});
}

TYPED_TEST_P(QuarantineConformance, entries_of_both_families_are_listed_in_the_order_of_their_addition) {
    this->add({quarantined("2001:db8::/64"), quarantined("198.51.100.0/24")});
    this->add({quarantined("192.0.2.7"), quarantined("2001:db8:1::9")});
    EXPECT_EQ(this->prefixes(),
              (typename TestFixture::Texts{"2001:db8::/64", "198.51.100.0/24", "192.0.2.7", "2001:db8:1::9"}));
}

TYPED_TEST_P(QuarantineConformance, an_entry_ends_when_its_time_has_passed) {
    this->add({quarantined("192.0.2.7", std::chrono::seconds{1}), quarantined("192.0.2.8")});
    this->environment_.pass(std::chrono::milliseconds{1100});
    EXPECT_EQ(this->prefixes(), (typename TestFixture::Texts{"192.0.2.8"}));
}

TYPED_TEST_P(QuarantineConformance, an_address_that_was_in_quarantine_can_be_again) {
    this->add({quarantined("192.0.2.7", std::chrono::seconds{1})});
    this->environment_.pass(std::chrono::milliseconds{1100});
    this->add({quarantined("192.0.2.7")});
    EXPECT_EQ(this->prefixes(), (typename TestFixture::Texts{"192.0.2.7"}));
}

TYPED_TEST_P(QuarantineConformance, overlapping_prefixes_are_entries_of_their_own) {
    this->add({quarantined("10.0.0.0/8"), quarantined("10.1.0.0/16")});
    this->add({quarantined("10.1.2.3"), quarantined("0.0.0.0/0")});
    EXPECT_EQ(this->prefixes(), (typename TestFixture::Texts{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "0.0.0.0/0"}));
    ASSERT_TRUE(this->quarantine().remove(this->named({"10.1.0.0/16"})).has_value());
    EXPECT_EQ(this->prefixes(), (typename TestFixture::Texts{"10.0.0.0/8", "10.1.2.3", "0.0.0.0/0"}));
    this->add({quarantined("10.1.0.0/16")});
    for (const auto& entry : this->entries())
        EXPECT_TRUE(entry.is_in_force) << to_string(entry.prefix);
}

TYPED_TEST_P(QuarantineConformance, the_same_prefix_twice_is_an_error_and_adds_nothing) {
    this->add({quarantined("192.0.2.7")});
    const auto again = this->quarantine().add(std::vector{quarantined("192.0.2.8"), quarantined("192.0.2.7")});
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().kind, ErrorKind::Exists);
    EXPECT_EQ(this->prefixes(), (typename TestFixture::Texts{"192.0.2.7"}));
}

TYPED_TEST_P(QuarantineConformance, an_extended_entry_ends_later) {
    this->add({quarantined("192.0.2.7", std::chrono::seconds{1}), quarantined("192.0.2.8", std::chrono::seconds{1})});
    ASSERT_TRUE(this->quarantine().extend(this->named({"192.0.2.7"}), std::chrono::seconds{90}).has_value());
    this->environment_.pass(std::chrono::milliseconds{1100});
    ASSERT_EQ(this->prefixes(), (typename TestFixture::Texts{"192.0.2.7"}));
    EXPECT_EQ(this->entries().front().left, std::chrono::seconds{89});
}

TYPED_TEST_P(QuarantineConformance, an_unknown_prefix_is_an_error_and_changes_nothing) {
    this->add({quarantined("192.0.2.7")});
    const auto unknown = this->named({"192.0.2.7", "192.0.2.0/24"});
    const auto removed = this->quarantine().remove(unknown);
    const auto extended = this->quarantine().extend(unknown, std::chrono::seconds{90});
    ASSERT_FALSE(removed.has_value());
    ASSERT_FALSE(extended.has_value());
    EXPECT_EQ(removed.error().kind, ErrorKind::NotFound);
    EXPECT_EQ(extended.error().kind, ErrorKind::NotFound);
    EXPECT_EQ(this->entries().front().left, std::chrono::seconds{60});
}

TYPED_TEST_P(QuarantineConformance, what_another_program_removed_is_restored_for_the_time_that_is_left) {
    this->add({quarantined("192.0.2.7"), quarantined("192.0.2.0/24"), quarantined("2001:db8::/32")});
    this->environment_.flush_ruleset();
    EXPECT_FALSE(this->entries().front().is_in_force);
    this->environment_.pass(std::chrono::milliseconds{1100});
    EXPECT_EQ(this->quarantine().restore().value(), Restoration::Done);
    ASSERT_EQ(this->entries().size(), 3U);
    EXPECT_TRUE(this->entries().front().is_in_force);
    EXPECT_EQ(this->entries().front().left, std::chrono::seconds{59});
    EXPECT_EQ(this->quarantine().restore().value(), Restoration::NotNeeded);
}

TYPED_TEST_P(QuarantineConformance, the_last_entry_can_be_removed_and_another_one_added) {
    this->add({quarantined("192.0.2.7")});
    ASSERT_TRUE(this->quarantine().remove(this->named({"192.0.2.7"})).has_value());
    EXPECT_TRUE(this->entries().empty());
    this->add({quarantined("192.0.2.8")});
    EXPECT_EQ(this->prefixes(), (typename TestFixture::Texts{"192.0.2.8"}));
}

REGISTER_TYPED_TEST_SUITE_P(QuarantineConformance, nothing_is_in_quarantine_at_first,
                            an_entry_is_reported_as_it_was_added,
                            entries_of_both_families_are_listed_in_the_order_of_their_addition,
                            an_entry_ends_when_its_time_has_passed, an_address_that_was_in_quarantine_can_be_again,
                            overlapping_prefixes_are_entries_of_their_own,
                            the_same_prefix_twice_is_an_error_and_adds_nothing, an_extended_entry_ends_later,
                            an_unknown_prefix_is_an_error_and_changes_nothing,
                            what_another_program_removed_is_restored_for_the_time_that_is_left,
                            the_last_entry_can_be_removed_and_another_one_added);

}  // namespace headgate::testing
