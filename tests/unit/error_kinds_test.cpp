// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/error_kinds.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "cli/exit_code.h"
#include "http/problem.h"

namespace headgate {
namespace error_kinds_test {

using cli::ExitCode;

http::Response problem_of_kind(ErrorKind kind) {
    return http::problem_of({kind, "why"});
}

TEST(ErrorKinds, each_survives_the_way_to_a_client) {
    for (const auto& each : kErrorKinds) {
        const auto answer = problem_of_kind(each.kind);
        const auto error = http::error_of(answer.status, answer.body);
        EXPECT_EQ(error.kind, each.kind) << each.name;
        EXPECT_EQ(error.message, "why");
    }
}

TEST(ErrorKinds, each_has_a_status_and_an_exit_code_that_agree_on_whose_fault_it_is) {
    for (const auto& each : kErrorKinds) {
        // A candidate that does not load is the answer to a question, as where a compiler fails.
        const bool is_servers = each.http_status == 500 || each.kind == ErrorKind::Unloadable;
        EXPECT_EQ(cli::exit_code(each.kind) == ExitCode::Failed, is_servers) << each.name;
    }
}

TEST(ErrorKinds, what_scripts_rely_on_stays) {
    const auto is = [](ErrorKind kind, ExitCode code, int status) {
        EXPECT_EQ(cli::exit_code(kind), code) << facts_of(kind).name;
        EXPECT_EQ(problem_of_kind(kind).status, status) << facts_of(kind).name;
    };
    is(ErrorKind::Invalid, ExitCode::Usage, 400);
    is(ErrorKind::NotFound, ExitCode::Usage, 404);
    is(ErrorKind::Unloadable, ExitCode::Failed, 422);
    is(ErrorKind::Refused, ExitCode::Refused, 409);
    is(ErrorKind::Busy, ExitCode::Refused, 409);
    is(ErrorKind::Forbidden, ExitCode::Refused, 403);
    is(ErrorKind::Unavailable, ExitCode::Refused, 503);
    is(ErrorKind::Failed, ExitCode::Failed, 500);
    is(ErrorKind::TimedOut, ExitCode::Failed, 500);
}

TEST(ErrorKinds, an_answer_without_a_known_kind_is_judged_by_its_status) {
    const auto kind = [](int status, const std::string& body) { return http::error_of(status, body).kind; };
    EXPECT_EQ(kind(404, R"({"detail":"gone","errno":2})"), ErrorKind::NotFound);
    EXPECT_EQ(kind(409, R"({"detail":"busy","errno":16})"), ErrorKind::Refused);
    EXPECT_EQ(kind(409, R"({"detail":"new","kind":"of_a_newer_agent"})"), ErrorKind::Refused);
    EXPECT_EQ(kind(403, "{}"), ErrorKind::Forbidden);
    EXPECT_EQ(kind(503, ""), ErrorKind::Unavailable);
    EXPECT_EQ(kind(418, ""), ErrorKind::Invalid);
    EXPECT_EQ(kind(502, ""), ErrorKind::Failed);
}

TEST(ErrorKinds, a_problem_document_has_the_errno_of_a_system_call_or_the_usual_one_of_the_kind) {
    const auto number = [](const Error& error) { return http::error_of(500, http::problem_of(error).body).number; };
    EXPECT_EQ(number(system_error(EDQUOT, "disk").value()), EDQUOT);
    EXPECT_EQ(number({ErrorKind::Busy, "busy"}), EBUSY);
    EXPECT_EQ(number({ErrorKind::Invalid, "wrong"}), 0);
}

TEST(ErrorKinds, a_failed_system_call_has_the_kind_that_callers_decide_by) {
    EXPECT_EQ(system_error(ENOENT, "file").value().kind, ErrorKind::Missing);
    EXPECT_EQ(system_error(EROFS, "file").value().kind, ErrorKind::DiskFault);
    EXPECT_EQ(system_error(EPIPE, "socket").value().kind, ErrorKind::Disconnected);
    EXPECT_EQ(system_error(EINVAL, "socket").value().kind, ErrorKind::Failed);
}

TEST(ErrorKinds, every_refusal_is_one_whatever_the_reason) {
    EXPECT_TRUE(is_refusal({ErrorKind::Refused, ""}));
    EXPECT_TRUE(is_refusal({ErrorKind::Busy, ""}));
    EXPECT_TRUE(is_refusal({ErrorKind::Forbidden, ""}));
    EXPECT_FALSE(is_refusal({ErrorKind::NotFound, ""}));
    EXPECT_FALSE(is_refusal({ErrorKind::Locked, ""}));
}

}  // namespace error_kinds_test
}  // namespace headgate
