// SPDX-License-Identifier: GPL-2.0-or-later
#include "tools/documents.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "base/text.h"
#include "config/settings.h"
#include "config/settings_text.h"
#include "http/access/credentials.h"
#include "http/access/credentials_text.h"
#include "midstream/policy_file.h"

namespace headgate::tools {
namespace {

constexpr std::size_t kManualWidth = 80;

constexpr std::string_view kPolicyHead = R"(# Policy files

<!-- Written by the target update_documents, from agent/midstream/policy_file.cpp: change it there. -->

A file `/etc/headgate/policies/NAME.yaml` is the [stream exception policy](policies.md) NAME. It is plain YAML of 64 KiB at most,
without anchors, aliases and tags. `headgate policy show NAME` reports what is wrong with it, each mistake in a line:
`file:line: key: what is wrong`.

)";

/// Converts text to roff: code in bold, hyphens that can be copied to a shell, one sentence per line.
std::string in_roff(std::string_view text) {
    std::string roff;
    bool is_code = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto ends_sentence = [&] {
            const char next = i + 1 < text.size() ? text[i + 1] : '\0';
            return roff.ends_with('.') && next >= 'A' && next <= 'Z';
        };
        if (text[i] == '`') {
            is_code = !is_code;
            roff += is_code ? "\\fB" : "\\fR";
        } else if (text[i] == '\\') {
            roff += "\\e";
        } else if (text[i] == '-') {
            roff += "\\-";
        } else if (text[i] == ' ' && ends_sentence()) {
            roff += '\n';
        } else {
            roff += text[i];
        }
    }
    return roff;
}

/// Appends text as roff, wrapped, each sentence beginning on a new line.
void append_sentences(std::string& out, std::string_view text) {
    const auto roff = in_roff(text);
    for (std::string_view sentences = roff; !sentences.empty();) {
        auto sentence = take_until(sentences, '\n');
        std::string line{take_until(sentence, ' ')};
        while (!sentence.empty()) {
            const auto word = take_until(sentence, ' ');
            if (line.size() + 1 + word.size() > kManualWidth) out += std::exchange(line, "") + "\n";
            line.append(line.empty() ? "" : " ").append(word);
        }
        out += line + "\n";
    }
}

void append_manual(std::string& out, const config::SettingMap& map, const std::string& path) {
    for (const auto& setting : map.settings) {
        const auto name = fmt::format("{}{}", path, setting.key);
        fmt::format_to(std::back_inserter(out), ".It Ic {}\n", name);
        append_sentences(out, setting.purpose);
        const auto takes = setting.kind == config::Setting::Kind::Map ? "" : config::value_text(setting);
        if (!takes.empty()) append_sentences(out, fmt::format("Takes {}.", takes));
        if (setting.need == config::Setting::Need::Required) {
            append_sentences(out, "Required.");
        } else if (!setting.when_absent.empty()) {
            append_sentences(out, fmt::format("Default: {}.", config::default_text(setting)));
        }
        const bool items = setting.kind == config::Setting::Kind::ListOfMaps;
        if (setting.open) append_manual(out, setting.open(), fmt::format("{}{}.", name, items ? "[]" : ""));
    }
}

/// Replaces a line of the page with the list of all settings.
void replace_line(std::string& page, const std::string& line, const config::SettingMap& settings) {
    std::string list = ".Bl -tag -width Ds\n";
    append_manual(list, settings, "");
    page.replace(page.find(line), line.size(), list + ".El");
}

}  // namespace

std::string configuration_manual(std::string page) {
    config::Configuration configuration;
    http::access::Credentials credentials;
    replace_line(page, "@SETTINGS@", config::settings_of(configuration));
    replace_line(page, "@CREDENTIALS@", http::access::settings_of(credentials));
    return page;
}

std::string policy_manual(std::string page) {
    StreamExceptionPolicy policy;
    replace_line(page, "@KEYS@", midstream::settings_of(policy));
    return page;
}

std::string policy_reference() {
    StreamExceptionPolicy policy;
    return std::string{kPolicyHead} + config::settings_table(midstream::settings_of(policy));
}

std::vector<Document> settings_documents(const Templates& templates) {
    return {{"docs/configuration.md", config::configuration_reference()},
            {"docs/credentials.md", http::access::credentials_reference()},
            {"packaging/headgate.yaml", config::configuration_example()},
            {"packaging/credentials.yaml", http::access::credentials_example()},
            {"packaging/man/headgate.yaml.5", configuration_manual(templates.configuration)},
            {"docs/policy-files.md", policy_reference()},
            {"packaging/man/headgate-policy.5", policy_manual(templates.policy)}};
}

}  // namespace headgate::tools
