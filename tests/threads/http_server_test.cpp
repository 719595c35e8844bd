// SPDX-License-Identifier: GPL-2.0-or-later
// The HTTP server over a real socket.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "http/server/server.h"
#include "support/served_gateway.h"

#ifndef __has_feature  // an extension of Clang
#define __has_feature(feature) 0
#endif

namespace headgate::http {
namespace http_server_test {

using namespace headgate::testing;

class HttpServer : public ServedGateway {};

Limits short_limits() {
    Limits limits;
    limits.idle = 300ms;
    limits.request = 300ms;
    limits.sending = 300ms;
    limits.threads = 4;
    limits.waiting = 4;
    return limits;
}

TEST_F(HttpServer, a_connection_takes_one_request_after_the_other) {
    start();
    const auto connection = raw();
    for (int i = 0; i < 3; ++i) {
        connection.say("GET /v1/operations HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_TRUE(connection.hear("{\"operations\":[]}\n").starts_with("HTTP/1.1 200 OK\r\n"));
    }
    connection.say(
        "GET /v1/operations HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const auto both = connection.hear();
    EXPECT_NE(both.find("200 OK"), std::string::npos);
    EXPECT_NE(both.find("404 Not Found"), std::string::npos);
}

TEST_F(HttpServer, the_answer_to_head_is_a_head_alone) {
    start();
    gateway_.complete_at_once(3);
    const auto id = client()->start(capture())->id;
    const auto connection = raw();
    for (const auto& target : {std::string{"/v1/operations"}, "/v1/operations/" + id + "/results"}) {
        connection.say("HEAD " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
        const auto head = connection.hear("\r\n\r\n");
        EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n")) << head;
        EXPECT_TRUE(head.ends_with("\r\n\r\n")) << head;
    }
    connection.say("GET /v1/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(connection.hear().starts_with("HTTP/1.1 404")) << "no body was in between";
}

TEST_F(HttpServer, events_are_sent_as_they_happen) {
    start();
    const auto id = client()->start(capture())->id;
    const auto connection = raw();
    connection.say("GET /v1/operations/" + id + "/events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_NE(connection.hear("event: progress").find("Content-Type: text/event-stream\r\n"), std::string::npos);
    gateway_.finish(id, {});
    EXPECT_NE(connection.hear().find("event: end\n"), std::string::npos);
}

std::string repeated(std::string_view text, int times) {
    std::string all;
    for (int i = 0; i < times; ++i)
        all += text;
    return all;
}

TEST_F(HttpServer, garbage_is_answered_with_one_problem_and_the_end_of_the_connection) {
    start();
    const auto post = [](std::string_view rest) {
        return "POST /v1/operations HTTP/1.1\r\nHost: x\r\n" + std::string{rest};
    };
    for (const auto& [text, status] : std::vector<std::pair<std::string, std::string>>{
             {"\x16\x03\x01garbage\r\n\r\n", "400"},
             {"GET / HTTP/9.9\r\n\r\n", "400"},
             {"GET /\r\n\r\n", "400"},
             {"GET /v1/operations HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", "400"},
             {"GET /v1/operations HTTP/1.1\r\nHost: x\r\nno-colon\r\n\r\n", "400"},
             {"GET /v1/operations HTTP/1.1\r\n\r\n", "400"},
             {"GET /v1/operations HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", "400"},
             {"GET /v1/operations HTTP/1.1\r\nHost: x/y\r\n\r\n", "400"},
             {"GET /v1/operations HTTP/1.1\r\nHost: x\r\nA: b\r\n folded: c\r\n\r\n", "400"},
             {"GET /%zz?a=%zz HTTP/1.1\r\nHost: x\r\n\r\n", "400"},
             {post("Content-Length: x\r\n\r\n"), "400"},
             {post("Content-Length: 1\r\nContent-Length: 1\r\n\r\nx"), "400"},
             {post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx"), "400"},
             {post("Transfer-Encoding: gzip\r\n\r\nx"), "400"},
             {post("Transfer-Encoding: chunked\r\n\r\nzz\r\n"), "400"},
             {post("Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n"), "400"},
             {post("Content-Length: 2000000\r\n\r\n"), "413"},
             {post("Transfer-Encoding: chunked\r\n\r\nfffffff\r\n" + std::string(1'100'000, ' ')), "413"},
             {post("X: " + std::string(70'000, 'x') + "\r\n\r\n"), "431"},
             {post(repeated("a:\r\n", 101) + "\r\n"), "431"},
             {std::string(70'000, 'x'), "431"},
         }) {
        const auto answer = answer_to(text);
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + status)) << text.substr(0, 80) << "\n" << answer;
        EXPECT_NE(answer.find("application/problem+json"), std::string::npos) << answer;
        EXPECT_EQ(answer.find("HTTP/1.1 4", 1), std::string::npos) << answer;
    }
    EXPECT_TRUE(client()->list({})) << "and the server goes on";
}

TEST_F(HttpServer, a_body_may_come_in_chunks_and_be_asked_for) {
    start();
    const auto connection = raw();
    connection.say(
        "POST /v1/operations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
        "Transfer-Encoding: chunked\r\n\r\n");
    EXPECT_EQ(connection.hear("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    for (const std::string_view piece : {R"({"type":"FLOW_CA)", R"(PTURE","filters":[{}]})"})
        connection.say(fmt::format("{:X};x=y\r\n{}\r\n", piece.size(), piece));
    connection.say("0\r\nA: b\r\n\r\n");
    EXPECT_TRUE(connection.hear("}}\n").starts_with("HTTP/1.1 202 Accepted\r\n"));
}

TEST_F(HttpServer, a_client_of_http_1_0_gets_all_of_a_stream) {
    start();
    gateway_.complete_at_once(1000);
    const auto id = client()->start(capture())->id;
    const auto answer =
        answer_to("GET /v1/operations/" + id + "/results HTTP/1.0\r\nAccept: application/x-ndjson\r\n\r\n");
    EXPECT_EQ(answer.find("chunked"), std::string::npos);
    EXPECT_EQ(std::ranges::count(answer.substr(answer.find("\r\n\r\n") + 4), '\n'), 1000);
}

TEST_F(HttpServer, clients_that_are_slow_or_send_nothing_lose_their_connection) {
    start(short_limits());
    EXPECT_EQ(answer_to(""), "");
    EXPECT_TRUE(answer_to("GET /v1/opera").starts_with("HTTP/1.1 408 ")) << "half a header";
    EXPECT_TRUE(answer_to("POST /v1/operations HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n{")
                    .starts_with("HTTP/1.1 408 "));
    EXPECT_NE(answer_to("GET /v1/operations HTTP/1.1\r\nHost: x\r\n\r\n").find("200 OK"), std::string::npos)
        << "idle afterwards";
    gateway_.complete_at_once(100'000);
    const auto id = client()->start(capture())->id;
    const auto sleeper = raw();
    sleeper.say("GET /v1/operations/" + id + "/results HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(soon([&] { return gateway_.streams() == 1; }));
    EXPECT_TRUE(soon([&] { return gateway_.streams() == 0 && server_->connections() == 0; })) << "it reads nothing";
}

/// As many connections as the limits let wait, each with an incomplete request.
TEST_F(HttpServer, who_is_slow_or_silent_keeps_no_thread) {
    auto limits = short_limits();
    limits.threads = 1;
    limits.waiting = 8;
    limits.idle = limits.request = 1min;
    start(limits);
    std::vector<Raw> slow;
    for (const auto* begun :
         {"", "", "G", "GET / HTTP/1.1\r\nHost: ", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{",
          "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{"}) {
        slow.push_back(raw());
        slow.back().say(begun);
    }
    for (const auto* whole : {"NONSENSE\r\n\r\n", "GET /v1/operations HTTP/1.1\r\nHost: x\r\n\r\n"}) {
        slow.push_back(raw());
        slow.back().say(whole);  // without closing: the server rejects the first, and keeps the second alive
    }
    const auto begun = std::chrono::steady_clock::now();
    EXPECT_TRUE(client()->list({}));
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 1s);
    EXPECT_GE(server_->connections(), 7U);
}

TEST_F(HttpServer, where_too_many_are_there_the_oldest_without_a_request_goes) {
    auto limits = short_limits();
    limits.idle = limits.request = 1min;
    start(limits);
    std::vector<Raw> silent;
    for (std::size_t i = 0; i < 8; ++i) {
        silent.push_back(raw());
        if (i != 0) silent.back().say("GET");
        EXPECT_TRUE(soon([&] { return server_->connections() == silent.size(); }));
    }
    EXPECT_TRUE(client()->list({}));
    EXPECT_TRUE(silent[0].hear().starts_with("HTTP/1.1 503 "));
    silent[7].say(" /v1/operations HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(silent[7].hear().starts_with("HTTP/1.1 200 ")) << "the youngest is still there";
}

TEST_F(HttpServer, where_all_are_busy_with_requests_who_comes_is_turned_away) {
    auto limits = short_limits();
    limits.threads = 2;
    limits.waiting = 0;
    start(limits);
    const auto id = client()->start(capture())->id;
    EXPECT_TRUE(soon([&] { return server_->connections() == 0; }));
    std::vector<Raw> busy;
    for (std::size_t i = 0; i < 2; ++i) {
        busy.push_back(raw());
        busy.back().say("GET /v1/operations/" + id + "?wait_ms=30000 HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_TRUE(soon([&] { return server_->answering() == busy.size(); }));
    }
    EXPECT_TRUE(answer_to("").starts_with("HTTP/1.1 503 "));
    gateway_.finish(id, {});
    EXPECT_TRUE(busy[0].hear("\r\n\r\n").starts_with("HTTP/1.1 200 "));
}

TEST_F(HttpServer, requests_that_have_come_in_part_keep_little_memory_together) {
    auto limits = short_limits();
    limits.idle = limits.request = 1min;
    limits.held = 100'000;
    start(limits);
    std::vector<Raw> slow;
    for (int i = 0; i < 4; ++i) {
        slow.push_back(raw());
        slow.back().say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n" + std::string(40'000, 'x'));
    }
    EXPECT_TRUE(soon([&] { return server_->connections() == 2; })) << server_->connections();
}

TEST_F(HttpServer, a_whole_url_is_served_and_its_host_counts) {
    start();
    EXPECT_TRUE(
        answer_to("GET http://gateway:80/v1/operations?limit=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .starts_with("HTTP/1.1 200 "));
    EXPECT_TRUE(
        answer_to("GET HTTPS://gateway HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 200 "))
        << "the console";
    for (const auto* target : {"http://", "http:///v1/operations", "http://a@b/", "ftp://gateway/", "gateway:80", "*"})
        EXPECT_TRUE(answer_to(fmt::format("GET {} HTTP/1.1\r\nHost: x\r\n\r\n", target)).starts_with("HTTP/1.1 400 "))
            << target;
}

TEST_F(HttpServer, stops_while_clients_wait_and_removes_its_file) {
    start();
    gateway_.complete_at_once(100'000);
    const auto streamed = client()->start(capture())->id;
    const auto sleeper = raw();
    sleeper.say("GET /v1/operations/" + streamed + "/results HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(soon([&] { return gateway_.streams() == 1; }));
    const auto idle = raw();
    idle.say("GET /v1/operations HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(idle.hear("}\n"), "");

    const auto begun = std::chrono::steady_clock::now();
    server_->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 9s);
    EXPECT_FALSE(std::filesystem::exists(path_));
    EXPECT_EQ(AgentGateway::connect(path_).error().kind, ErrorKind::Missing);
    EXPECT_EQ(server_->connections(), 0U);
    server_->stop();
}

TEST_F(HttpServer, who_waits_for_an_operation_gets_it_as_it_is_when_the_server_stops) {
    start();
    const auto agent = client();
    const auto id = agent->start(capture())->id;
    Result<FlowOperation> answer;
    std::thread waiter{[&] { answer = agent->wait(id, 20s); }};
    EXPECT_TRUE(soon([&] { return gateway_.waiting() != 0; }));
    const auto begun = std::chrono::steady_clock::now();
    server_->stop();
    EXPECT_LT(std::chrono::steady_clock::now() - begun, 3s);
    waiter.join();
    EXPECT_TRUE(answer) << answer.error().message;
}

TEST_F(HttpServer, a_second_one_on_the_same_path_is_refused) {
    start();
    const auto second = UnixListener::open(path_);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::Refused);
    EXPECT_NE(second.error().message.find("already running"), std::string::npos);
    EXPECT_TRUE(client()->list({})) << "and the first one still has its socket";
}

TEST_F(HttpServer, of_many_that_start_at_once_one_listens) {
    std::atomic<int> listening = 0;
    std::mutex mutex;
    std::vector<UnixListener> listeners;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            auto listener = UnixListener::open(path_);
            if (!listener) return;
            ++listening;
            const std::lock_guard lock{mutex};
            listeners.push_back(std::move(*listener));
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(listening, 1);
}

TEST_F(HttpServer, a_socket_that_was_left_behind_is_replaced_and_other_files_are_not) {
    {
        auto listener = UnixListener::open(path_);
        ASSERT_TRUE(listener);
        std::filesystem::rename(path_, path_ + ".kept");
        EXPECT_EQ(AgentGateway::connect(path_).error().kind, ErrorKind::Missing);
    }
    std::filesystem::rename(path_ + ".kept", path_);
    EXPECT_EQ(AgentGateway::connect(path_).error().kind, ErrorKind::Disconnected);
    start();
    EXPECT_TRUE(client()->list({}));
    struct stat facts {};
    ASSERT_EQ(::stat(path_.c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 0777, 0660U);
    const auto file = folder_.write("file", "precious");
    EXPECT_EQ(UnixListener::open(file).error().number, EEXIST);
    EXPECT_TRUE(std::filesystem::exists(file));
    EXPECT_EQ(UnixListener::open(folder_.path(std::string(120, 'x'))).error().kind, ErrorKind::Invalid);
}

TEST_F(HttpServer, takes_over_a_socket_and_leaves_its_file_alone) {
    auto made = UnixListener::open(path_);
    ASSERT_TRUE(made);
    auto adopted = UnixListener::adopt(FileDescriptor{::dup(made->descriptor())});
    ASSERT_TRUE(adopted) << adopted.error().message;
    EXPECT_EQ(adopted->path(), path_);
    auto server = Server::start({Listener::on(std::move(*adopted))}, dispatcher_);
    ASSERT_TRUE(server);
    EXPECT_TRUE(client()->list({}));
    (*server)->stop();
    EXPECT_TRUE(std::filesystem::exists(path_));
    EXPECT_FALSE(UnixListener::adopt(FileDescriptor{::socket(AF_UNIX, SOCK_STREAM, 0)})) << "does not listen";
}

/// Runs `work` as user nobody in one thread only: the kernel has credentials for each thread, and only the C library's
/// wrappers change those of all threads.
template <typename Work>
void as_nobody(const Work& work) {
    std::thread{[&] {
        ASSERT_EQ(::syscall(SYS_setgroups, 0, nullptr), 0);
        ASSERT_EQ(::syscall(SYS_setresgid, -1, 65534, -1), 0);
        ASSERT_EQ(::syscall(SYS_setresuid, -1, 65534, -1), 0);
        work();
    }}.join();
}

TEST_F(HttpServer, only_root_its_own_user_and_members_of_the_group_may_ask) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can be somebody else";
    std::filesystem::permissions(folder_.path("."), std::filesystem::perms{0755});
    start();
    as_nobody([&] {
        const auto agent = AgentGateway::connect(path_);
        ASSERT_FALSE(agent);
        EXPECT_EQ(agent.error().kind, ErrorKind::Forbidden);
        EXPECT_EQ(agent.error().message,
                  path_ + ": only root and members of the group headgate may ask the agent: use sudo, or join it");
    });
    std::filesystem::permissions(path_, std::filesystem::perms{0666});
    as_nobody([&] {
        const auto refused = client()->list({});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().kind, ErrorKind::Forbidden);
        EXPECT_EQ(refused.error().message, "only root and members of the group headgate may ask headgate");
    });
    EXPECT_TRUE(client()->list({}));
}

TEST_F(HttpServer, the_kernel_identifies_a_peer) {
    auto listener = UnixListener::open(path_);
    ASSERT_TRUE(listener);
    const auto peer_as = [&](std::string_view group) {
        const auto connected = connect_to(path_);
        const FileDescriptor accepted{::accept(listener->descriptor(), nullptr, nullptr)};
        return peer_of(accepted.get(), group).value();
    };
    EXPECT_TRUE(peer_as("no such group").is_admitted);
    EXPECT_EQ(peer_as("").caller.uid, ::geteuid());
    if (::geteuid() != 0) return;
    std::filesystem::permissions(folder_.path("."), std::filesystem::perms{0755});
    std::filesystem::permissions(path_, std::filesystem::perms{0666});
    FileDescriptor connected;
    as_nobody([&] { connected = connect_to(path_).value(); });
    const FileDescriptor accepted{::accept(listener->descriptor(), nullptr, nullptr)};
    EXPECT_EQ(peer_of(accepted.get()).value().caller, (Caller{"unix", 65534U, "nobody", "", ""}));
    EXPECT_FALSE(peer_of(accepted.get()).value().is_admitted);
    EXPECT_TRUE(peer_of(accepted.get(), "nogroup").value().is_admitted) << "its primary group";
}

TEST_F(HttpServer, at_rest_nothing_wakes_up) {
#if __has_feature(thread_sanitizer)
    GTEST_SKIP() << "ThreadSanitizer has a thread of its own that wakes up";
#endif
    start();
    gateway_.complete_at_once(10);
    EXPECT_TRUE(client()->start(capture()));
    EXPECT_TRUE(soon([&] { return server_->connections() == 0; }));
    const auto switches = [] {
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        return usage.ru_nvcsw;
    };
    std::this_thread::sleep_for(100ms);
    const auto before = switches();
    std::this_thread::sleep_for(1s);
    EXPECT_LE(switches() - before, 2) << "one is this thread's own sleep";
}

}  // namespace http_server_test
}  // namespace headgate::http
