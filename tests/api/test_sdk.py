# SPDX-License-Identifier: GPL-2.0-or-later
"""The unmodified AWS SDK for JavaScript with the agent: every operation, every type of error, pagination, retries."""

import json
import time

import pytest

from lab import CLIENT4, GATEWAY, SERVER, SERVER4, wait_until
from service import ACCOUNT, ARN, CORE_ALONE, OPERATOR, OTHER_ARN, POLICY_ARN, REGION, TOKENS, VIEWER, Sdk

UNKNOWN_ID = "01234567-89ab-cdef-0123-456789abcdef"
TO_8080 = [{"DestinationAddress": {"AddressDefinition": SERVER4}, "DestinationPort": "8080", "Protocols": ["6"]}]
EVERYTHING = [{"SourceAddress": {"AddressDefinition": "0.0.0.0/0"}}, {"SourceAddress": {"AddressDefinition": "::/0"}}]
DNS = [{"DestinationPort": "53", "Protocols": ["17"]}]


def in_zone_a(**members):
    return {"FirewallArn": ARN, "AvailabilityZone": "a", **members}


@pytest.fixture
def talks(lab):
    """A conversation to be flushed, and another one."""
    lab.serve_echo(8080)
    lab.serve_echo(8081)
    doomed, other = lab.talk(SERVER4, 8080), lab.talk(SERVER4, 8081)
    wait_until(lambda: doomed.heard() > 2 and other.heard() > 2, "two conversations")
    return doomed, other


def test_a_capture_has_what_conntrack_prints(lab, sdk, talks):
    started = sdk.call("StartFlowCapture", in_zone_a(FlowFilters=TO_8080, MinimumFlowAgeInSeconds=0))
    assert started["FirewallArn"] == ARN and started["FlowOperationStatus"] == "IN_PROGRESS"
    described = sdk.wait(started["FlowOperationId"])
    assert described["FlowOperationStatus"] == "COMPLETED" and described["FlowOperationType"] == "FLOW_CAPTURE"
    assert described["FlowOperation"] == {"MinimumFlowAgeInSeconds": 0, "FlowFilters": TO_8080}
    assert described["FlowRequestTimestamp"].startswith(time.strftime("%Y-%m-%d", time.gmtime()))
    [flow] = sdk.flows(started["FlowOperationId"])
    [line] = lab.conntrack("-p", "tcp", "--dport", "8080")
    assert flow["SourceAddress"] == {"AddressDefinition": CLIENT4} and flow["DestinationAddress"] == {"AddressDefinition": SERVER4}
    assert (flow["SourcePort"], flow["DestinationPort"], flow["Protocol"]) == (line["sport"], "8080", "6")
    assert 0 <= flow["Age"] < 60 and 0 < flow["PacketCount"] <= int(line["packets"]) + int(line["reply-packets"])
    assert 0 < flow["ByteCount"] <= int(line["bytes"]) + int(line["reply-bytes"])
    page = sdk.call("ListFlowOperationResults", in_zone_a(FlowOperationId=started["FlowOperationId"]))
    assert page["AvailabilityZone"] == "a" and page["FlowOperationStatus"] == "COMPLETED" and "NextToken" not in page


def test_a_flush_ends_exactly_what_matches(lab, service, sdk, talks):
    doomed, other = talks
    lab.load_rules("insert rule inet operator forward tcp dport 8080 ct state new drop")
    flushed = sdk.run("StartFlowFlush", FlowFilters=TO_8080)
    assert [flow["DestinationPort"] for flow in sdk.flows(flushed)] == ["8080"]
    assert other.goes_on() and len(lab.conntrack("-p", "tcp", "--dport", "8081")) == 1
    assert not doomed.goes_on(seconds=2)
    listed = sdk.call("ListFlowOperations", in_zone_a(FlowOperationType="FLOW_FLUSH"))["FlowOperations"]
    assert [(each["FlowOperationId"], each["FlowOperationStatus"]) for each in listed] == [(flushed, "COMPLETED")]
    [line] = [line for line in service.audit() if line["operation_id"] == flushed]
    assert line["caller"]["face"] == "sigv4" and line["caller"]["user"] == OPERATOR["key"]
    assert line["caller"]["source_address"] == "127.0.0.1"


