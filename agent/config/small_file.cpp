#include "config/small_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "flow/file_descriptor.h"

namespace headgate::config {
namespace {

/// As much as there is, up to one byte more than a file may have: what is read tells, the size a file claims need not.
Result<std::string> read_all(const FileDescriptor& file, const std::string& name) {
    std::string text(kLargestFile + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t read = ::read(file.get(), text.data() + size, text.size() - size);
        if (read < 0 && errno == EINTR) continue;
        if (read < 0) return system_error(errno, name);
        if (read == 0) break;
        size += static_cast<std::size_t>(read);
    }
    text.resize(size);
    return text;
}

}  // namespace

Result<std::string> read_small_file(const std::filesystem::path& path) {
    const auto& name = path.native();
    // Without O_NONBLOCK, opening a pipe that nobody writes to would wait forever.
    const FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (!file.is_open()) return system_error(errno, name);
    struct stat facts {};
    if (::fstat(file.get(), &facts) != 0) return system_error(errno, name);
    if (!S_ISREG(facts.st_mode)) return invalid("{}: not a regular file", name);
    auto text = read_all(file, name);
    if (text && text->size() > kLargestFile) return invalid("{}: larger than {} KiB", name, kLargestFile / 1024);
    return text;
}

}  // namespace headgate::config
