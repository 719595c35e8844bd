// SPDX-License-Identifier: GPL-2.0-or-later
#include "files/file_identity.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "files/append_file.h"
#include "operations/endpoint_lock.h"
#include "operations/sqlite_store.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace file_identity_test {

constexpr uid_t kNobody = 65534;

uid_t owner_of(const std::string& path) {
    struct stat facts {};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts.st_uid;
}

void append_number(std::string& bytes, std::uint32_t number) {
    for (const int shift : {24, 16, 8, 0})
        bytes.push_back(static_cast<char>(number >> shift));
}

/// A rollback journal without pages that names a super-journal, which SQLite removes after it has rolled the journal
/// back (fileformat2.html, section 3; pager.c, readSuperJournal).
std::string hot_journal(const std::string& super_journal) {
    const std::string magic = "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
    std::string journal = magic;
    for (const std::uint32_t number : {0U, 0U, 1U, 512U, 4096U})
        append_number(journal, number);
    journal.resize(512, '\0');
    append_number(journal, (0x40000000U / 4096U) + 1);
    journal += super_journal;
    std::uint32_t sum = 0;
    for (const char c : super_journal)
        sum += static_cast<std::uint32_t>(static_cast<signed char>(c));
    append_number(journal, static_cast<std::uint32_t>(super_journal.size()));
    append_number(journal, sum);
    return journal + magic;
}

/// Denies setfsuid(2) to this thread with EPERM, as the filter of the agent's service does.
bool deny_setfsuid() {
    sock_filter instructions[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, 0},  // the number of the system call, the first member of seccomp_data
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, SYS_setfsuid},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EPERM},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
    };
    const sock_fprog program{std::size(instructions), instructions};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST(FileUser, is_known_to_a_service_that_may_not_call_setfsuid) {
    std::thread{[] {
        // By the system call itself, which changes this thread alone (nptl(7)).
        if (::geteuid() == 0) {
            ASSERT_EQ(::syscall(SYS_setresuid, kNobody, kNobody, kNobody), 0);
        }
        const auto user = ::geteuid();
        ASSERT_NE(user, 0U);
        ASSERT_TRUE(deny_setfsuid());
        EXPECT_EQ(file_user(), user);
    }}.join();
}

/// A folder of an unprivileged user, beside a folder of root that this user can read. This process runs as root.
class AnothersFolder : public ::testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "only root can be led astray";
        ASSERT_EQ(::chmod(folder_.path("").c_str(), 0755), 0);
        for (const auto& each : {theirs_, roots_})
            std::filesystem::create_directory(each);
        ASSERT_EQ(::chown(theirs_.c_str(), kNobody, kNobody), 0);
    }

    TemporaryFolder folder_;
    std::string theirs_ = folder_.path("theirs");
    std::string roots_ = folder_.path("roots");
};

TEST_F(AnothersFolder, has_what_root_makes_there) {
    ASSERT_TRUE(AppendFile::open(theirs_ + "/log", TornLine::End));
    EXPECT_EQ(owner_of(theirs_ + "/log"), kNobody);
    ASSERT_TRUE(AppendFile::open(theirs_ + "/new/log", TornLine::End));
    EXPECT_EQ(owner_of(theirs_ + "/new"), kNobody);
    EXPECT_EQ(owner_of(theirs_ + "/new/log"), kNobody);
    const auto store = operations::SqliteStore::open(theirs_ + "/state");
    ASSERT_TRUE(store) << store.error().message;
    EXPECT_TRUE(operations::EndpointLock::acquire(theirs_ + "/state", FlowOperation{}));
    for (const auto& each : std::filesystem::directory_iterator{theirs_ + "/state"})
        EXPECT_EQ(owner_of(each.path()), kNobody) << each.path();
}

TEST_F(AnothersFolder, makes_SQLite_remove_nothing_of_roots) {
    const auto state = theirs_ + "/state";
    ASSERT_TRUE(operations::SqliteStore::open(state));
    const auto victim = roots_ + "/victim";
    std::ofstream{victim} << "no name of a journal";
    std::ofstream{state + "/operations.db-journal"} << hot_journal(victim);
    static_cast<void>(operations::SqliteStore::open(state));
    EXPECT_TRUE(std::filesystem::exists(victim));
}

