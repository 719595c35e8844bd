// SPDX-License-Identifier: GPL-2.0-or-later
#include "rematch/judge_messages.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "base/error_kinds.h"

namespace headgate::rematch {
namespace {

using netlink::Bytes;

/// Ten million bytes of a candidate, or half a million elements of sets, are far below.
constexpr std::uint64_t kLongestPayload = std::uint64_t{512} << 20U;

Result<void> send_all(int socket, Bytes bytes) {
    while (!bytes.empty()) {
        const auto sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return make_error(ErrorKind::Disconnected, "the judge of rematch ended unexpectedly");
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    return {};
}

Result<void> receive_all(int socket, std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const auto received = ::recv(socket, bytes.data(), bytes.size(), 0);
        if (received < 0 && errno == EINTR) continue;
        if (received <= 0) return make_error(ErrorKind::Disconnected, "the judge of rematch ended unexpectedly");
        bytes = bytes.subspan(static_cast<std::size_t>(received));
    }
    return {};
}

ByteString whole(const PackedWriter& writer) {
    return {writer.written().begin(), writer.written().end()};
}

tl::unexpected<Error> damaged() {
    return make_error(ErrorKind::Damaged, "a message between agent and judge makes no sense");
}

void pack(PackedWriter& writer, const Address& address) {
    writer.number(static_cast<std::uint8_t>(address.family));
    for (const auto octet : address.octets)
        writer.number(octet);
}

Address read_address(PackedReader& reader) {
    Address address;
    address.family = Family{reader.number_below<std::uint8_t>(kNames<Family>.size())};
    for (auto& octet : address.octets)
        octet = reader.number<std::uint8_t>();
    return address;
}

void pack(PackedWriter& writer, const FlowTuple& tuple) {
    pack(writer, tuple.source);
    pack(writer, tuple.destination);
    writer.number(static_cast<std::uint8_t>(tuple.protocol));
    writer.number(tuple.source_port);
    writer.number(tuple.destination_port);
    writer.number(tuple.icmp_type);
    writer.number(tuple.icmp_code);
    writer.number(tuple.icmp_id);
}

FlowTuple read_tuple(PackedReader& reader) {
    FlowTuple tuple;
    tuple.source = read_address(reader);
    tuple.destination = read_address(reader);
    tuple.protocol = Protocol{reader.number<std::uint8_t>()};
    tuple.source_port = reader.number<std::uint16_t>();
    tuple.destination_port = reader.number<std::uint16_t>();
    tuple.icmp_type = reader.number<std::uint8_t>();
    tuple.icmp_code = reader.number<std::uint8_t>();
    tuple.icmp_id = reader.number<std::uint16_t>();
    return tuple;
}

/// An optional value: whether it is there, and the value.
template <typename Value, typename Write>
void pack_optional(PackedWriter& writer, const std::optional<Value>& value, Write write) {
    writer.number(std::uint8_t{value.has_value()});
    if (value) write(*value);
}

template <typename Read>
auto read_optional(PackedReader& reader, Read read) -> std::optional<decltype(read())> {
    if (reader.number_below<std::uint8_t>(2) == 0) return std::nullopt;
    return read();
}

void pack(PackedWriter& writer, const RuleReference& rule) {
    for (const auto& text : {rule.family, rule.table, rule.chain, rule.text})
        writer.text(text);
    pack_optional(writer, rule.handle, [&](auto handle) { writer.number(handle); });
}

RuleReference read_rule(PackedReader& reader) {
    RuleReference rule;
    for (auto* const text : {&rule.family, &rule.table, &rule.chain, &rule.text})
        *text = reader.text();
    rule.handle = read_optional(reader, [&] { return reader.number<std::uint64_t>(); });
    return rule;
}

void pack(PackedWriter& writer, const FlowVerdict& verdict) {
    writer.number(static_cast<std::uint8_t>(verdict.result));
    pack_optional(writer, verdict.kind, [&](auto kind) { writer.number(static_cast<std::uint8_t>(kind)); });
    pack_optional(writer, verdict.rule, [&](const auto& rule) { pack(writer, rule); });
    writer.list(verdict.assumes, [&](const auto& text) { writer.text(text); });
    pack_optional(writer, verdict.then, [&](const auto& then) {
        pack(writer, then.source);
        pack(writer, then.destination);
        writer.number(then.destination_port);
    });
    writer.text(verdict.reason);
}

FlowVerdict read_verdict(PackedReader& reader) {
    FlowVerdict verdict;
    verdict.result = VerdictResult{reader.number_below<std::uint8_t>(kNames<VerdictResult>.size())};
    verdict.kind = read_optional(
        reader, [&] { return RefusalKind{reader.number_below<std::uint8_t>(kNames<RefusalKind>.size())}; });
    verdict.rule = read_optional(reader, [&] { return read_rule(reader); });
    reader.list([&] { verdict.assumes.push_back(reader.text()); });
    verdict.then = read_optional(reader, [&] {
        Translation then;
        then.source = read_address(reader);
        then.destination = read_address(reader);
        then.destination_port = reader.number<std::uint16_t>();
        return then;
    });
    verdict.reason = reader.text();
    return verdict;
}

template <typename Value, typename Read>
Result<std::vector<Value>> unpack_list(Bytes payload, Read read) {
    PackedReader reader{payload};
    std::vector<Value> values;
    reader.list([&] { values.push_back(read(reader)); });
    if (!reader.is_valid()) return damaged();
    return values;
}

}  // namespace

Result<void> send_message(int socket, MessageType type, Bytes payload) {
    PackedWriter header;
    header.number(static_cast<std::uint32_t>(type));
    header.number(static_cast<std::uint64_t>(payload.size()));
    RETURN_IF_ERROR(send_all(socket, header.written()));
    return send_all(socket, payload);
}

Result<JudgeMessage> receive_message(int socket) {
    std::array<std::byte, sizeof(std::uint32_t) + sizeof(std::uint64_t)> header{};
    RETURN_IF_ERROR(receive_all(socket, header));
    PackedReader reader{header};
    JudgeMessage message;
    message.type = MessageType{reader.number<std::uint32_t>()};
    const auto length = reader.number<std::uint64_t>();
    if (message.type > MessageType::Fault || length > kLongestPayload) return damaged();
    message.payload.resize(static_cast<std::size_t>(length));
    RETURN_IF_ERROR(receive_all(socket, message.payload));
    return message;
}

ByteString pack_preparation(const Preparation& preparation) {
    PackedWriter writer;
    const auto& snapshot = preparation.snapshot;
    writer.number(snapshot.generation);
    writer.bytes(snapshot.nftables);
    writer.bytes(snapshot.routing);
    writer.list(snapshot.sysctls, [&](const auto& text) { writer.text(text); });
    writer.list(snapshot.warnings, [&](const auto& text) { writer.text(text); });
    writer.text(snapshot.legacy_tables);
    pack_optional(writer, preparation.candidate, [&](const auto& text) { writer.text(text); });
    return whole(writer);
}

Result<Preparation> unpack_preparation(Bytes payload) {
    PackedReader reader{payload};
    Preparation preparation;
    auto& snapshot = preparation.snapshot;
    snapshot.generation = reader.number<std::uint32_t>();
    const auto nftables = reader.bytes();
    snapshot.nftables.assign(nftables.begin(), nftables.end());
    const auto routing = reader.bytes();
    snapshot.routing.assign(routing.begin(), routing.end());
    reader.list([&] { snapshot.sysctls.push_back(reader.text()); });
    reader.list([&] { snapshot.warnings.push_back(reader.text()); });
    snapshot.legacy_tables = reader.text();
    preparation.candidate = read_optional(reader, [&] { return reader.text(); });
    if (!reader.is_valid()) return damaged();
    return preparation;
}

ByteString pack_texts(std::span<const std::string> texts) {
    PackedWriter writer;
    writer.list(texts, [&](const auto& text) { writer.text(text); });
    return whole(writer);
}

Result<std::vector<std::string>> unpack_texts(Bytes payload) {
    return unpack_list<std::string>(payload, [](PackedReader& reader) { return reader.text(); });
}

ByteString pack_questions(std::span<const Question> questions) {
    PackedWriter writer;
    writer.list(questions, [&](const auto& question) {
        pack(writer, question.original);
        pack(writer, question.reply);
        writer.number(question.mark);
        writer.number(question.status);
        writer.number(question.zone);
        writer.number(std::uint8_t{question.has_labels});
    });
    return whole(writer);
}

Result<std::vector<Question>> unpack_questions(Bytes payload) {
    return unpack_list<Question>(payload, [](PackedReader& reader) {
        Question question;
        question.original = read_tuple(reader);
        question.reply = read_tuple(reader);
        question.mark = reader.number<std::uint32_t>();
        question.status = reader.number<std::uint32_t>();
        question.zone = reader.number<std::uint16_t>();
        question.has_labels = reader.number_below<std::uint8_t>(2) != 0;
        return question;
    });
}

ByteString pack_verdicts(std::span<const FlowVerdict> verdicts) {
    PackedWriter writer;
    writer.list(verdicts, [&](const auto& verdict) { pack(writer, verdict); });
    return whole(writer);
}

Result<std::vector<FlowVerdict>> unpack_verdicts(Bytes payload) {
    return unpack_list<FlowVerdict>(payload, [](PackedReader& reader) { return read_verdict(reader); });
}

ByteString pack_error(const Error& error) {
    PackedWriter writer;
    writer.number(static_cast<std::uint8_t>(error.kind));
    writer.number(static_cast<std::uint32_t>(error.number));
    writer.text(error.message);
    return whole(writer);
}

Result<Error> unpack_error(Bytes payload) {
    PackedReader reader{payload};
    Error error;
    error.kind = ErrorKind{reader.number_below<std::uint8_t>(std::size(kErrorKinds))};
    error.number = static_cast<int>(reader.number<std::uint32_t>());
    error.message = reader.text();
    if (!reader.is_valid()) return damaged();
    return error;
}

}  // namespace headgate::rematch
