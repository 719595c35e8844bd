#include "operations/endpoint_lock.h"

#include <Poco/SHA1Engine.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "files/own_file.h"

namespace headgate::operations {
namespace {

/// A digest: the three names together may be longer than the name of a file, and hold whatever a path may.
std::filesystem::path lock_file(const std::filesystem::path& state_dir, const Endpoint& endpoint) {
    Poco::SHA1Engine digest;
    for (const auto& name : {endpoint.firewall, endpoint.availability_zone, endpoint.network_namespace})
        digest.update(name.c_str(), name.size() + 1);
    return state_dir / ("endpoint-" + Poco::DigestEngine::digestToHex(digest.digest()) + ".lock");
}

tl::unexpected<Error> busy(const Endpoint& endpoint, const FileDescriptor& file) {
    std::array<char, 64> text{};
    const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
    const std::string_view holder{text.data(), static_cast<std::size_t>(size > 0 ? size : 0)};
    return tl::unexpected(
        Error{ErrorKind::Refused,
              fmt::format("busy: {} is running on firewall {} in {}, and there is one operation at a time",
                          holder.empty() ? "another operation" : fmt::format("operation {}", holder), endpoint.firewall,
                          endpoint.availability_zone),
              EBUSY});
}

}  // namespace

Result<EndpointLock> EndpointLock::take(const std::filesystem::path& state_dir, const Endpoint& endpoint,
                                        std::string_view operation_id) {
    const auto path = lock_file(state_dir, endpoint);
    // Never removed: who opened it before that would hold a lock that nobody else can find.
    const auto open = [&path] { return open_own_file(path, O_RDWR | O_CREAT, 0640); };
    auto file = open();
    // The store would have made the folder: why it could not is what is wrong.
    if (!file && file.error().number == ENOENT) file = make_own_folder(state_dir, 0750).and_then(open);
    if (!file && file.error().number == EROFS) {
        if (auto there = open_own_file(path, O_RDONLY, 0)) file = std::move(there);
    }
    if (!file) return tl::unexpected(std::move(file.error()));
    if (::flock(file->get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return system_error(errno, path.native());
        return busy(endpoint, *file);
    }
    // Without the name it is as good a lock: who finds it held is told of another operation.
    if (::ftruncate(file->get(), 0) == 0) {
        static_cast<void>(::pwrite(file->get(), operation_id.data(), operation_id.size(), 0));
    }
    return EndpointLock{std::move(*file)};
}

}  // namespace headgate::operations
