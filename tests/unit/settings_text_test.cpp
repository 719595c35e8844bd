// SPDX-License-Identifier: GPL-2.0-or-later
#include "config/settings_text.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "config/load.h"
#include "config/yaml_tree.h"
#include "support/example_text.h"
#include "support/setting_keys.h"

namespace headgate::config {
namespace settings_text_test {

using namespace headgate::testing;

TEST(SettingsText, is_checked_in_as_it_is_written) {
    EXPECT_EQ(text_of("docs/configuration.md"), configuration_reference())
        << "cmake --build build/release --target update_documents";
    EXPECT_EQ(text_of("packaging/headgate.yaml"), configuration_example())
        << "cmake --build build/release --target update_documents";
}

TEST(SettingsText, the_example_changes_nothing_as_it_is) {
    EXPECT_EQ(parse_configuration(configuration_example(), "example").value(),
              parse_configuration("", "empty").value());
}

TEST(SettingsText, the_example_uncommented_has_every_setting_and_no_other) {
    EXPECT_EQ(keys_of(parse_yaml_tree(uncommented(configuration_example()), "example").value()), keys_of_settings());
}

TEST(SettingsText, the_example_uncommented_loads_and_its_defaults_are_those_of_the_structs) {
    auto loaded = parse_configuration(uncommented(configuration_example()), "example");
    ASSERT_TRUE(loaded) << loaded.error().message;
    // Settings without a default have a sample value in the example.
    EXPECT_EQ(std::exchange(loaded->firewalls, {}).size(), 1U);
    EXPECT_EQ(std::exchange(loaded->protected_filters, {}).size(), 1U);
    EXPECT_EQ(std::exchange(loaded->http.listeners, {}).size(), 1U);
    EXPECT_TRUE(std::exchange(loaded->http.credentials, {}));
    EXPECT_EQ(std::exchange(loaded->flow_log.filters, {}).size(), 1U);
    EXPECT_EQ(std::exchange(loaded->flow_log.sinks, {}).size(), 5U) << "one of each kind";
    EXPECT_EQ(*loaded, Configuration{});
}

TEST(SettingsText, every_setting_is_described_by_a_sentence) {
    const auto settings = keys_of_settings();
    const auto rows = configuration_reference();
    EXPECT_EQ(std::ranges::count(rows.substr(rows.find("| --- ")), '\n') - 1,
              static_cast<std::ptrdiff_t>(settings.size()));
    EXPECT_EQ(rows.find("|  |\n"), std::string::npos);
}

}  // namespace settings_text_test
}  // namespace headgate::config
