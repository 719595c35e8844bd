// Firewall policies as AWS Network Firewall has them, as far as the stream exception policy goes: each firewall has
// one, which stands for what is in force on its endpoints. Each function answers one call with the text of a JSON
// object. Thread-safe.
#pragma once

#include <string>

#include "headgate/result.h"

#include "flow/json_reader.h"
#include "gateway/managed_gateway.h"
#include "http/message.h"

namespace headgate::http::aws {

/// StreamExceptionPolicy is told where all endpoints have the same in force, and absent otherwise. The UpdateToken is
/// another one when something else is in force on any of them.
[[nodiscard]] Result<std::string> describe_firewall_policy(gateway::ManagedGateway& gateway, const Request& request,
                                                           JsonReader& reader);

/// DROP, REJECT and CONTINUE put the policies `drop`, `reject` and `continue` in force on every endpoint. One that does
/// as it says already stays, also where its name is another one; without StreamExceptionPolicy all of them do. Either
/// all endpoints change or none: what cannot be given back is told in the error. An UpdateToken that is not the one in
/// force is an error with ESTALE.
[[nodiscard]] Result<std::string> update_firewall_policy(gateway::ManagedGateway& gateway, const Request& request,
                                                         JsonReader& reader);

}  // namespace headgate::http::aws
