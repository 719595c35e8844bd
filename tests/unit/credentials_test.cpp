// SPDX-License-Identifier: GPL-2.0-or-later
// The credentials file: its content, its permissions, and errors that reveal no secret.
#include "http/access/credentials.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temporary_folder.h"

namespace headgate::http::access {
namespace credentials_test {

const std::string kHash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

std::string error_of(const std::string& text) {
    const auto parsed = parse_credentials(text, "x.yaml");
    return parsed ? "" : parsed.error().message;
}

TEST(Credentials, of_every_kind_are_read) {
    const auto parsed = parse_credentials(
        "access_keys:\n"
        "- {id: ADMIN_1, secret: secret, role: operator}\n"
        "- {id: guest-2, secret: 'a#b/c+d=', role: viewer, firewalls: [edge, core]}\n"
        "tokens:\n"
        "- {name: dashboard, sha256: BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad, role: viewer}\n"
        "certificates:\n"
        "- {name: Ada Lovelace, role: operator, firewalls: [edge]}\n",
        "x.yaml");
    ASSERT_TRUE(parsed) << parsed.error().message;
    ASSERT_EQ(parsed->access_keys.size(), 2U);
    EXPECT_EQ(parsed->access_keys[0].id, "ADMIN_1");
    EXPECT_EQ(parsed->access_keys[0].secret, "secret");
    EXPECT_EQ(parsed->access_keys[0].permissions, kEverything);
    EXPECT_EQ(parsed->access_keys[1].secret, "a#b/c+d=");
    EXPECT_EQ(parsed->access_keys[1].permissions, (Permissions{Role::Viewer, {{"edge", "core"}}}));
    ASSERT_EQ(parsed->tokens.size(), 1U);
    EXPECT_EQ(parsed->tokens[0].sha256, sha256("abc"));
    ASSERT_EQ(parsed->certificates.size(), 1U);
    EXPECT_EQ(parsed->certificates[0].name, "Ada Lovelace");
    EXPECT_EQ(parsed->certificates[0].permissions, (Permissions{Role::Operator, {{"edge"}}}));
}

TEST(Credentials, may_be_none) {
    EXPECT_TRUE(parse_credentials("", "x.yaml")->empty());
    EXPECT_TRUE(parse_credentials("access_keys: []\n", "x.yaml")->empty());
}

TEST(Credentials, errors_name_line_and_rule) {
    EXPECT_EQ(error_of("access_keys:\n- {id: a, secret: b}\n"), "x.yaml:2: access_keys: role: missing");
    EXPECT_EQ(error_of("access_keys:\n- {id: a, role: viewer}\n"), "x.yaml:2: access_keys: secret: missing");
    EXPECT_EQ(error_of("access_keys:\n- {id: a/b, secret: '', role: admin, firewalls: []}\n"),
              "x.yaml:2: access_keys: id: must be 1 to 128 letters, digits, `-` and `_`\n"
              "x.yaml:2: access_keys: secret: must be 1 to 256 visible ASCII characters\n"
              "x.yaml:2: access_keys: role: must be `viewer` or `operator`\n"
              "x.yaml:2: access_keys: firewalls: the list is empty");
    EXPECT_EQ(error_of("tokens:\n- {name: a, sha256: abc, role: viewer}\n"),
              "x.yaml:2: tokens: sha256: must be 64 hexadecimal digits");
    EXPECT_EQ(error_of("users: []\n"), "x.yaml:1: unknown key (known: access_keys, tokens, certificates)");
}

TEST(Credentials, of_a_kind_have_different_names) {
    EXPECT_EQ(error_of("access_keys:\n- {id: a, secret: b, role: viewer}\n- {id: a, secret: c, role: viewer}\n"),
              "x.yaml:3: access_keys: id: is in the list already");
    EXPECT_EQ(error_of(fmt::format("tokens:\n- {{name: a, sha256: {0}, role: viewer}}\n"
                                   "- {{name: b, sha256: {0}, role: operator}}\n",
                                   kHash)),
              "x.yaml:3: tokens: sha256: is in the list already");
    EXPECT_EQ(error_of("certificates:\n- {name: a, role: viewer}\n- {name: a, role: operator}\n"),
              "x.yaml:3: certificates: name: is in the list already");
    EXPECT_EQ(error_of(fmt::format("access_keys:\n- {{id: a, secret: b, role: viewer}}\n"
                                   "tokens:\n- {{name: a, sha256: {}, role: viewer}}\n",
                                   kHash)),
              "");
}

TEST(Credentials, a_secret_shows_in_no_error_wherever_it_slipped_to) {
    for (const auto* text :
         {"access_keys:\n- {id: a, role: viewer, secret:hunter2}\n", "access_keys:\n- {id: a, hunter2: b}\n",
          "access_keys:\n- id: a\n  secret:hunter2\n", "access_keys:\n- {id: a, role: hunter2, secret: b}\n",
          "access_keys:\n- {id: a, role: viewer, secret: hunter2 and more}\n",
          "access_keys:\n- {id: a, role: viewer, secret: [hunter2]}\n", "access_keys:\n- hunter2\n",
          "access_keys:\n- {id: a, role: viewer, secret: !hunter2}\n",
          "access_keys:\n- {id: a, role: viewer, secret: *hunter2}\n",
          "access_keys:\n- {id: a, role: viewer, secret: &hunter2 b}\n",
          "access_keys:\n- {id: a, role: viewer, secret: \"hunter2}\n", "hunter2\n", "hunter2: {\n",
          "tokens:\n- {name: a, sha256: hunter2, role: viewer}\n",
          "certificates:\n- {name: a, role: viewer, firewalls: [hunter 2, hunter2/]}\n"}) {
        const auto error = error_of(text);
        EXPECT_TRUE(error.starts_with("x.yaml:")) << text;
        EXPECT_EQ(error.find("hunter"), std::string::npos) << error;
    }
}

class CredentialsFile : public ::testing::Test {
  protected:
    std::string error_with_mode(mode_t mode) {
        ::chmod(file_.c_str(), mode);
        const auto loaded = load_credentials(file_);
        return loaded ? "" : loaded.error().message;
    }