def test_operations_are_listed_newest_first_by_zone_and_type_in_pages(sdk):
    ids = [sdk.run("StartFlowCapture", FlowFilters=DNS) for _ in range(5)]
    ids.append(sdk.run("StartFlowFlush", FlowFilters=DNS))
    elsewhere = sdk.run("StartFlowCapture", zone="b", FlowFilters=DNS)
    pages = sdk.call("ListFlowOperations", in_zone_a(MaxResults=2), paginate=True)
    assert [len(page["FlowOperations"]) for page in pages] == [2, 2, 2] and "NextToken" not in pages[-1]
    assert [each["FlowOperationId"] for page in pages for each in page["FlowOperations"]] == ids[::-1]
    everywhere = sdk.call("ListFlowOperations", {"FirewallArn": ARN})["FlowOperations"]
    assert [each["FlowOperationId"] for each in everywhere] == [elsewhere, *ids[::-1]]
    assert sdk.call("ListFlowOperations", {"FirewallArn": OTHER_ARN})["FlowOperations"] == []


def test_12345_flows_come_in_pages_without_loss_or_repetition(lab, sdk):
    lab.fill_many(12_345)
    captured = sdk.run("StartFlowCapture", FlowFilters=DNS)
    flows = sdk.flows(captured, MaxResults=100)
    ports = {(flow["SourceAddress"]["AddressDefinition"], flow["SourcePort"]) for flow in flows}
    assert len(flows) == 12_345 and len(ports) == 12_345


def test_a_retry_after_a_lost_answer_starts_nothing_twice(lab, service, sdk):
    lab.fill(20)
    answer = sdk.ask("StartFlowFlush", in_zone_a(FlowFilters=DNS), tamper="lost answer")
    assert answer["attempts"] == 2 and answer["status"] == 200, answer
    sdk.wait(answer["output"]["FlowOperationId"])
    assert {each["operation_id"] for each in service.audit() if each["action"] == "flush"} == {answer["output"]["FlowOperationId"]}
    assert len(sdk.call("ListFlowOperations", in_zone_a())["FlowOperations"]) == 1


def test_a_client_that_finds_a_zone_busy_is_throttled_and_tries_again(lab, sdk):
    lab.fill_many(60_000)
    first = sdk.call("StartFlowFlush", in_zone_a(FlowFilters=DNS))
    busy = sdk.error("StartFlowCapture", in_zone_a(FlowFilters=TO_8080), attempts=1)
    assert (busy["error"], busy["type"], busy["status"]) == ("ThrottlingException", "ThrottlingException", 400), busy
    other_zone = sdk.run("StartFlowCapture", zone="b", FlowFilters=DNS)
    assert sdk.wait(other_zone, "b")["FlowOperationStatus"] == "COMPLETED"
    assert sdk.call("DescribeFlowOperation", in_zone_a(FlowOperationId=first["FlowOperationId"]))["FlowOperationStatus"] == "IN_PROGRESS"
    patient = sdk.ask("StartFlowCapture", in_zone_a(FlowFilters=TO_8080), attempts=10)
    assert patient["status"] == 200 and patient["attempts"] > 1, patient
    sdk.wait(first["FlowOperationId"])
    assert lab.count() < 1000


def test_two_zones_at_once(lab, sdk):
    lab.fill(50)
    lab.run(SERVER, "conntrack", "-R", "-", input="".join(f"-A -p udp -s 10.9.1.1 -d 10.9.0.2 --sport {port} --dport 53 -t 600\n"
                                                          for port in range(1, 31)))
    both = [sdk.begin("StartFlowFlush", {"FirewallArn": ARN, "AvailabilityZone": zone, "FlowFilters": DNS}) for zone in "ab"]
    ids = [sdk.end(number)["output"]["FlowOperationId"] for number in both]
    for operation_id, zone, count in zip(ids, "ab", (50, 30)):
        sdk.wait(operation_id, zone)
        assert len(sdk.flows(operation_id, zone)) == count
    crossed = sdk.error("DescribeFlowOperation", in_zone_a(FlowOperationId=ids[1]))
    assert crossed["error"] == "ResourceNotFoundException"


