// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/settings_text.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "base/text.h"
#include "config/load.h"
#include "config/settings.h"

namespace headgate::config {
namespace {

constexpr std::size_t kLineWidth = 100;

constexpr std::string_view kReferenceHead = R"(# Configuration

<!-- Written by the target update_documents, from agent/config/settings.cpp: change it there. -->

headgate reads `{file}`, then the files `conf.d/*.yaml` beside it, in the order of their names. With neither,
every setting has its default. `--config FILE` reads another file, which must be there, and the `conf.d` beside that one.

- A value in a later file takes the place of an earlier one. Lists grow instead, unless the table says otherwise; a
  firewall that is named again gets the further endpoints.
- A file is plain YAML of 64 KiB at most, without anchors, aliases and tags. A key stands in a file once, and one that is not
  in the table is an error.
- `headgate check-config` says whether all of it is right, and what is not, each in a line: `file:line: setting: what is wrong`.
  It also checks what the configuration names: credentials, certificates, policies, network namespaces, the store of operations.
- Durations are written `90s`, `5m`, `12h`, `7d`, sizes `512MiB`, `2GiB`, `1TiB`; without a unit they are seconds and bytes.
- `{example}` is an example with every setting.

`[]` in a name stands for an item of a list.

)";

constexpr std::string_view kExampleHead =
    R"(# headgate's configuration. Every setting is in here, commented out: behind a # without a space stands its default, or an
# example where it has none. conf.d/*.yaml beside this file is read after it. `headgate check-config` says what is wrong.
)";

/// The default as it is written in a file; empty if there is none.
std::string written_default(const Setting& setting) {
    const auto values = fmt::format("{}", fmt::join(setting.when_absent, ", "));
    if (setting.kind == Setting::Kind::List && !values.empty()) return fmt::format("[{}]", values);
    return setting.notation == Notation::Digits && !values.empty() ? fmt::format("\"{}\"", values) : values;
}

/// A `|` would end the cell of a table.
std::string cell(std::string_view text) {
    std::string escaped;
    for (const char c : text)
        escaped.append(c == '|' ? "\\" : "").push_back(c);
    return escaped;
}

bool has_one_key_each(const Setting& setting) {
    return setting.open && setting.open().keys == SettingMap::Keys::ExactlyOne;
}

void append_rows(std::string& out, const SettingMap& map, const std::string& path) {
    for (const auto& setting : map.settings) {
        const auto name = fmt::format("{}{}", path, setting.key);
        fmt::format_to(std::back_inserter(out), "| `{}` | {} | {} | {} |\n", name, value_text(setting),
                       default_text(setting), cell(setting.purpose));
        const bool items = setting.kind == Setting::Kind::ListOfMaps;
        if (setting.open) append_rows(out, setting.open(), fmt::format("{}{}.", name, items ? "[]" : ""));
    }
}

/// Appends words, wrapped into lines that start with `start`.
void append_wrapped(std::string& out, std::string_view text, const std::string& start) {
    std::string line = start;
    while (!text.empty()) {
        const auto word = take_until(text, ' ');
        if (line.size() > start.size() && line.size() + 1 + word.size() > kLineWidth) {
            out += std::exchange(line, start) + "\n";
        }
        line.append(" ").append(word);
    }
    out += line + "\n";
}

std::string comment_on(const Setting& setting) {
    std::string comment{setting.purpose};
    if (!setting.rule.empty()) comment += fmt::format(" Takes {}.", setting.rule);
    if (setting.need == Setting::Need::Required) comment += " Required.";
    std::erase(comment, '`');
    return comment;
}

/// Appends one setting after `#` and an indentation; `dash` begins a list item.
void append_example(std::string& out, const Setting& setting, const std::string& indentation, std::string_view dash) {
    const auto start = fmt::format("#{}{}{}:", indentation, dash, setting.key);
    const auto deeper = fmt::format("{}{:{}}", indentation, "", dash.size() + 2);
    switch (setting.kind) {
        case Setting::Kind::Value:
        case Setting::Kind::List: {
            const auto usual = written_default(setting);
            if (!usual.empty()) {
                out += fmt::format("{} {}\n", start, usual);
            } else if (setting.kind == Setting::Kind::Value) {
                out += fmt::format("{} {}\n", start, setting.example);
            } else {
                out += fmt::format("{}\n#{}- {}\n", start, deeper, setting.example);
            }
            return;
        }
        case Setting::Kind::Map:
        case Setting::Kind::ListOfMaps:
            break;
    }
    out += start + "\n";
    const bool items = setting.kind == Setting::Kind::ListOfMaps;
    const bool one_each = has_one_key_each(setting);
    bool first = true;
    for (const auto& inner : setting.open().settings) {
        const bool begins_item = items && (std::exchange(first, false) || one_each);
        const auto column = items && !begins_item ? deeper + "  " : deeper;
        append_wrapped(out, comment_on(inner), fmt::format("#{}#", column));
        append_example(out, inner, column, begins_item ? "- " : "");
    }
}

}  // namespace

std::string value_text(const Setting& setting) {
    switch (setting.kind) {
        case Setting::Kind::Value:
            return setting.rule;
        case Setting::Kind::Map:
            return "a map";
        case Setting::Kind::List:
            return fmt::format("a list: {}", setting.rule);
        case Setting::Kind::ListOfMaps:
            return has_one_key_each(setting) ? "a list of maps, each with one of these keys" : "a list of maps";
    }
    return "";
}

std::string default_text(const Setting& setting) {
    if (setting.need == Setting::Need::Required) return "required";
    const auto value = written_default(setting);
    return value.empty() ? "" : fmt::format("`{}`", value);
}

std::string settings_table(const SettingMap& settings) {
    std::string table = "| setting | takes | default | purpose |\n| --- | --- | --- | --- |\n";
    append_rows(table, settings, "");
    return table;
}

std::string settings_example(const SettingMap& settings) {
    std::string example;
    for (const auto& setting : settings.settings) {
        example += "\n";
        append_wrapped(example, comment_on(setting), "#");
        append_example(example, setting, "", "");
    }
    return example;
}

std::string configuration_reference() {
    Configuration fresh;
    return fmt::format(kReferenceHead, fmt::arg("file", kDefaultFile), fmt::arg("example", "packaging/headgate.yaml")) +
           settings_table(settings_of(fresh));
}

std::string configuration_example() {
    Configuration fresh;
    return std::string{kExampleHead} + settings_example(settings_of(fresh));
}

}  // namespace headgate::config