TEST_F(AnothersFolder, leads_root_nowhere_by_a_link_that_is_a_file) {
    std::filesystem::create_symlink(roots_ + "/log", theirs_ + "/log");
    EXPECT_EQ(AppendFile::open(theirs_ + "/log", TornLine::End).error().number, EACCES);
    EXPECT_EQ(open_own_file(theirs_ + "/log", O_RDWR | O_CREAT, 0640).error().number, ELOOP);
    EXPECT_TRUE(std::filesystem::is_empty(roots_));
}

TEST_F(AnothersFolder, leads_root_nowhere_by_a_link_higher_up) {
    std::filesystem::create_symlink(roots_, theirs_ + "/deep");
    const auto deep = theirs_ + "/deep";
    EXPECT_EQ(AppendFile::open(deep + "/log", TornLine::End).error().number, EACCES);
    EXPECT_EQ(AppendFile::open(deep + "/new/log", TornLine::End).error().number, EACCES);
    EXPECT_EQ(open_own_file(deep + "/record", O_RDWR | O_CREAT, 0640).error().number, EACCES);
    EXPECT_FALSE(operations::EndpointLock::acquire(deep, FlowOperation{}));
    const auto store = operations::SqliteStore::open(deep);
    ASSERT_FALSE(store);
    EXPECT_NE(store.error().message.find("(as user 65534, who owns " + theirs_ + ")"), std::string::npos)
        << store.error().message;
    std::ofstream{roots_ + "/file"};
    EXPECT_FALSE(remove_own_file(deep + "/file"));
    EXPECT_TRUE(std::filesystem::exists(roots_ + "/file"));
}

TEST_F(AnothersFolder, leads_root_nowhere_by_a_link_to_it_in_a_folder_of_roots) {
    std::filesystem::create_symlink(roots_, theirs_ + "/deep");
    std::filesystem::create_symlink(theirs_ + "/deep", roots_ + "/link");
    EXPECT_EQ(AppendFile::open(roots_ + "/link/log", TornLine::End).error().number, EACCES);
}

TEST_F(AnothersFolder, link_of_anothers_in_roots_folder_is_followed_as_its_owner) {
    const auto link = folder_.path("link");
    std::filesystem::create_symlink(roots_, link);
    ASSERT_EQ(::lchown(link.c_str(), kNobody, kNobody), 0);
    EXPECT_EQ(AppendFile::open(link + "/log", TornLine::End).error().number, EACCES);
}

TEST_F(AnothersFolder, leaves_root_with_its_own_identity_afterwards) {
    ASSERT_TRUE(AppendFile::open(theirs_ + "/log", TornLine::End));
    std::ofstream{roots_ + "/secret"};
    ASSERT_EQ(::chmod((roots_ + "/secret").c_str(), 0), 0);
    EXPECT_TRUE((std::ifstream{roots_ + "/secret"})) << "a capability";
    std::ofstream{roots_ + "/mine"};
    EXPECT_EQ(owner_of(roots_ + "/mine"), 0U);
}

TEST_F(AnothersFolder, of_ones_own_is_as_ever) {
    std::filesystem::create_symlink("/dev/null", roots_ + "/log");
    EXPECT_TRUE(AppendFile::open(roots_ + "/log", TornLine::End));
}

TEST_F(AnothersFolder, of_roots_has_no_store_beside_a_journal_of_anothers) {
    ASSERT_EQ(::chmod(roots_.c_str(), 01777), 0);
    ASSERT_TRUE(operations::SqliteStore::open(roots_));
    const auto victim = folder_.write("victim", "no name of a journal");
    const auto journal = roots_ + "/operations.db-journal";
    std::ofstream{journal} << hot_journal(victim);
    ASSERT_EQ(::chown(journal.c_str(), kNobody, kNobody), 0);
    const auto store = operations::SqliteStore::open(roots_);
    ASSERT_FALSE(store);
    EXPECT_EQ(store.error().message, journal + ": belongs to user 65534, and its folder to root: it was left as it is");
    EXPECT_TRUE(std::filesystem::exists(victim));
}

}  // namespace file_identity_test
}  // namespace headgate::testing