def test_a_zone_is_chosen_by_its_endpoint_too(sdk):
    firewall = sdk.call("DescribeFirewall", {"FirewallArn": ARN})
    states = firewall["FirewallStatus"]["SyncStates"]
    endpoint = states["b"]["Attachment"]["EndpointId"]
    started = sdk.call("StartFlowCapture", {"FirewallArn": ARN, "VpcEndpointId": endpoint, "FlowFilters": DNS})
    assert sdk.wait(started["FlowOperationId"], "b")
    unclear = sdk.error("StartFlowCapture", {"FirewallArn": ARN, "FlowFilters": DNS})
    assert unclear["error"] == "InvalidRequestException" and "AvailabilityZone" in unclear["message"]
    at_odds = sdk.error("StartFlowCapture", in_zone_a(VpcEndpointId=endpoint, FlowFilters=DNS))
    assert at_odds["error"] in ("InvalidRequestException", "ResourceNotFoundException")


def test_a_zone_is_chosen_by_its_id_too(sdk):
    in_b = {"AvailabilityZoneId": "euc1-az3"}
    request = {"FirewallArn": ARN, "FlowFilters": DNS}
    started = sdk.call("StartFlowCapture", request, members=in_b)["FlowOperationId"]
    assert sdk.wait(started, "b")["AvailabilityZone"] == "b"
    for operation in ("DescribeFlowOperation", "ListFlowOperationResults"):
        asked = {"FirewallArn": ARN, "FlowOperationId": started}
        assert sdk.call(operation, asked, members=in_b)["FlowOperationId"] == started
        assert sdk.error(operation, asked, members={"AvailabilityZoneId": "a"})["error"] == "ResourceNotFoundException"
    assert sdk.call("ListFlowOperations", {"FirewallArn": ARN}, members={"AvailabilityZoneId": "a"})["FlowOperations"] == []
    elsewhere = sdk.error("StartFlowFlush", request, members={"AvailabilityZoneId": "use1-az4"})
    assert elsewhere["error"] == "ResourceNotFoundException" and "AvailabilityZoneId" in elsewhere["message"]
    at_odds = sdk.error("StartFlowFlush", in_zone_a(FlowFilters=DNS), members=in_b)
    assert at_odds["error"] == "InvalidRequestException" and "AvailabilityZoneId" in at_odds["message"]


@pytest.mark.parametrize("members, name", [
    ({"MinimumFlowAge": 3600}, "MinimumFlowAge"),
    ({"FlowFilters": [DNS[0] | {"SourceAddres": {"AddressDefinition": "10.9.9.9"}}]}, "FlowFilters[0].SourceAddres"),
    ({"FlowFilters": [{"DestinationAddress": {"AddressDefinition": SERVER4, "Mask": 32}}]}, "FlowFilters[0].DestinationAddress.Mask"),
])
def test_a_flush_with_a_member_that_is_not_known_ends_no_flow(lab, sdk, members, name):
    lab.fill(3)
    error = sdk.error("StartFlowFlush", in_zone_a(FlowFilters=DNS), members=members)
    assert (error["error"], error["status"], error["attempts"]) == ("InvalidRequestException", 400, 1), error
    assert error["message"].startswith(f"{name}: unknown"), error
    assert len(lab.conntrack("-p", "udp", "--dport", "53")) == 3
    assert sdk.call("ListFlowOperations", {"FirewallArn": ARN})["FlowOperations"] == []


