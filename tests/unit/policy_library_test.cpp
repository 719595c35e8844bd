// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/policy_library.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace headgate::midstream {
namespace policy_library_test {

using headgate::testing::TemporaryFolder;

constexpr auto kDrop = "stream_exception_policy: drop\n";
constexpr auto kReject = "stream_exception_policy: reject\n";

class PolicyLibrary : public ::testing::Test {
  protected:
    [[nodiscard]] std::string error_of(std::string_view name) const {
        const auto policy = find_policy(name, folders_);
        return policy ? "" : policy.error().message;
    }
    [[nodiscard]] std::vector<std::string> listed_names() const {
        std::vector<std::string> names;
        for (const auto& entry : list_policies(folders_))
            names.push_back(entry.name);
        return names;
    }

    TemporaryFolder files_;
    std::vector<std::filesystem::path> folders_ = {files_.path("own"), files_.path("shipped")};
};

TEST_F(PolicyLibrary, finds_a_policy_by_name_in_any_folder) {
    files_.write("own/mine.yaml", kReject);
    files_.write("shipped/drop.yaml", kDrop);
    EXPECT_EQ(find_policy("mine", folders_).value().exception, StreamException::Reject);
    EXPECT_EQ(find_policy("drop", folders_).value().name, "drop");
}

TEST_F(PolicyLibrary, prefers_the_earlier_folder) {
    files_.write("own/drop.yaml", kReject);
    files_.write("shipped/drop.yaml", kDrop);
    EXPECT_EQ(find_policy("drop", folders_).value().exception, StreamException::Reject);
    const auto entries = list_policies(folders_);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].file, files_.path("own/drop.yaml"));
}

TEST_F(PolicyLibrary, does_not_replace_a_broken_policy_by_a_shipped_one) {
    files_.write("own/drop.yaml", "scope: all\n");
    files_.write("shipped/drop.yaml", kDrop);
    const auto error = files_.path("own/drop.yaml") + ":1: stream_exception_policy: missing";
    EXPECT_EQ(error_of("drop"), error);
    const auto entries = list_policies(folders_);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].policy.error().message, error);
}

TEST_F(PolicyLibrary, reports_a_link_that_leads_nowhere) {
    files_.write("shipped/drop.yaml", kDrop);
    std::filesystem::create_directory(folders_[0]);
    std::filesystem::create_symlink(files_.path("gone"), files_.path("own/drop.yaml"));
    EXPECT_EQ(error_of("drop"), files_.path("own/drop.yaml") + ": No such file or directory");
}

TEST_F(PolicyLibrary, takes_what_has_a_slash_for_a_path) {
    const auto path = files_.write("elsewhere/mine.yml", kReject);
    EXPECT_EQ(find_policy(path, folders_).value().name, "mine");
    EXPECT_EQ(error_of("./none.yaml"), "./none.yaml: No such file or directory");
}

TEST_F(PolicyLibrary, reports_for_an_unknown_name_where_it_searched_and_what_exists) {
    files_.write("own/reject.yaml", kReject);
    files_.write("shipped/drop.yaml", kDrop);
    files_.write("shipped/broken.yaml", "");
    const auto places = files_.path("own") + ", " + files_.path("shipped");
    EXPECT_EQ(error_of("x"), "policy \"x\" is unknown: no x.yaml in " + places + "; known: drop, reject");
    EXPECT_EQ(find_policy("x", folders_).error().kind, ErrorKind::Invalid);
    folders_ = {files_.path("none")};
    EXPECT_EQ(error_of("x"), "policy \"x\" is unknown: no x.yaml in " + files_.path("none") + "; known: none");
}

TEST_F(PolicyLibrary, makes_no_path_of_what_is_no_name) {
    files_.write("shipped/drop.yaml", kDrop);
    for (const auto* name : {"", ".", "..", "drop.yaml", "dr*p", " drop", "drop\n"}) {
        const auto policy = find_policy(name, folders_);
        ASSERT_FALSE(policy);
        EXPECT_EQ(policy.error().kind, ErrorKind::Invalid);
        EXPECT_NE(policy.error().message.find("can't be a policy's name"), std::string::npos);
    }
}

TEST_F(PolicyLibrary, lists_policies_by_name) {
    files_.write("own/zulu.yaml", kDrop);
    files_.write("own/bravo.yaml", kDrop);
    files_.write("shipped/alpha.yaml", kReject);
    files_.write("shipped/bravo.yaml", kReject);
    EXPECT_EQ(listed_names(), (std::vector<std::string>{"alpha", "bravo", "zulu"}));
}

TEST_F(PolicyLibrary, lists_files_whose_name_is_wrong_as_errors) {
    files_.write("own/2nd.yaml", kDrop);
    const auto entries = list_policies(folders_);
    ASSERT_EQ(entries.size(), 1U);
    EXPECT_EQ(entries[0].name, "2nd");
    EXPECT_EQ(entries[0].policy.error().message.find(files_.path("own/2nd.yaml: \"2nd\" can't be")), 0U);
}

TEST_F(PolicyLibrary, passes_over_what_is_no_policy_file) {
    for (const auto* name : {"own/drop.yaml~", "own/drop.yaml.dpkg-dist", "own/.drop.yaml", "own/README"}) {
        files_.write(name, "");
    }
    EXPECT_TRUE(listed_names().empty());
}

TEST_F(PolicyLibrary, lists_a_folder_that_can_not_be_read_as_an_error) {
    files_.write("own", "not a folder");
    files_.write("shipped/drop.yaml", kDrop);
    const auto entries = list_policies(folders_);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].name, "");
    EXPECT_EQ(entries[0].file, folders_[0]);
    EXPECT_EQ(entries[0].policy.error().message, folders_[0].string() + ": Not a directory");
    EXPECT_EQ(entries[1].name, "drop");
}

TEST_F(PolicyLibrary, is_empty_without_folders) {
    EXPECT_TRUE(listed_names().empty());
}

TEST(PolicyFolders, begin_with_the_operators_and_end_with_the_systems) {
    const auto folders = policy_folders();
    const auto program = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    EXPECT_EQ(folders, (std::vector<std::filesystem::path>{
                           "/etc/headgate/policies",
                           program / "policies",
                           program.parent_path() / "share/headgate/policies",
                           "/usr/share/headgate/policies",
                       }));
}

TEST(PolicyFolders, as_shipped_hold_drop_reject_and_continue) {
    std::vector<std::string> names;
    for (const auto& entry : list_policies(std::vector<std::filesystem::path>{SHIPPED_POLICIES})) {
        EXPECT_TRUE(entry.policy) << entry.policy.error().message;
        names.push_back(entry.name);
    }
    EXPECT_EQ(names, (std::vector<std::string>{"continue", "drop", "reject"}));
}

}  // namespace policy_library_test
}  // namespace headgate::midstream
