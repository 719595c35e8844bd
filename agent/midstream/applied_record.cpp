#include "midstream/applied_record.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstdint>
#include <fstream>

#include "flow/file_descriptor.h"

namespace headgate::midstream {

Result<AppliedRecord> AppliedRecord::open(const std::filesystem::path& folder) {
    const FileDescriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    if (!socket.is_open() || ::getsockopt(socket.get(), SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0) {
        return system_error(errno, "asking for the network namespace's cookie");
    }
    return AppliedRecord{folder / fmt::format("policy-{}", cookie)};
}

Result<std::optional<Applied>> AppliedRecord::read() const {
    std::ifstream file{file_, std::ios::binary};
    if (!file) {
        if (errno == ENOENT) return std::nullopt;
        return system_error(errno, file_.string());
    }
    Applied applied;
    file >> applied.policy >> applied.fingerprint;
    return applied;
}

Result<void> AppliedRecord::write(const Applied& applied) const {
    std::error_code error;
    std::filesystem::create_directories(file_.parent_path(), error);
    if (error) return system_error(error.value(), file_.parent_path().string());
    auto draft = file_;
    draft += ".new";
    std::ofstream file{draft, std::ios::binary | std::ios::trunc};
    file << applied.policy << ' ' << applied.fingerprint << '\n';
    file.close();
    if (!file) return system_error(errno, draft.string());
    std::filesystem::rename(draft, file_, error);
    if (error) return system_error(error.value(), file_.string());
    return {};
}

Result<void> AppliedRecord::remove() const {
    std::error_code error;
    std::filesystem::remove(file_, error);
    if (error) return system_error(error.value(), file_.string());
    return {};
}

}  // namespace headgate::midstream