@pytest.mark.parametrize("operation, change, name", [
    ("StartFlowFlush", {"FlowFilters": None}, "FlowFilters"),
    ("StartFlowFlush", {"FlowFilters": []}, "FlowFilters"),
    ("StartFlowFlush", {"FlowFilters": [{}]}, "FlowFilters"),
    ("StartFlowFlush", {"FlowFilters": DNS * 21}, "FlowFilters"),
    ("StartFlowFlush", {"FlowFilters": "all"}, "FlowFilters"),
    ("StartFlowFlush", {"FlowFilters": [7]}, "FlowFilters"),
    ("StartFlowCapture", {"FlowFilters": [{"SourceAddress": {}}]}, "AddressDefinition"),
    ("StartFlowCapture", {"FlowFilters": [{"SourceAddress": {"AddressDefinition": "10.0.0.0/33"}}]}, "AddressDefinition"),
    ("StartFlowCapture", {"FlowFilters": [{"SourceAddress": {"AddressDefinition": 10}}]}, "AddressDefinition"),
    ("StartFlowCapture", {"FlowFilters": [{"SourcePort": "80-90"}]}, "SourcePort"),
    ("StartFlowCapture", {"FlowFilters": [{"DestinationPort": "90:80"}]}, "DestinationPort"),
    ("StartFlowCapture", {"FlowFilters": [{"DestinationPort": 80}]}, "DestinationPort"),
    ("StartFlowCapture", {"FlowFilters": [{"Protocols": ["tcp"]}]}, "Protocols"),
    ("StartFlowCapture", {"FlowFilters": [{"Protocols": ["256"]}]}, "Protocols"),
    ("StartFlowCapture", {"FlowFilters": [{"Protocols": "6"}]}, "Protocols"),
    ("StartFlowCapture", {"MinimumFlowAgeInSeconds": -1}, "MinimumFlowAgeInSeconds"),
    ("StartFlowCapture", {"MinimumFlowAgeInSeconds": "60"}, "MinimumFlowAgeInSeconds"),
    ("StartFlowCapture", {"FirewallArn": "edge"}, "FirewallArn"),
    ("StartFlowCapture", {"FirewallArn": "arn:aws" + "x" * 250}, "FirewallArn"),
    ("StartFlowCapture", {"FirewallArn": None}, "FirewallArn"),
    ("StartFlowCapture", {"VpcEndpointId": "eni-123"}, "VpcEndpointId"),
    ("DescribeFlowOperation", {}, "FlowOperationId"),
    ("DescribeFlowOperation", {"FlowOperationId": "x"}, "FlowOperationId"),
    ("DescribeFlowOperation", {"FlowOperationId": UNKNOWN_ID.upper()}, "FlowOperationId"),
    ("ListFlowOperations", {"FlowOperationType": "FLOW_SHRED"}, "FlowOperationType"),
    ("ListFlowOperations", {"MaxResults": 0}, "MaxResults"),
    ("ListFlowOperations", {"MaxResults": 101}, "MaxResults"),
    ("ListFlowOperations", {"NextToken": "not-ours"}, "NextToken"),
    ("ListFlowOperations", {"NextToken": "abc"}, "NextToken"),
])
def test_what_breaks_a_rule_is_an_invalid_request_that_names_the_member(shared_sdk, operation, change, name):
    request = in_zone_a(FlowFilters=DNS) if operation.startswith("Start") else in_zone_a()
    error = shared_sdk.error(operation, {key: value for key, value in (request | change).items() if value is not None})
    assert (error["error"], error["type"], error["status"]) == ("InvalidRequestException", "InvalidRequestException", 400), error
    assert name in error["message"] and error["attempts"] == 1, error


@pytest.mark.parametrize("operation, change", [
    ("StartFlowFlush", {"FirewallArn": ARN.replace("edge", "nothing")}),
    ("StartFlowFlush", {"FirewallArn": ARN.replace(ACCOUNT, "123456789012")}),
    ("StartFlowFlush", {"FirewallArn": ARN.replace(REGION, "us-east-1")}),
    ("StartFlowFlush", {"AvailabilityZone": "c"}),
    ("StartFlowFlush", {"VpcEndpointId": "vpce-0123456789abcdef0"}),
    ("StartFlowFlush", {"VpcEndpointAssociationArn": ARN.replace("firewall/edge", "vpc-endpoint-association/x")}),
    ("DescribeFlowOperation", {"FlowOperationId": UNKNOWN_ID}),
    ("ListFlowOperationResults", {"FlowOperationId": UNKNOWN_ID}),
    ("DescribeFirewall", {"FirewallArn": ARN + "x"}),
    ("DescribeFirewallPolicy", {"FirewallPolicyName": "nothing"}),
])
def test_what_is_not_there_is_not_found(shared_sdk, operation, change):
    request = in_zone_a(FlowFilters=DNS) | change if "Flow" in operation else change
    error = shared_sdk.error(operation, request)
    assert (error["error"], error["type"], error["status"]) == ("ResourceNotFoundException", "ResourceNotFoundException", 400), error


