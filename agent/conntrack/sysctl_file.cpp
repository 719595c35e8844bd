// SPDX-License-Identifier: GPL-2.0-or-later
#include "conntrack/sysctl_file.h"

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "base/text.h"

namespace headgate::conntrack {
namespace {

std::string path_of(std::string_view name) {
    return fmt::format("/proc/sys/net/netfilter/{}", name);
}

}  // namespace

Result<SysctlFile> SysctlFile::open(std::string_view name) {
    const std::string path = path_of(name);
    FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file.is_open()) return system_error(errno, path);
    return SysctlFile{std::move(file), name};
}

Result<std::uint64_t> SysctlFile::read() const {
    std::array<char, 32> text{};
    const ssize_t size = ::pread(fd_.get(), text.data(), text.size(), 0);
    if (size <= 0) return system_error(size < 0 ? errno : EIO, name_);
    const std::string_view line{text.data(), static_cast<std::size_t>(size)};
    const auto number = parse_unsigned<std::uint64_t>(line.substr(0, line.find('\n')));
    if (!number) return failed("{} is not a number", name_);
    return *number;
}

Result<void> SysctlFile::write(std::string_view name, std::uint64_t value) {
    const std::string path = path_of(name);
    const FileDescriptor file{::open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (!file.is_open()) return system_error(errno, path);
    const std::string text = fmt::format("{}\n", value);
    const ssize_t size = ::write(file.get(), text.data(), text.size());
    if (size != static_cast<ssize_t>(text.size())) return system_error(size < 0 ? errno : EIO, path);
    return {};
}

}  // namespace headgate::conntrack
