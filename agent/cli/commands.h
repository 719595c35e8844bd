// headgate's commands: each takes what was typed, asks the engine, and writes what it says.
#pragma once

#include <optional>
#include <string>

#include "headgate/result.h"

#include "cli/arguments.h"
#include "cli/exit_code.h"
#include "cli/gateway_arguments.h"

namespace headgate::cli {

struct CaptureArguments {
    GatewayArguments gateway;
    FilterArguments filter;
    EndpointArguments endpoint;
    OutputArguments output;
    bool explain = false;
};

struct FlushArguments {
    GatewayArguments gateway;
    FilterArguments filter;
    EndpointArguments endpoint;
    OutputArguments output;
    bool explain = false;
    bool dry_run = false;
    bool include_protected = false;
    bool yes = false;
    std::optional<std::string> from_capture;
    std::optional<std::string> maximum_flows;
    std::optional<std::string> stream_exception_policy;
    bool require_policy = false;
};

struct TableArguments {
    GatewayArguments gateway;
    EndpointArguments endpoint;
    OutputArguments output;
};

/// What the commands of `headgate policy` take.
struct PolicyArguments {
    std::string name;
    bool ruleset = false;
    bool include_protected = false;
    GatewayArguments gateway;
    EndpointArguments endpoint;
    OutputArguments output;
};

/// What the commands of `headgate operations` take.
struct OperationsArguments {
    std::string id;
    std::optional<std::string> type, limit;
    GatewayArguments gateway;
    OutputArguments output;
};

struct AgentArguments {
    GatewayArguments gateway;
};

struct CheckConfigArguments {
    GatewayArguments gateway;
    bool print_reference = false;
    bool print_example = false;
    bool print_manual = false;
    bool credentials = false;  ///< print those of the file of credentials
};

[[nodiscard]] Result<ExitCode> run_capture_command(const CaptureArguments& arguments);
[[nodiscard]] Result<ExitCode> run_flush_command(const FlushArguments& arguments);
[[nodiscard]] Result<ExitCode> run_operations_list_command(const OperationsArguments& arguments);
[[nodiscard]] Result<ExitCode> run_operations_show_command(const OperationsArguments& arguments);
[[nodiscard]] Result<ExitCode> run_operations_results_command(const OperationsArguments& arguments);
[[nodiscard]] Result<ExitCode> run_table_command(const TableArguments& arguments);
[[nodiscard]] Result<ExitCode> run_policy_list_command(const PolicyArguments& arguments);
[[nodiscard]] Result<ExitCode> run_policy_show_command(const PolicyArguments& arguments);
[[nodiscard]] Result<ExitCode> run_policy_apply_command(const PolicyArguments& arguments);
[[nodiscard]] Result<ExitCode> run_policy_remove_command(const PolicyArguments& arguments);
[[nodiscard]] Result<ExitCode> run_policy_status_command(const PolicyArguments& arguments);
[[nodiscard]] Result<ExitCode> run_agent_command(const AgentArguments& arguments);
[[nodiscard]] Result<ExitCode> run_check_config_command(const CheckConfigArguments& arguments);

}  // namespace headgate::cli