def test_errors_of_every_other_type(lab, service, sdk):
    lab.fill(3)
    flush = in_zone_a(FlowFilters=DNS)
    late = Sdk(lab, clock=-20 * 60)
    too_large = in_zone_a(FlowFilters=DNS, VpcEndpointId="vpce-" + "a" * (2 << 20))
    cases = {
        ("AccessDeniedException", 403): sdk.error("StartFlowFlush", flush, credentials=VIEWER),
        ("UnrecognizedClientException", 403): sdk.error("StartFlowFlush", flush, credentials=OPERATOR | {"key": "NOBODY"}),
        ("InvalidSignatureException", 403): sdk.error("StartFlowFlush", flush, credentials=OPERATOR | {"secret": "wrong"}, attempts=1),
        ("RequestExpired", 400): late.error("StartFlowFlush", flush, attempts=1),
        ("UnknownOperationException", 404): sdk.error("ListRuleGroups"),
        ("RequestEntityTooLargeException", 413): sdk.error("StartFlowFlush", too_large),
        ("InternalServerError", 500): sdk.error("StartFlowFlush", flush | {"FirewallArn": OTHER_ARN}, attempts=1),
    }
    assert {(error["error"], error["status"]) for error in cases.values()} == set(cases), cases
    changed = sdk.error("StartFlowFlush", in_zone_a(FlowFilters=[{"SourceAddress": {"AddressDefinition": "10.9.0.0/16"}}]),
                        tamper="body", attempts=1)
    assert (changed["error"], changed["status"]) == ("InvalidSignatureException", 403)
    assert len(lab.conntrack("-p", "udp", "--dport", "53")) == 3, "nothing of this has flushed anything"
    refused = [line for line in service.audit() if line["caller"]["user"] == VIEWER["key"]]
    assert len(refused) == 1 and "not allowed" in json.dumps(refused), "who may not is on record"


def test_a_dry_run_of_another_interface_is_no_operation_of_aws(sdk, service):
    dry_run = {"type": "FLOW_FLUSH", "dry_run": True, "firewall": "edge", "availability_zone": "a", "filters": [{"destination_port": "53"}]}
    status, body = service.curl("-H", f"Authorization: Bearer {TOKENS['operator']}", "--json", json.dumps(dry_run), "/v1/operations")
    assert status == 202, body
    where = in_zone_a(FlowOperationId=json.loads(body)["operation_id"])
    for action in ("DescribeFlowOperation", "ListFlowOperationResults"):
        assert sdk.error(action, where)["error"] == "ResourceNotFoundException"


def test_whoever_asks_for_what_they_may_not_have_is_on_record(service, sdk):
    flush = in_zone_a(FlowFilters=DNS)
    asked = [sdk.error("StartFlowFlush", flush, credentials=CORE_ALONE), sdk.error("StartFlowFlush", flush | {"AvailabilityZone": "c"}),
             sdk.error("StartFlowFlush", flush | {"FlowFilters": [{}]}), sdk.error("StartFlowFlush", flush | {"FlowFilters": DNS * 21})]
    policy = {"StatelessDefaultActions": ["aws:forward_to_sfe"], "StatelessFragmentDefaultActions": ["aws:forward_to_sfe"],
              "StatefulEngineOptions": {"StreamExceptionPolicy": "DROP"}}
    asked.append(sdk.error("UpdateFirewallPolicy", {"UpdateToken": UNKNOWN_ID, "FirewallPolicyArn": POLICY_ARN, "FirewallPolicy": policy}))
    asked.append(sdk.error("UpdateFirewallPolicy", {"UpdateToken": "x", "FirewallPolicyArn": POLICY_ARN, "FirewallPolicy": policy}))
    recorded = service.audit()
    assert len(recorded) == len(asked) and recorded[0]["caller"]["user"] == CORE_ALONE["key"]
    assert [line["action"] for line in recorded] == ["flush"] * 4 + ["policy_apply"] * 2, recorded


