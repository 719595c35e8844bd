#include "config/settings_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <set>

#include "config/load.h"
#include "config/settings.h"
#include "config/yaml_tree.h"

namespace headgate::config {
namespace {

std::string text_of(const std::string& file) {
    std::ifstream text{fmt::format("{}/{}", PROJECT_FOLDER, file), std::ios::binary};
    return {std::istreambuf_iterator<char>{text}, {}};
}

/// What an operator does with the example: takes the `#` away where no space and then a word follow it.
std::string uncommented(const std::string& example) {
    std::string text;
    std::istringstream lines{example};
    for (std::string line; std::getline(lines, line);) {
        const bool prose = line.size() > 2 && line[1] == ' ' && line[2] != ' ';
        text += (line.starts_with('#') && !prose ? line.substr(1) : line) + "\n";
    }
    return text;
}

/// `http.listeners.port` and so on: whatever a tree has keys for.
void collect_keys(const YamlNode& node, const std::string& path, std::set<std::string>& keys) {
    for (std::size_t i = 0; i < node.children.size(); ++i) {
        if (node.kind == YamlNode::Kind::List) collect_keys(node.children[i], path, keys);
        if (node.kind != YamlNode::Kind::Map || i % 2 != 0) continue;
        const auto key = path + node.children[i].text;
        keys.insert(key);
        collect_keys(node.children[i + 1], key + ".", keys);
    }
}

void collect_keys(const SettingMap& map, const std::string& path, std::set<std::string>& keys) {
    for (const auto& setting : map.settings) {
        const auto key = fmt::format("{}{}", path, setting.key);
        keys.insert(key);
        if (setting.open) collect_keys(setting.open(), key + ".", keys);
    }
}

TEST(SettingsText, is_checked_in_as_the_program_writes_it) {
    EXPECT_EQ(text_of("docs/configuration.md"), configuration_reference())
        << "headgate check-config --print-reference >docs/configuration.md";
    EXPECT_EQ(text_of("packaging/headgate.yaml"), configuration_example())
        << "headgate check-config --print-example >packaging/headgate.yaml";
}

TEST(SettingsText, the_example_changes_nothing_as_it_is) {
    EXPECT_EQ(parse_configuration(configuration_example(), "example").value(),
              parse_configuration("", "empty").value());
}

TEST(SettingsText, the_example_uncommented_has_every_setting_and_no_other) {
    Configuration fresh;
    std::set<std::string> settings;
    collect_keys(settings_of(fresh), "", settings);
    std::set<std::string> keys;
    collect_keys(parse_yaml_tree(uncommented(configuration_example()), "example").value(), "", keys);
    EXPECT_EQ(keys, settings);
}

TEST(SettingsText, the_example_uncommented_loads_and_its_defaults_are_those_of_the_structs) {
    auto loaded = parse_configuration(uncommented(configuration_example()), "example");
    ASSERT_TRUE(loaded) << loaded.error().message;
    // What has no default is in the example by way of example.
    EXPECT_EQ(std::exchange(loaded->firewalls, {}).size(), 1U);
    EXPECT_EQ(std::exchange(loaded->protected_filters, {}).size(), 1U);
    EXPECT_EQ(std::exchange(loaded->http.listeners, {}).size(), 1U);
    EXPECT_TRUE(std::exchange(loaded->http.credentials, {}));
    EXPECT_EQ(std::exchange(loaded->flow_log.sinks, {}).size(), 1U);
    EXPECT_EQ(*loaded, Configuration{});
}

TEST(SettingsText, every_setting_is_told_with_a_sentence) {
    Configuration fresh;
    std::set<std::string> settings;
    collect_keys(settings_of(fresh), "", settings);
    const auto rows = configuration_reference();
    EXPECT_EQ(std::ranges::count(rows.substr(rows.find("| --- ")), '\n') - 1,
              static_cast<std::ptrdiff_t>(settings.size()));
    EXPECT_EQ(rows.find("|  |\n"), std::string::npos);
}

}  // namespace
}  // namespace headgate::config
