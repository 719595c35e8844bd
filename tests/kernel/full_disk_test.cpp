// SPDX-License-Identifier: GPL-2.0-or-later
// The store on a disk that fills up: a tmpfs of 1 MiB, which only root can mount.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "operations/sqlite_store.h"
#include "support/stored_operations.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace full_disk_test {

using operations::SqliteStore;

class FullDisk : public ::testing::Test {
  protected:
    void SetUp() override {
        std::filesystem::create_directory(state());
        mounted_ = ::mount("tmpfs", state().c_str(), "tmpfs", 0, "size=1m") == 0;
        if (!mounted_) GTEST_SKIP() << "no file system of its own: " << std::strerror(errno);
        auto opened = SqliteStore::open(state());
        ASSERT_TRUE(opened.has_value()) << opened.error().message;
        store_ = std::move(*opened);
    }
    void TearDown() override {
        store_.reset();
        if (mounted_) ::umount2(state().c_str(), MNT_DETACH);
    }

    [[nodiscard]] std::string state() const { return folder_.path("state"); }

    void expect_full(const Error& error) const {
        EXPECT_EQ(error.kind, ErrorKind::DiskFault);
        EXPECT_EQ(error.number, ENOSPC);
        EXPECT_EQ(error.message,
                  state() + ": no space left on the disk: make room there, or choose another --state-dir");
    }

    TemporaryFolder folder_;
    bool mounted_ = false;
    std::unique_ptr<SqliteStore> store_;
};

TEST_F(FullDisk, a_journal_that_does_not_fit_is_refused_and_what_was_there_stays) {
    ASSERT_TRUE(store_->begin(operation_named("one"), {}).has_value());
    const auto flows = numbered_flows(0, 1000);
    std::size_t blocks = 0;
    Result<std::uint64_t> appended = 0;
    while (blocks < 100 && (appended = store_->append_pending("one", rows_of(flows))))
        ++blocks;
    ASSERT_FALSE(appended.has_value());
    expect_full(appended.error());
    EXPECT_GT(blocks, 5U);
    const auto told = store_->flows("one", 0, SIZE_MAX);
    ASSERT_TRUE(told.has_value()) << told.error().message;
    EXPECT_EQ(told->size(), blocks * flows.size());
}

