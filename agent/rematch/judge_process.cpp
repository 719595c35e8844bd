// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/judge_process.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>

#include "rematch/world_judge.h"
#include "threads/guarded.h"

namespace headgate::rematch {
namespace {

using netlink::Bytes;

/// The judge's socket in its process; it has no other files but /dev/null as 0, 1 and 2.
constexpr int kSocket = 3;

struct Answer {
    MessageType type{};
    ByteString payload;
};

/// One request after the other: first Prepare, once.
class JudgeService {
  public:
    [[nodiscard]] Result<Answer> answer(const JudgeMessage& request) {
        switch (request.type) {
            case MessageType::Prepare:
                return prepare(request.payload);
            case MessageType::Ask:
                return ask(request.payload);
            default:
                return make_error(ErrorKind::Damaged, "this is no request to a judge");
        }
    }

  private:
    [[nodiscard]] Result<Answer> prepare(Bytes payload) {
        if (judge_) return make_error(ErrorKind::Damaged, "the judge is prepared already");
        ASSIGN_OR_RETURN(const auto preparation, unpack_preparation(payload));
        ASSIGN_OR_RETURN(judge_, WorldJudge::open(preparation));
        return Answer{MessageType::Prepared, pack_texts(judge_->warnings())};
    }

    [[nodiscard]] Result<Answer> ask(Bytes payload) {
        if (!judge_) return make_error(ErrorKind::Damaged, "the judge is not prepared");
        ASSIGN_OR_RETURN(const auto questions, unpack_questions(payload));
        ASSIGN_OR_RETURN(const auto verdicts, judge_->judge(questions));
        return Answer{MessageType::Verdicts, pack_verdicts(verdicts)};
    }

    std::unique_ptr<WorldJudge> judge_;
};

/// Leaves the judge what it needs, and nothing that would outlast this process or keep a file of it open.
void confine(int socket) {
    static_cast<void>(::signal(SIGINT, SIG_IGN));  // from the terminal: this process decides
    static_cast<void>(::signal(SIGTERM, SIG_DFL));
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (socket != kSocket) ::dup3(socket, kSocket, O_CLOEXEC);
    ::close_range(kSocket + 1, ~0U, 0);
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
        ::dup2(nothing, standard);
    ::close(nothing);
}

/// Only what nf_tables, routes and probes need. Whatever the judge is given, it can reach no other namespace.
bool drop_privileges() {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    constexpr std::uint32_t kNeeded = 1U << CAP_NET_ADMIN | 1U << CAP_NET_RAW;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const std::array<__user_cap_data_struct, 2> capabilities{{{kNeeded, kNeeded, 0}, {0, 0, 0}}};
    return ::syscall(SYS_capset, &header, capabilities.data()) == 0;
}

tl::unexpected<Error> no_world(int number) {
    auto error = system_error(number, "a network namespace to judge in");
    if (number == EPERM) {
        error.value().message += "; the agent's sandbox permits none: root can judge with --netns, without the agent";
    }
    return error;
}

[[noreturn]] void run_child(int socket) {
    confine(socket);
    const auto work = guarded([&]() -> Result<void> {
        if (::unshare(CLONE_NEWNET) != 0) return no_world(errno);
        if (!drop_privileges()) return system_error(errno, "dropping privileges");
        serve_judge(kSocket);
        return {};
    });
    if (!work) static_cast<void>(send_message(kSocket, MessageType::Fault, pack_error(work.error())));
    ::_exit(work ? 0 : 1);
}

}  // namespace

void serve_judge(int socket) {
    JudgeService service;
    for (;;) {
        const auto request = receive_message(socket);
        if (!request) return;
        const auto answer = guarded([&] { return service.answer(*request); });
        const auto sent = answer ? send_message(socket, answer->type, answer->payload)
                                 : send_message(socket, MessageType::Fault, pack_error(answer.error()));
        if (!sent) return;
    }
}

Result<JudgeProcess> JudgeProcess::start() {
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
        return system_error(errno, "a socket to the judge");
    }
    FileDescriptor ours{ends[0]};
    FileDescriptor theirs{ends[1]};
    const pid_t process = ::fork();
    if (process < 0) return system_error(errno, "a process that judges");
    if (process == 0) run_child(theirs.get());
    return JudgeProcess{process, std::move(ours)};
}

JudgeProcess::~JudgeProcess() {
    if (process_ < 0) return;
    ::kill(process_, SIGKILL);
    while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Result<ByteString> JudgeProcess::exchange(MessageType request, Bytes payload, MessageType expected) {
    // A judge that could not begin has sent an error, and does not read.
    auto sent = send_message(socket_.get(), request, payload);
    auto answer = receive_message(socket_.get());
    if (!answer) return tl::unexpected(std::move(sent ? answer.error() : sent.error()));
    if (answer->type == MessageType::Fault) {
        ASSIGN_OR_RETURN(auto error, unpack_error(answer->payload));
        return tl::unexpected(std::move(error));
    }
    if (answer->type != expected) return make_error(ErrorKind::Damaged, "the judge answers another question");
    return std::move(answer->payload);
}

}  // namespace headgate::rematch