def test_a_clock_that_is_wrong_is_set_by_the_sdk_itself(lab, service):
    for minutes in (-20, 20):
        answer = Sdk(lab, clock=60 * minutes).ask("ListFirewalls")
        assert answer["status"] == 200 and answer["attempts"] == 2, answer


def test_who_has_one_firewall_sees_no_other(sdk):
    listed = sdk.call("ListFirewalls", credentials=CORE_ALONE)["Firewalls"]
    assert [each["FirewallName"] for each in listed] == ["core"]
    error = sdk.error("StartFlowCapture", in_zone_a(FlowFilters=DNS), credentials=CORE_ALONE)
    assert error["error"] in ("ResourceNotFoundException", "AccessDeniedException"), error


def test_firewalls_are_found_and_described(sdk):
    listed = sdk.call("ListFirewalls")["Firewalls"]
    assert {each["FirewallName"]: each["FirewallArn"] for each in listed} == {"edge": ARN, "core": OTHER_ARN}
    described = sdk.call("DescribeFirewall", {"FirewallName": "edge"})
    assert described == sdk.call("DescribeFirewall", {"FirewallArn": ARN})
    assert described["Firewall"]["FirewallPolicyArn"] == POLICY_ARN and len(described["Firewall"]["SubnetMappings"]) == 2
    assert set(described["FirewallStatus"]["SyncStates"]) == {"a", "b"} and described["FirewallStatus"]["Status"] == "READY"


def test_the_stream_exception_policy_is_applied_for_real(lab, service, sdk):
    def update(exception, token=None):
        now = sdk.call("DescribeFirewallPolicy", {"FirewallPolicyArn": POLICY_ARN})
        policy = now["FirewallPolicy"] | {"StatefulEngineOptions": {"StreamExceptionPolicy": exception}}
        return {"UpdateToken": token or now["UpdateToken"], "FirewallPolicyArn": POLICY_ARN, "FirewallPolicy": policy}

    for exception in ("DROP", "REJECT", "CONTINUE"):
        changed = sdk.call("UpdateFirewallPolicy", update(exception))
        described = sdk.call("DescribeFirewallPolicy", {"FirewallPolicyName": "edge"})
        assert described["FirewallPolicy"]["StatefulEngineOptions"]["StreamExceptionPolicy"] == exception
        assert described["UpdateToken"] == changed["UpdateToken"]
        for host in (GATEWAY, SERVER):
            rules = lab.run(host, "nft", "list", "table", "inet", "headgate").stdout
            assert ("reject with tcp reset" in rules) == (exception == "REJECT")
        status = json.loads(lab.headgate("policy", "status", "--firewall", "edge", "--availability-zone", "a", "--json", netns=False).stdout)
        assert (status["policy"], status["condition"]) == (exception.lower(), "as_applied")
    changes = [(line["caller"]["user"], line["action"], line["stream_exception_policy"], line["availability_zone"]) for line in service.audit()]
    assert changes == [(OPERATOR["key"], "policy_apply", policy, zone) for policy in ("drop", "reject", "continue") for zone in "ab"]
    stale = update("DROP")
    sdk.call("UpdateFirewallPolicy", update("REJECT"))
    assert sdk.error("UpdateFirewallPolicy", stale)["error"] == "InvalidTokenException"
    assert sdk.error("UpdateFirewallPolicy", update("SHRUG"))["error"] == "InvalidRequestException"
    assert sdk.error("UpdateFirewallPolicy", update("DROP"), credentials=VIEWER)["error"] == "AccessDeniedException"
    described = sdk.call("DescribeFirewallPolicy", {"FirewallPolicyName": "edge"})
    assert described["FirewallPolicy"]["StatefulEngineOptions"]["StreamExceptionPolicy"] == "REJECT"
