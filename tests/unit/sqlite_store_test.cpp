// SPDX-License-Identifier: GPL-2.0-or-later
#include "operations/sqlite_store.h"

#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/text.h"
#include "operations/database.h"
#include "support/operation_store_conformance.h"
#include "support/temporary_folder.h"

namespace headgate::testing {
namespace sqlite_store_test {

using operations::SqliteStore;

class SqliteStoreEnvironment {
  public:
    std::unique_ptr<OperationStore> open() {
        auto store = SqliteStore::open(folder_.path("state"), clock_);
        if (!store) throw std::runtime_error(store.error().message);
        return std::move(*store);
    }
    ManualClock& clock() { return clock_; }

  private:
    ManualClock clock_;
    TemporaryFolder folder_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, OperationStoreConformance, SqliteStoreEnvironment);

class SqliteStoreFile : public ::testing::Test {
  protected:
    [[nodiscard]] std::string state() const { return folder_.path("state"); }
    [[nodiscard]] std::string file() const { return state() + "/operations.db"; }
    [[nodiscard]] std::string content() const {
        std::ifstream in{file(), std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    void write(const std::string& content) const {
        std::ofstream{file(), std::ios::binary | std::ios::trunc} << content;
    }

    void make_store() {
        const auto store = SqliteStore::open(state());
        ASSERT_TRUE(store.has_value()) << store.error().message;
        ASSERT_TRUE((*store)->begin(operation_named("one"), {}).has_value());
    }

    /// Expects that opening fails and changes nothing; returns the error.
    std::string refusal() {
        const auto before = content();
        const auto store = SqliteStore::open(state());
        EXPECT_FALSE(store.has_value());
        EXPECT_EQ(content(), before);
        for (const auto& each : std::filesystem::directory_iterator{state()})
            EXPECT_EQ(each.path().filename(), "operations.db");
        return store ? "" : store.error().message;
    }

    TemporaryFolder folder_;
};

TEST_F(SqliteStoreFile, is_made_with_its_folder_and_for_its_owner_and_group_alone) {
    make_store();
    struct stat facts {};
    ASSERT_EQ(::stat(state().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0750U);
    ASSERT_EQ(::stat(file().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0640U);
    for (const auto& each : std::filesystem::directory_iterator{state()})
        EXPECT_EQ(each.path().filename(), "operations.db");
}

TEST_F(SqliteStoreFile, a_folder_whose_parent_is_missing_is_an_error_that_names_it) {
    const auto store = SqliteStore::open(folder_.path("no/state"));
    ASSERT_FALSE(store.has_value());
    EXPECT_EQ(store.error().number, ENOENT);
    EXPECT_NE(store.error().message.find(folder_.path("no/state")), std::string::npos) << store.error().message;
}

TEST_F(SqliteStoreFile, a_folder_of_any_name_is_the_one_that_was_meant) {
    for (const auto* name : {"a?mode=memory", "b#c", "d%41 e"}) {
        ASSERT_TRUE(SqliteStore::open(folder_.path(name)).has_value()) << name;
        EXPECT_TRUE(std::filesystem::exists(folder_.path(name) + "/operations.db")) << name;
    }
}

TEST_F(SqliteStoreFile, of_a_later_version_is_left_alone) {
    make_store();
    auto changed = content();
    changed[63] = 99;  // PRAGMA user_version, big endian at 60
    write(changed);
    EXPECT_NE(refusal().find("has version 99, and this headgate knows none above 8"), std::string::npos);
    changed[63] = 0;
    write(changed);
    EXPECT_NE(refusal().find("has version 0"), std::string::npos);
}

TEST_F(SqliteStoreFile, of_the_first_version_is_brought_up_to_date) {
    std::filesystem::create_directory(state());
    std::filesystem::copy_file(PROJECT_FOLDER "/tests/support/store_version_1.db", file());
    const auto store = SqliteStore::open(state());
    ASSERT_TRUE(store.has_value()) << store.error().message;
    const auto kept = (*store)->list({});
    ASSERT_TRUE(kept.has_value()) << kept.error().message;
    ASSERT_EQ(kept->size(), 2U);
    EXPECT_EQ(kept->front().type, OperationType::Flush);
    EXPECT_EQ((*store)->flows(kept->back().id, 0, 10)->size(), 2U) << "the capture's";
    EXPECT_EQ(content()[63], 1) << "in the log so far";
    ASSERT_TRUE((*store)->begin(operation_named("new"), {}).has_value());
    EXPECT_EQ(SqliteStore::open(state()).value()->list({})->size(), 3U) << "and it is opened again as it is";
    EXPECT_EQ((*store)->expire(std::chrono::hours{1}), 0U) << "how long ago they ended is not recorded";
    EXPECT_EQ((*store)->list({})->size(), 3U);
}

/// Runs SQL on the file, to leave it as an earlier headgate would.
void run_sql(const std::string& file, const std::vector<std::string>& statements) {
    auto database = operations::Database::open(file);
    ASSERT_TRUE(database) << database.error().message;
    const auto done = database->run([&](Poco::Data::Session& session) -> Result<void> {
        for (const auto& each : statements)
            session << each, Poco::Data::Keywords::now;
        return {};
    });
    ASSERT_TRUE(done) << done.error().message;
}

FlowOperation asked_by(std::string id, std::string user) {
    auto operation = operation_named(std::move(id));
    operation.caller = {"certificate", {}, std::move(user), "", ""};
    return operation;
}

TEST_F(SqliteStoreFile, of_version_4_has_tokens_that_no_other_caller_can_have) {
    {
        const auto store = SqliteStore::open(state()).value();
        ASSERT_TRUE(store->begin(asked_by("of ops:x", "ops:x"), "rest:certificate:ops:x:k"));
        ASSERT_TRUE(store->begin(asked_by("of ops", "ops"), "rest:certificate:ops:50%:k"));
        ASSERT_TRUE(store->begin(asked_by("of aws", "ops"), "aws:certificate:ops:d77611cb-b168"));
        ASSERT_TRUE(store->begin(asked_by("signed", "ops:x"), "signed:ops:x"));
        ASSERT_TRUE(store->begin(asked_by("strange", "ops:x"), "rest:somebody"));
    }
    run_sql(file(), {"DROP INDEX operations_by_firewall", "ALTER TABLE operations DROP COLUMN caller",
                     "ALTER TABLE operations DROP COLUMN flows", "PRAGMA user_version = 4"});
    const auto store = SqliteStore::open(state()).value();
    const auto found = [&](std::initializer_list<std::string_view> parts) {
        const auto operation = store->find_by_token(compound_key(parts)).value();
        return operation ? operation->id : "";
    };
    EXPECT_EQ(found({"rest", "certificate", "ops:x", "k"}), "of ops:x");
    EXPECT_EQ(found({"rest", "certificate", "ops", "x:k"}), "");
    EXPECT_EQ(found({"rest", "certificate", "ops", "50%:k"}), "of ops");
    EXPECT_EQ(found({"aws", "certificate", "ops", "d77611cb-b168"}), "of aws");
    EXPECT_EQ(store->find_by_token("signed:ops:x").value()->id, "signed");
    EXPECT_EQ(store->find_by_token("rest:somebody").value()->id, "strange");
}

TEST_F(SqliteStoreFile, finds_the_operations_of_a_firewall_without_a_look_at_those_of_others) {
    make_store();
    const auto plan = [&](const std::string& query) {
        std::vector<std::string> details;
        auto database = operations::Database::open(file()).value();
        const auto asked = database.run([&](Poco::Data::Session& session) -> Result<void> {
            std::vector<int> ids;
            std::vector<int> parents;
            std::vector<int> unused;
            using namespace Poco::Data::Keywords;
            session << "EXPLAIN QUERY PLAN " << query, into(ids), into(parents), into(unused), into(details), now;
            return {};
        });
        EXPECT_TRUE(asked) << asked.error().message;
        return fmt::format("{}", fmt::join(details, "\n"));
    };
    const std::string one = "SELECT number FROM operations WHERE firewall = 'a'";
    const auto merged = plan(one + " UNION ALL " + one + " ORDER BY number DESC LIMIT 1");
    EXPECT_EQ(merged.find("TEMP B-TREE"), std::string::npos) << merged;
    EXPECT_EQ(merged.find("SCAN operations"), std::string::npos) << merged;
    const auto flushes = plan(one + " AND +type = 'FLOW_FLUSH' ORDER BY number DESC LIMIT 1");
    EXPECT_NE(flushes.find("operations_by_firewall (firewall=?)"), std::string::npos) << flushes;
    const auto running = plan(
        "SELECT number FROM operations WHERE +firewall = 'a' AND status = 'IN_PROGRESS' ORDER BY number DESC LIMIT 1");
    EXPECT_NE(running.find("operations_by_status (status=?)"), std::string::npos) << running;
}

TEST_F(SqliteStoreFile, of_another_program_is_left_alone) {
    make_store();
    auto changed = content();
    changed[68] = 0;  // PRAGMA application_id
    write(changed);
    EXPECT_NE(refusal().find("not a database of headgate's"), std::string::npos);
}

TEST_F(SqliteStoreFile, that_is_empty_or_garbage_is_left_alone) {
    make_store();
    write("");
    EXPECT_NE(refusal().find("not a database of headgate's"), std::string::npos);
    for (const auto& garbage : {std::string(100, 'x'), std::string(100'000, '\0'), std::string{"{}"}}) {
        write(garbage);
        EXPECT_NE(refusal().find("damaged"), std::string::npos);
    }
}

TEST_F(SqliteStoreFile, that_was_cut_short_is_left_alone) {
    make_store();
    const auto whole = content();
    for (const std::size_t size : {std::size_t{4096}, std::size_t{8192}, whole.size() / 2, whole.size() - 4096}) {
        write(whole.substr(0, size));
        EXPECT_NE(refusal().find("damaged"), std::string::npos) << size;
    }
}

TEST_F(SqliteStoreFile, with_a_damaged_page_reports_it_when_it_is_read) {
    {
        auto store = SqliteStore::open(state()).value();
        ASSERT_TRUE(store->begin(operation_named("one"), {}).has_value());
        ASSERT_TRUE(store->append_pending("one", rows_of(numbered_flows(0, 4000))).has_value());
    }
    auto changed = content();
    for (std::size_t i = 8 * 4096; i < changed.size(); ++i)
        changed[i] = static_cast<char>(i * 31);
    write(changed);
    const auto store = SqliteStore::open(state());
    if (!store) return;  // opening found the damage
    const auto flows = (*store)->flows("one", 0, 4000);
    ASSERT_FALSE(flows.has_value());
    EXPECT_NE(flows.error().message.find("damaged"), std::string::npos) << flows.error().message;
}

/// Drops root's permissions while it lives, since root may write everywhere.
class WithoutRights {
  public:
    WithoutRights() { changed_ = ::geteuid() == 0 && ::seteuid(65534) == 0; }
    ~WithoutRights() {
        if (changed_ && ::seteuid(0) != 0) std::abort();
    }
    WithoutRights(const WithoutRights&) = delete;
    WithoutRights& operator=(const WithoutRights&) = delete;

  private:
    bool changed_ = false;
};

TEST_F(SqliteStoreFile, in_a_folder_that_cannot_be_written_is_an_error_that_names_it) {
    make_store();
    std::filesystem::permissions(folder_.path("."), std::filesystem::perms{0755});
    std::filesystem::permissions(state(), std::filesystem::perms{0555});
    const WithoutRights nobody;
    const auto store = SqliteStore::open(state());
    ASSERT_FALSE(store.has_value());
    EXPECT_EQ(store.error().message, "state directory " + state() +
                                         ": Permission denied: use sudo, or start the agent and join group headgate");
    EXPECT_EQ(store.error().number, EACCES);
}

TEST_F(SqliteStoreFile, is_smaller_again_when_operations_are_gone) {
    const auto store = SqliteStore::open(state()).value();
    const auto empty = store->bytes_used().value();
    auto operation = operation_named("one");
    ASSERT_TRUE(store->begin(operation, {}).has_value());
    for (std::uint32_t row = 0; row < 50'000; row += 5000)
        ASSERT_TRUE(store->append("one", numbered_flows(row, 5000)).has_value());
    operation.status = OperationStatus::Completed;
    ASSERT_TRUE(store->update(operation).has_value());
    EXPECT_GT(store->bytes_used().value(), empty + 1'000'000);
    EXPECT_EQ(store->shrink_to(empty + 65'536).value(), 1U);
    EXPECT_LT(std::filesystem::file_size(file()), 100'000U);
}

/// Adds an ended operation with many small blocks to the store.
void fill_with_blocks(OperationStore& store, std::uint32_t blocks, const std::string& id = "large") {
    auto operation = operation_named(id);
    ASSERT_TRUE(store.begin(operation, {}).has_value());
    for (std::uint32_t block = 0; block < blocks; ++block)
        ASSERT_TRUE(store.append_pending(id, rows_of(numbered_flows(block * 10, 10))).has_value());
    operation.status = OperationStatus::Completed;
    ASSERT_TRUE(store.update(operation).has_value());
}

TEST_F(SqliteStoreFile, is_swept_in_steps_between_which_others_write_their_journal) {
    ManualClock clock;
    const auto store = SqliteStore::open(state(), clock).value();
    const auto other = SqliteStore::open(state(), clock).value();
    fill_with_blocks(*store, 200);
    ASSERT_TRUE(store->begin(operation_named("flush"), {}).has_value());
    clock.pass(std::chrono::hours{2});
    ASSERT_EQ(store->expire(std::chrono::hours{1}), 1U);
    unsigned steps = 0;
    for (Result<bool> more = true; more && *more; ++steps) {
        more = store->sweep();
        EXPECT_TRUE(store->append_pending("flush", rows_of(numbered_flows(0, 10))).has_value());
        EXPECT_TRUE(other->append_pending("flush", rows_of(numbered_flows(0, 10))).has_value()) << "another process";
    }
    EXPECT_GE(steps, 5U) << "of 200 blocks";
    EXPECT_EQ(store->flows("flush", 0, SIZE_MAX)->size(), 20 * steps);
}

TEST_F(SqliteStoreFile, makes_room_in_steps_and_stops_on_request) {
    const auto store = SqliteStore::open(state()).value();
    fill_with_blocks(*store, 200);
    ASSERT_TRUE(store->begin(operation_named("flush"), {}).has_value());
    unsigned turns = 0;
    const auto removed = store->shrink_to(0, [&] {
        ++turns;
        EXPECT_TRUE(store->append_pending("flush", rows_of(numbered_flows(0, 10))).has_value()) << "no thread holds it";
        return turns < 4;
    });
    EXPECT_TRUE(removed.has_value()) << removed.error().message;
    EXPECT_GE(turns, 4U);
    EXPECT_LE(turns, 5U) << "each of the two loops is told";
}

TEST_F(SqliteStoreFile, removes_no_more_when_another_process_makes_room_at_the_same_time) {
    const auto store = SqliteStore::open(state()).value();
    const auto other = SqliteStore::open(state()).value();
    for (const auto* id : {"one", "two", "three"})
        fill_with_blocks(*store, 200, id);
    ASSERT_EQ(store->shrink_to(store->bytes_used().value() - 1), 0U) << "the log is all that is too much";
    const auto budget = std::filesystem::file_size(file()) - 4096;
    std::uint64_t by_other = 0;
    const auto removed = store->shrink_to(budget, [&] {
        by_other += other->shrink_to(budget).value();
        return true;
    });
    EXPECT_EQ(removed.value() + by_other, 1U);
}

TEST_F(SqliteStoreFile, does_not_wait_for_readers_to_empty_its_log) {
    using namespace Poco::Data::Keywords;
    const auto store = SqliteStore::open(state()).value();
    fill_with_blocks(*store, 50);
    auto reader = operations::Database::open(file()).value();
    int rows = 0;
    const auto reading = reader.run([&](Poco::Data::Session& session) -> Result<void> {
        session << "BEGIN", now;
        session << "SELECT count(*) FROM blocks", into(rows), now;
        return {};
    });
    ASSERT_TRUE(reading.has_value());
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(store->shrink_to(0).has_value());
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{9}) << "which is SQLite's patience";
}

TEST_F(SqliteStoreFile, returns_gathered_rows_without_writing_them) {
    const auto store = SqliteStore::open(state()).value();
    const auto other = SqliteStore::open(state()).value();
    ASSERT_TRUE(store->begin(operation_named("one"), {}).has_value());
    ASSERT_TRUE(store->append("one", numbered_flows(0, 4096 + 10)).has_value());
    EXPECT_EQ(store->flows("one", 0, SIZE_MAX).value(), numbered_flows(0, 4106));
    EXPECT_EQ(store->flows("one", 4100, 3).value(), numbered_flows(4100, 3));
    EXPECT_EQ(other->flows("one", 0, SIZE_MAX)->size(), 4096U);
}

}  // namespace sqlite_store_test
}  // namespace headgate::testing
