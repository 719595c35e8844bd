// SPDX-License-Identifier: GPL-2.0-or-later
#include "gateway/configuration_json.h"

#include <gtest/gtest.h>

#include "config/load.h"
#include "config/settings_text.h"
#include "flow/json_reader.h"
#include "support/example_text.h"
#include "support/setting_keys.h"

namespace headgate::gateway {
namespace configuration_json_test {

using namespace headgate::testing;

std::string json_of(const config::Configuration& configuration) {
    fmt::memory_buffer out;
    append_configuration_json(out, configuration);
    return fmt::to_string(out);
}

/// A configuration in which every setting is present.
config::Configuration full_configuration() {
    return config::parse_configuration(uncommented(config::configuration_example()), "example").value();
}

/// The value of `configuration`, in the form of a configuration file.
std::string settings_in(const std::string& json) {
    const auto begin = json.find("{\"region\"");
    return json.substr(begin, json.rfind(",\"files\"") - begin);
}

TEST(ConfigurationJson, has_every_setting_by_its_name_and_no_other) {
    const auto settings = settings_in(json_of(full_configuration()));
    EXPECT_EQ(keys_of(config::parse_yaml_tree(settings, "json").value()), keys_of_settings());
}

TEST(ConfigurationJson, put_into_a_file_is_the_same_configuration_again) {
    auto simple = config::parse_configuration("account: '012345678901'\nretention: 90s\n", "simple").value();
    for (const auto& configuration : {full_configuration(), simple}) {
        const auto settings = settings_in(json_of(configuration));
        const auto again = config::parse_configuration(settings, "json");
        ASSERT_TRUE(again) << again.error().message << settings;
        EXPECT_EQ(*again, configuration) << settings;
    }
}

TEST(ConfigurationJson, names_the_files_that_were_read) {
    auto configuration = full_configuration();
    configuration.files = {"/etc/headgate/headgate.yaml", "/etc/headgate/conf.d/a \"b\".yaml"};
    const auto object = parse_json_object(json_of(configuration)).value();
    EXPECT_EQ(object.texts("files").value(),
              (std::vector<std::string>{"/etc/headgate/headgate.yaml", "/etc/headgate/conf.d/a \"b\".yaml"}));
}

}  // namespace configuration_json_test
}  // namespace headgate::gateway
