#include "files/folder_owner.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "files/append_file.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace folder_owner_test {

constexpr uid_t kNobody = 65534;

uid_t owner_of(const std::string& path) {
    struct stat facts {};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts.st_uid;
}

/// A folder of the agent's user, and this process is root.
class AnothersFolder : public ::testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "only root makes files for others";
        ASSERT_EQ(::chown(folder_.path("").c_str(), kNobody, kNobody), 0);
    }

    TemporaryFolder folder_;
};

TEST_F(AnothersFolder, has_what_root_makes_there) {
    ASSERT_TRUE(AppendFile::open(folder_.path("log"), TornLine::End));
    EXPECT_EQ(owner_of(folder_.path("log")), kNobody);
}

TEST_F(AnothersFolder, has_not_what_was_roots_before) {
    const auto used = folder_.write("used", "content");
    const auto linked = folder_.write("linked", "");
    std::filesystem::create_hard_link(linked, folder_.path("again"));
    for (const auto& each : {used, linked}) {
        ASSERT_TRUE(AppendFile::open(each, TornLine::End));
        EXPECT_EQ(owner_of(each), 0U) << each;
    }
}

TEST_F(AnothersFolder, leads_root_nowhere_else) {
    std::filesystem::create_symlink("/dev/null", folder_.path("log"));
    const auto opened = AppendFile::open(folder_.path("log"), TornLine::End);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().number, ELOOP);
}

TEST_F(AnothersFolder, of_ones_own_is_as_ever) {
    ASSERT_EQ(::chown(folder_.path("").c_str(), 0, 0), 0);
    std::filesystem::create_symlink("/dev/null", folder_.path("log"));
    EXPECT_TRUE(AppendFile::open(folder_.path("log"), TornLine::End));
}

}  // namespace folder_owner_test
}  // namespace headgate::testing
