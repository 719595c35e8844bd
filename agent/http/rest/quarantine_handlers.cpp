// SPDX-License-Identifier: GPL-2.0-or-later
// The quarantine over HTTP.
#include <utility>

#include "flow/json_members.h"
#include "gateway/quarantine_json.h"
#include "http/rest/handlers.h"
#include "http/rest/parameters.h"

namespace headgate::http {
namespace {

using gateway::EndpointQuarantine;
using gateway::Quarantines;
using operations::QuarantineStep;

Response quarantine_answer(const EndpointQuarantine& quarantine) {
    return json_answer(200, json_by(gateway::append_endpoint_quarantine_json, quarantine));
}

using Change = Result<EndpointQuarantine> (Quarantines::*)(const gateway::QuarantineRequest&);

Result<Response> change_quarantine(const Request& request, QuarantineStep step, Quarantines& quarantines, Change change,
                                   gateway::RefusedRequests& refused_requests) {
    gateway::QuarantineRequest wanted;
    wanted.endpoint = endpoint_of(request);
    wanted.caller = request.caller;
    if (auto read = gateway::read_quarantine_request_json(step, request.body, wanted); !read) {
        return tl::unexpected(refused_requests.refuse_quarantine(step, wanted, std::move(read.error())));
    }
    return (quarantines.*change)(wanted).map(quarantine_answer);
}

}  // namespace

Result<Response> show_quarantine(const Request& request, Quarantines& quarantines) {
    return quarantines.quarantined(endpoint_of(request)).map(quarantine_answer);
}

Result<Response> add_quarantine(const Request& request, Quarantines& quarantines,
                                gateway::RefusedRequests& refused_requests) {
    return change_quarantine(request, QuarantineStep::Add, quarantines, &Quarantines::add, refused_requests);
}

Result<Response> extend_quarantine(const Request& request, Quarantines& quarantines,
                                   gateway::RefusedRequests& refused_requests) {
    return change_quarantine(request, QuarantineStep::Extend, quarantines, &Quarantines::extend, refused_requests);
}

Result<Response> remove_quarantine(const Request& request, Quarantines& quarantines,
                                   gateway::RefusedRequests& refused_requests) {
    return change_quarantine(request, QuarantineStep::Remove, quarantines, &Quarantines::remove, refused_requests);
}

}  // namespace headgate::http
