// SPDX-License-Identifier: GPL-2.0-or-later
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/error_kinds.h"
#include "base/text.h"
#include "http/rest/routes.h"
#include "operations/operation_fields.h"
#include "support/memory_gateway.h"

namespace headgate::http {
namespace openapi_document_test {

using namespace headgate::testing;
using Names = std::set<std::string>;

const Router& router() {
    static MemoryGateway gateway;
    static Metrics metrics;
    static access::ReplayGuard replays{kSystemClock.now()};
    static const auto routes = make_router(gateway, replays, metrics);
    return routes;
}

YAML::Node document() {
    return YAML::Load(std::string{openapi_document()});
}

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

/// A part of the document, with its `$ref` resolved.
YAML::Node resolved(const YAML::Node& all, const YAML::Node& node) {
    if (!node["$ref"]) return node;
    const auto reference = node["$ref"].as<std::string>();
    auto place = std::string_view{reference}.substr(2);
    YAML::Node found = YAML::Clone(all);
    while (!place.empty())
        found.reset(found[std::string{take_until(place, '/')}]);
    return found;
}

/// Query parameters of a request, and whether it has a body.
struct Brought {
    Names query;
    bool body = false;

    friend bool operator==(const Brought&, const Brought&) = default;
};

/// The documented operations, by method and path: `GET /v1/operations`.
std::map<std::string, Brought> described() {
    const auto all = document();
    std::map<std::string, Brought> operations;
    for (const auto& path : all["paths"]) {
        for (const auto& member : path.second) {
            const auto method = member.first.as<std::string>();
            if (method == "parameters") continue;
            auto& [query, body] = operations[upper(method) + " " + path.first.as<std::string>()];
            body = static_cast<bool>(member.second["requestBody"]);
            for (const auto& list : {path.second["parameters"], member.second["parameters"]}) {
                for (const auto& each : list) {
                    const auto parameter = resolved(all, each);
                    if (parameter["in"].as<std::string>() == "query") query.insert(parameter["name"].as<std::string>());
                }
            }
        }
    }
    return operations;
}

TEST(OpenApiDocument, describes_every_route_with_what_it_takes_and_nothing_else) {
    std::map<std::string, Brought> routed;
    for (const auto& each : router().routes()) {
        routed.emplace(fmt::format("{} {}", each.method, each.path),
                       Brought{Names{each.query.begin(), each.query.end()}, each.body == Body::Json});
    }
    const auto all = described();
    for (const auto& [name, brought] : routed)
        EXPECT_TRUE(all.contains(name)) << name << " is not described";
    for (const auto& [name, brought] : all) {
        ASSERT_TRUE(routed.contains(name)) << name << " is described, and not there";
        EXPECT_EQ(brought, routed.at(name)) << name << " takes something else";
    }
}

TEST(OpenApiDocument, names_the_same_operation_once) {
    const auto all = document();
    Names ids;
    std::size_t operations = 0;
    for (const auto& path : all["paths"]) {
        for (const auto& member : path.second) {
            if (member.first.as<std::string>() == "parameters") continue;
            ids.insert(member.second["operationId"].as<std::string>());
            ++operations;
        }
    }
    EXPECT_EQ(ids.size(), operations);
}

TEST(OpenApiDocument, lists_the_types_of_operations) {
    Names listed;
    for (const auto& each : document()["components"]["schemas"]["OperationType"]["enum"])
        listed.insert(each.as<std::string>());
    Names types;
    for (const auto name : kNames<OperationType>)
        types.emplace(name);
    EXPECT_EQ(listed, types);
}

TEST(OpenApiDocument, lists_the_kinds_of_errors) {
    std::vector<std::string> kinds;
    for (const auto& each : kErrorKinds)
        kinds.emplace_back(each.name);
    EXPECT_EQ(document()["components"]["schemas"]["ErrorKind"]["enum"].as<std::vector<std::string>>(), kinds);
}

/// The names of an object's members in requests and answers, by its list of members.
class MemberNames {
  public:
    static constexpr bool kReads = false;

    [[nodiscard]] JsonForm form() const { return JsonForm::Public; }

    template <typename... Rest>
    void required(MemberName name, const Rest&... /*rest*/) {
        names.emplace(name.in_public);
    }
    template <typename... Rest>
    void defaulted(MemberName name, const Rest&... /*rest*/) {
        names.emplace(name.in_public);
    }
    template <typename... Rest>
    void optional(MemberName name, const Rest&... /*rest*/) {
        names.emplace(name.in_public);
    }
    template <typename T>
    void object(MemberName name, const T& /*value*/) {
        names.emplace(name.in_public);
    }
    template <typename T>
    void optional_object(MemberName name, const std::optional<T>& /*value*/) {
        names.emplace(name.in_public);
    }
    template <typename T>
    void objects(MemberName name, const std::vector<T>& /*values*/) {
        names.emplace(name.in_public);
    }

    Names names;
};

template <typename T>
Names names_in(const T& object) {
    MemberNames members;
    list_members(members, object);
    return members.names;
}

Names described_members(const std::string& schema) {
    const auto all = document();
    Names names;
    for (auto node = all["components"]["schemas"][schema];; node.reset(resolved(all, node))) {
        for (const auto& each : node["properties"])
            names.insert(each.first.as<std::string>());
        if (!node["$ref"]) return names;
    }
}

TEST(OpenApiDocument, describes_every_member_of_an_operation) {
    FlowOperation operation;
    operation.status = OperationStatus::InProgress;
    operation.protected_by = {{}};
    operation.ruleset.emplace();
    EXPECT_EQ(described_members("Operation"), names_in(operation));
    EXPECT_EQ(described_members("Query"), names_in(operation.query));
    EXPECT_EQ(described_members("Filter"), names_in(FlowFilter{}));
    EXPECT_EQ(described_members("Counts"), names_in(operation.counts));
    EXPECT_EQ(described_members("JudgedRuleset"), names_in(JudgedRuleset{}));
    EXPECT_EQ(described_members("Rule"), names_in(RuleReference{}));
    EXPECT_EQ(described_members("RefusedBy"), names_in(RefusedBy{}));
    EXPECT_EQ(described_members("UnknownReason"), names_in(UnknownReason{}));
    EXPECT_EQ(described_members("Caller"), names_in(operation.caller));
}

TEST(OpenApiDocument, is_served) {
    Request request;
    request.method = "GET";
    request.path = "/openapi.yaml";
    const auto answer = router().answer(request);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.content_type, "application/yaml");
    EXPECT_EQ(answer.body, openapi_document());
}

}  // namespace openapi_document_test
}  // namespace headgate::http