    testing::TemporaryFolder folder_;
    const std::string file_ = folder_.write("c.yaml", "access_keys:\n- {id: a, secret: b, role: viewer}\n");
};

TEST_F(CredentialsFile, that_its_owner_alone_may_use_is_read) {
    EXPECT_EQ(error_with_mode(0600), "");
    EXPECT_EQ(error_with_mode(0400), "");
    EXPECT_EQ(load_credentials(file_)->access_keys.size(), 1U);
}

TEST_F(CredentialsFile, that_others_may_use_is_refused_with_the_command_that_mends_it) {
    for (const mode_t mode : {0640U, 0620U, 0604U, 0602U, 0601U}) {
        EXPECT_EQ(error_with_mode(mode),
                  fmt::format("{0}: others than its owner may use it (mode {1:o}): chmod 600 {0}", file_, mode));
    }
}

TEST_F(CredentialsFile, that_others_may_use_is_read_for_further_faults) {
    folder_.write("c.yaml", "tokens:\n- {name: a, sha256: 12, role: viewer}\n");
    EXPECT_EQ(error_with_mode(0644), fmt::format("{0}: others than its owner may use it (mode 644): chmod 600 {0}\n"
                                                 "{0}:2: tokens: sha256: must be 64 hexadecimal digits",
                                                 file_));
}

TEST_F(CredentialsFile, behind_a_link_is_judged_by_what_it_leads_to) {
    std::filesystem::create_symlink(file_, folder_.path("link"));
    ::chmod(file_.c_str(), 0644);
    EXPECT_FALSE(load_credentials(folder_.path("link")));
    ::chmod(file_.c_str(), 0600);
    EXPECT_TRUE(load_credentials(folder_.path("link")));
}

TEST_F(CredentialsFile, of_another_user_is_refused) {
    ::chmod(file_.c_str(), 0600);
    if (::chown(file_.c_str(), 12345, 12345) != 0) GTEST_SKIP() << "takes root";
    EXPECT_EQ(load_credentials(file_).error().message,
              fmt::format("{0}: belongs to user 12345, who is neither root nor the one that reads it: chown root {0}",
                          file_));
}

TEST_F(CredentialsFile, must_be_a_file_that_is_there) {
    EXPECT_EQ(load_credentials(folder_.path("none")).error().message,
              folder_.path("none") + ": No such file or directory");
    std::filesystem::create_directory(folder_.path("folder"));
    EXPECT_EQ(load_credentials(folder_.path("folder")).error().message,
              folder_.path("folder") + ": not a regular file");
}

}  // namespace credentials_test
}  // namespace headgate::http::access