TEST_F(FullDisk, the_operation_that_filled_it_can_be_closed_and_with_a_little_room_removed) {
    auto operation = operation_named("one");
    ASSERT_TRUE(store_->begin(operation, {}).has_value());
    Result<void> appended;
    for (std::uint32_t row = 0; appended && row < 100'000; row += 256)
        appended = store_->append("one", numbered_flows(row, 256));
    ASSERT_FALSE(appended.has_value());
    expect_full(appended.error());
    operation.status = OperationStatus::Failed;
    operation.detail = appended.error().message;
    const auto closed = store_->update(operation);
    ASSERT_TRUE(closed.has_value()) << closed.error().message;
    EXPECT_EQ(store_->find("one").value(), operation);
    // Removal needs space in the log itself: it succeeds, or fails for lack of space and resumes once there is some.
    if (const auto removed = store_->shrink_to(300'000); !removed) expect_full(removed.error());
    ASSERT_EQ(::mount("tmpfs", state().c_str(), "tmpfs", MS_REMOUNT, "size=2m"), 0);
    const auto removed = store_->shrink_to(300'000);
    ASSERT_TRUE(removed.has_value()) << removed.error().message;
    EXPECT_EQ(store_->find("one").value(), std::nullopt);
    EXPECT_LT(store_->bytes_used().value(), 300'000U);
}

TEST_F(FullDisk, filled_by_others_it_works_again_when_there_is_room) {
    ASSERT_TRUE(store_->begin(operation_named("one"), {}).has_value());
    const auto ballast = state() + "/ballast";
    std::ofstream{ballast} << std::string(2'000'000, 'x') << std::flush;
    const auto flows = numbered_flows(0, 4000);
    const auto refused = store_->append_pending("one", rows_of(flows));
    ASSERT_FALSE(refused.has_value());
    expect_full(refused.error());
    const auto fresh = SqliteStore::open(state() + "/new");
    ASSERT_TRUE(fresh.has_value()) << fresh.error().message;
    EXPECT_TRUE((*fresh)->list({})->empty());
    const auto none = (*fresh)->begin(operation_named("one"), {});
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(none.error().number, ENOSPC) << none.error().message;
    std::filesystem::remove(ballast);
    EXPECT_TRUE(store_->append_pending("one", rows_of(flows)).has_value());
    EXPECT_TRUE((*fresh)->begin(operation_named("one"), {}).has_value());
    EXPECT_EQ((*fresh)->list({})->size(), 1U);
}

TEST_F(FullDisk, does_not_keep_anybody_from_reading) {
    ASSERT_TRUE(store_->begin(operation_named("one"), {}).has_value());
    ASSERT_TRUE(store_->append_pending("one", rows_of(numbered_flows(0, 100))).has_value());
    std::ofstream{state() + "/ballast"} << std::string(2'000'000, 'x') << std::flush;
    ASSERT_TRUE(store_->append("one", numbered_flows(100, 50)).has_value()) << "in memory so far";
    EXPECT_EQ(store_->flows("one", 0, SIZE_MAX)->size(), 150U);
    store_.reset();
    const auto again = SqliteStore::open(state());
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ((*again)->flows("one", 0, SIZE_MAX)->size(), 100U);
}

class ReadOnlyDisk : public FullDisk {
  protected:
    void remount(unsigned long flags) {
        ASSERT_EQ(::mount("tmpfs", state().c_str(), "tmpfs", MS_REMOUNT | flags, "size=1m"), 0) << std::strerror(errno);
    }
};

TEST_F(ReadOnlyDisk, is_read_and_written_again_when_it_can_be) {
    ASSERT_TRUE(store_->begin(operation_named("one"), {}).has_value());
    ASSERT_TRUE(store_->append_pending("one", rows_of(numbered_flows(0, 100))).has_value());
    store_.reset();
    remount(MS_RDONLY);
    const auto store = SqliteStore::open(state()).value();
    EXPECT_EQ(store->list({})->size(), 1U);
    EXPECT_EQ(store->flows("one", 0, SIZE_MAX)->size(), 100U);
    EXPECT_EQ(store->begin(operation_named("two"), {}).error().number, EROFS);
    EXPECT_EQ(store->ensure_room(0).error().number, EROFS);
    remount(0);
    EXPECT_TRUE(store->begin(operation_named("two"), {}).has_value());
    EXPECT_EQ(store->list({})->size(), 2U);
}

TEST_F(ReadOnlyDisk, is_read_together_with_the_log_that_a_killed_process_left) {
    ASSERT_TRUE(store_->begin(operation_named("one"), {}).has_value());
    std::filesystem::create_directory(state() + "/killed");
    for (const auto* suffix : {"", "-wal", "-shm"})
        std::filesystem::copy_file(state() + "/operations.db" + suffix, state() + "/killed/operations.db" + suffix);
    store_.reset();
    remount(MS_RDONLY);
    const auto store = SqliteStore::open(state() + "/killed");
    ASSERT_TRUE(store.has_value()) << store.error().message;
    EXPECT_EQ((*store)->list({})->size(), 1U);
}

TEST_F(FullDisk, that_is_mounted_read_only_is_reported_before_anything_is_written) {
    EXPECT_TRUE(store_->ensure_room(1).has_value());
    // A bind mount of itself: files open for writing prevent a read-only remount of the file system.
    ASSERT_EQ(::mount(state().c_str(), state().c_str(), nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(::mount(nullptr, state().c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr), 0);
    const auto room = store_->ensure_room(1);
    ASSERT_EQ(::umount2(state().c_str(), MNT_DETACH), 0);
    ASSERT_FALSE(room.has_value());
    EXPECT_EQ(room.error().number, EROFS) << room.error().message;
}

}  // namespace full_disk_test
}  // namespace headgate::testing
