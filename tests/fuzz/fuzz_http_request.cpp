// Any bytes on a connection: every request that they hold has one answer, and the connection ends.
#include <sys/socket.h>

#include <cstdlib>

#include "http/connection.h"
#include "http/routes.h"
#include "support/memory_gateway.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace headgate;
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
    const FileDescriptor client{ends[0]};
    http::Wire wire{FileDescriptor{ends[1]}};
    if (::send(client.get(), data, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) std::abort();
    ::shutdown(client.get(), SHUT_WR);

    testing::MemoryGateway gateway;
    gateway.complete_at_once(3);
    const auto router = http::make_router(gateway);
    const http::Peer root{{"unix", 0U, "root", "", ""}, true};
    http::Service service;
    service.answer = [&](http::Request request) {
        auto answer = router.answer(std::move(request));
        if (answer.status < 200 || (!answer.stream && answer.body.empty())) std::abort();
        return answer;
    };
    service.is_stopping = [] { return false; };
    service.is_wanted = [] { return false; };
    service.idles = [](bool) {};
    http::serve(wire, root, service);
    return 0;
}
