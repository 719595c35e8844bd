// SPDX-License-Identifier: GPL-2.0-or-later
#include "midstream/policy_note.h"

#include <Poco/Checksum.h>
#include <fmt/format.h>

#include <chrono>

#include "headgate/names.h"

#include "base/text.h"
#include "midstream/ruleset_text.h"

namespace headgate::midstream {
namespace {

std::string fingerprint_of(std::string_view text) {
    Poco::Checksum checksum{Poco::Checksum::TYPE_CRC32};
    checksum.update(text.data(), static_cast<unsigned>(text.size()));
    return fmt::format("{:08x}", checksum.checksum());
}

/// In the note, whose room is scarce. An earlier version does not take the word for a number of seconds.
constexpr std::string_view kOwnTimeout = "own";

std::string memory_text(std::optional<std::chrono::seconds> time) {
    return time ? fmt::format("{}", time->count()) : std::string{kOwnTimeout};
}

/// Removes `key=value` from the front of `rest` and returns the value.
std::optional<std::string_view> next_value(std::string_view& rest, std::string_view key) {
    const auto word = take_until(rest, ' ');
    if (word.size() <= key.size() || !word.starts_with(key) || word[key.size()] != '=') return std::nullopt;
    return word.substr(key.size() + 1);
}

}  // namespace

std::string note_text(const StreamExceptionPolicy& policy, std::uint32_t generation) {
    return fmt::format("policy={} exception={} scope={} remember={} most={} text={} edition={}", policy.name,
                       to_string(policy.exception), to_string(policy.scope), memory_text(policy.remember_flushed_for),
                       policy.remember_at_most, fingerprint_of(rules_text(policy, generation)), generation);
}

std::optional<Note> parse_note(std::string_view text) {
    const auto name = next_value(text, "policy");
    const auto exception = parse_name<StreamException>(next_value(text, "exception").value_or(""));
    const auto scope = parse_name<MidstreamScope>(next_value(text, "scope").value_or(""));
    const auto remember = next_value(text, "remember").value_or("");
    const auto seconds = parse_unsigned<std::uint32_t>(remember);
    const auto most = parse_unsigned<std::uint32_t>(next_value(text, "most").value_or(""));
    const auto fingerprint = next_value(text, "text");
    if (!name || !exception || !scope || !most || !fingerprint) return std::nullopt;
    if (!seconds && remember != kOwnTimeout) return std::nullopt;
    Note note;
    note.policy.name = *name;
    note.policy.exception = *exception;
    note.policy.scope = *scope;
    note.policy.remember_flushed_for.reset();
    if (seconds) note.policy.remember_flushed_for = std::chrono::seconds{*seconds};
    note.policy.remember_at_most = *most;
    note.fingerprint = *fingerprint;
    note.generation = parse_unsigned<std::uint32_t>(next_value(text, "edition").value_or("")).value_or(0);
    return note;
}

std::optional<PolicyCounter> parse_counter_name(std::string_view name) {
    const auto last_word = [&name] {
        const auto separator = name.rfind('_');
        if (separator == std::string_view::npos) return std::string_view{};
        const auto word = name.substr(separator + 1);
        name = name.substr(0, separator);
        return word;
    };
    PolicyCounter counter;
    counter.protocol = last_word();
    const auto direction = parse_name<PacketDirection>(last_word());
    const auto hook = parse_name<Hook>(last_word());
    if (!direction || !hook || name.empty()) return std::nullopt;
    counter.policy = name;
    counter.hook = *hook;
    counter.direction = *direction;
    return counter;
}

}  // namespace headgate::midstream
