#include "conntrack/table_sysctls.h"

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <string>

#include "flow/text.h"

namespace headgate::conntrack {
namespace {

constexpr std::string_view kFolder = "/proc/sys/net/netfilter/";

Result<FileDescriptor> open_sysctl(std::string_view name) {
    const std::string path = fmt::format("{}{}", kFolder, name);
    FileDescriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (file.is_open()) return file;
    if (errno == ENOENT) return failed("{} is missing: conntrack is not loaded (modprobe nf_conntrack_netlink)", path);
    return system_error(errno, path);
}

Result<std::uint64_t> read_number(const FileDescriptor& file, std::string_view name) {
    std::array<char, 32> text{};
    const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
    if (size <= 0) return system_error(size < 0 ? errno : EIO, name);
    const std::string_view line{text.data(), static_cast<std::size_t>(size)};
    const auto number = parse_unsigned<std::uint64_t>(line.substr(0, line.find('\n')));
    if (!number) return failed("{} is not a number", name);
    return *number;
}

}  // namespace

Result<TableSysctls> TableSysctls::open() {
    TableSysctls sysctls;
    const std::pair<FileDescriptor*, std::string_view> files[] = {
        {&sysctls.count_, "nf_conntrack_count"},
        {&sysctls.maximum_, "nf_conntrack_max"},
        {&sysctls.buckets_, "nf_conntrack_buckets"},
        {&sysctls.tcp_loose_, "nf_conntrack_tcp_loose"},
    };
    for (const auto& [slot, name] : files) {
        auto file = open_sysctl(name);
        if (!file) return tl::unexpected(std::move(file.error()));
        *slot = std::move(*file);
    }
    return sysctls;
}

Result<TableUsage> TableSysctls::usage() const {
    TableUsage usage;
    const std::tuple<std::uint64_t*, const FileDescriptor*, std::string_view> numbers[] = {
        {&usage.in_use, &count_, "nf_conntrack_count"},
        {&usage.maximum, &maximum_, "nf_conntrack_max"},
        {&usage.buckets, &buckets_, "nf_conntrack_buckets"},
    };
    for (const auto& [slot, file, name] : numbers) {
        auto number = read_number(*file, name);
        if (!number) return tl::unexpected(std::move(number.error()));
        *slot = *number;
    }
    return usage;
}

Result<std::uint64_t> TableSysctls::buckets() const {
    return read_number(buckets_, "nf_conntrack_buckets");
}

Result<bool> TableSysctls::tcp_loose() const {
    return read_number(tcp_loose_, "nf_conntrack_tcp_loose").map([](std::uint64_t value) { return value != 0; });
}

}  // namespace headgate::conntrack
