// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/patient_input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

namespace headgate::cli {
namespace {

constexpr std::string_view kStandardInput = "-";

/// Without O_NONBLOCK, open(2) of a FIFO waits for a writer (fifo(7)).
FileDescriptor open_input(const std::string& path) {
    if (path == kStandardInput) return FileDescriptor{::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)};
    return FileDescriptor{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
}

}  // namespace

Result<std::unique_ptr<PatientInput>> PatientInput::open(const std::string& path, std::chrono::milliseconds patience) {
    const std::string name = path == kStandardInput ? "standard input" : path;
    auto file = open_input(path);
    if (!file.is_open()) return system_error(errno, name);
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0) return system_error(errno, name);
    if (S_ISDIR(facts.st_mode)) return system_error(EISDIR, name);
    if (!S_ISREG(facts.st_mode) && !S_ISFIFO(facts.st_mode) && !S_ISSOCK(facts.st_mode)) {
        return invalid("{}: neither a file nor a pipe", name);
    }
    return std::unique_ptr<PatientInput>{new PatientInput{name, std::move(file), patience}};
}

PatientInput::int_type PatientInput::underflow() {
    const auto read = fault_ ? Result<std::size_t>{0} : read_some();
    if (!read) fault_ = read.error();
    if (!read || *read == 0) return traits_type::eof();
    setg(room_.data(), room_.data(), room_.data() + *read);
    return traits_type::to_int_type(room_.front());
}

/// Files are always ready (poll(2)). A pipe without writers reports POLLHUP only if there was one before.
Result<void> PatientInput::wait() const {
    const auto until = std::chrono::steady_clock::now() + patience_;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
        pollfd on{file_.get(), POLLIN, 0};
        const int ready = ::poll(&on, 1, left.count() < 0 ? 0 : static_cast<int>(left.count()));
        if (ready > 0) return {};
        if (ready < 0 && errno != EINTR) return system_error(errno, name_);
        if (ready < 0 && left.count() > 0) continue;
        return make_error(ErrorKind::TimedOut, "{}: nothing has come for {} s, and no end", name_,
                          std::chrono::ceil<std::chrono::seconds>(patience_).count());
    }
}

Result<std::size_t> PatientInput::read_some() {
    for (;;) {
        RETURN_IF_ERROR(wait());
        const auto got = ::read(file_.get(), room_.data(), room_.size());
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR && errno != EAGAIN) return system_error(errno, name_);
    }
}

}  // namespace headgate::cli
