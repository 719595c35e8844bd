# SPDX-License-Identifier: GPL-2.0-or-later
"""The HTTP interface, over the agent's Unix socket: each response described in /openapi.yaml is provoked and validated
with its schema, and there are no others."""

import csv
import http.client
import io
import json
import re
import socket

import jsonschema
import pytest
import yaml

from lab import SERVER4, SERVER6, wait_until
from test_agent import start_agent  # noqa: F401 -- a fixture
from test_capture import conversation

# These need credentials, too many requests, a broken disk or too many connections; other tests cover them.
SEEN_ELSEWHERE = {"401", "403", "429", "500", "503"}

ENOUGH = 200  # flows of a response that are validated: all are written by the same code
FORMS = ("application/json", "application/x-ndjson", "text/csv")
EVERYTHING = {"filters": [{}]}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.type = (response.headers["Content-Type"] or "").split(";")[0]
        self.text = response.read().decode()

    def json(self):
        return json.loads(self.text)


def validate(value, schema):
    jsonschema.Draft202012Validator(schema).validate(value)


def merged(base, more):
    """A schema combined with the siblings of its $ref: both apply."""
    both = base | more
    if "properties" in base:
        both["properties"] = base["properties"] | more.get("properties", {})
        both["required"] = sorted({*base.get("required", []), *more.get("required", [])})
    return both


class Description:
    """openapi.yaml with all $ref resolved."""

    def __init__(self, text):
        self.whole = yaml.safe_load(text)
        self.paths = {path: self.resolved(item) for path, item in self.whole["paths"].items()}
        schemas = {name: self.strict(self.resolved(schema)) for name, schema in self.whole["components"]["schemas"].items()}
        for schema in schemas.values():
            jsonschema.Draft202012Validator.check_schema(schema)
        self.flow, self.operation, self.problem, self.record = (
            schemas[name] for name in ("Flow", "Operation", "Problem", "FlowRecord"))

    def resolved(self, node):
        if isinstance(node, list):
            return [self.resolved(each) for each in node]
        if not isinstance(node, dict):
            return node
        rest = {key: self.resolved(value) for key, value in node.items() if key != "$ref"}
        if "$ref" not in node:
            return rest
        base = self.whole
        for part in node["$ref"].removeprefix("#/").split("/"):
            base = base[part]
        return merged(self.resolved(base), rest)

    def strict(self, schema):
        """Forbids members that are not described."""
        if isinstance(schema, list):
            return [self.strict(each) for each in schema]
        if not isinstance(schema, dict):
            return schema
        inner = {key: self.strict(value) for key, value in schema.items()}
        return {"additionalProperties": False} | inner if "properties" in inner else inner

    def operations(self):
        """(method, path, operation)"""
        return [(method.upper(), path, operation) for path, item in self.paths.items()
                for method, operation in item.items() if method != "parameters"]

    def find(self, method, target):
        """The path's template and the description of the method; None if undocumented."""
        path = target.split("?")[0]
        for template, item in self.paths.items():
            if re.fullmatch(re.sub(r"{\w+}", "[^/]+", template), path):
                return template, item.get("get" if method == "HEAD" else method.lower())
        return None, None


class Api:
    """Sends requests, and validates each response with the description."""

    def __init__(self, lab):
        self.path = f"{lab.folder}/headgate.sock"
        self.seen = set()
        wait_until(self.is_there, "the agent answers")
        self.description = Description(self.plain("GET", "/openapi.yaml").text)

    def is_there(self):
        try:
            return self.plain("GET", "/openapi.yaml").status == 200
        except OSError:
            return False

    def plain(self, method, target, body=None, **headers):
        connection = UnixConnection(self.path)
        if isinstance(body, (dict, list)):
            body, headers = json.dumps(body), {"Content-Type": "application/json"} | headers
        connection.request(method, target, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def ask(self, method, target, body=None, **headers):
        answer = self.plain(method, target, body, **headers)
        template, operation = self.description.find(method, target)
        if template is None or operation is None:
            assert answer.status == (404 if template is None else 405), (method, target, answer.text)
            self.check_problem(answer)
            return answer
        status = str(answer.status)
        assert status in operation["responses"], (method, target, answer.status, answer.text)
        self.seen.add((method, template, status))
        if method != "HEAD":
            is_log = template == "/v1/flow-log"
            self.check_body(answer, operation["responses"][status], self.description.record if is_log else None)
        return answer

    def check_problem(self, answer):
        assert answer.type == "application/problem+json", answer.type
        validate(answer.json(), self.description.problem)
        assert answer.json()["status"] == answer.status

    def check_body(self, answer, described, record=None):
        """`record`: schema of a line or an event that is neither a flow nor an operation."""
        assert answer.type in described["content"], answer.type
        for name, header in described.get("headers", {}).items():
            if name in answer.headers:
                validate(answer.headers[name], header["schema"])
        if answer.status >= 400:
            self.check_problem(answer)
        elif answer.type == "application/x-ndjson":
            for line in answer.text.splitlines()[:ENOUGH]:
                validate(json.loads(line), record or self.description.flow)
        elif answer.type == "text/event-stream":
            for data in re.findall("^data: (.*)$", answer.text, re.MULTILINE):
                validate(json.loads(data), record or self.description.operation)
        elif answer.type == "text/csv":
            assert len({len(row) for row in csv.reader(io.StringIO(answer.text, newline=""))}) == 1
        elif answer.type == "application/json":
            body = answer.json()
            if "flows" in body:
                body["flows"] = body["flows"][:ENOUGH]
            validate(body, self.description.strict(described["content"]["application/json"]["schema"]))

    def start(self, **request):
        started = self.ask("POST", "/v1/operations", request)
        assert started.status == 202, started.text
        return started.json()["operation_id"]

    def done(self, **request):
        """Runs an operation and returns it when it has ended."""
        return self.ask("GET", f"/v1/operations/{self.start(**request)}?wait_ms=30000").json()


def talk(lab):
    """Creates flows of several kinds."""
    lab.fill(20)
    conversation(lab, port=8080)
    lab.ping(SERVER4), lab.ping(SERVER6)


@pytest.fixture
def api(lab, start_agent):  # noqa: F811
    start_agent()
    return Api(lab)


def named(path):
    """The path of a resource that does not exist."""
    return re.sub(r"{\w+}", "nothing", path)


def make_what_is_refused(api):
    for method, path, operation in api.description.operations():
        answers = operation["responses"]
        takes_body = "requestBody" in operation
        target = named(path)
        if "400" in answers:
            assert api.ask(method, target + "?nonsense=1", EVERYTHING if takes_body else None).status == 400
        if "404" in answers:
            assert api.ask(method, target).status == 404
        if "413" in answers:
            assert api.ask(method, target, Content_Length="2000000", Content_Type="application/json").status == 413
        if "415" in answers:
            assert api.ask(method, target, "type: FLOW_CAPTURE", Content_Type="application/yaml").status == 415


def make_what_is_done(api):
    capture = api.start(type="FLOW_CAPTURE", **EVERYTHING)
    assert api.ask("GET", f"/v1/operations/{capture}?wait_ms=30000").json()["status"] == "COMPLETED"
    for form in FORMS:
        assert api.ask("GET", f"/v1/operations/{capture}/results?limit=2", Accept=form).type == form
    assert api.ask("GET", f"/v1/operations/{capture}/results", Accept="text/html").status == 406
    assert api.ask("GET", f"/v1/operations/{capture}/events").text.startswith("event: end\n")
    assert api.ask("POST", f"/v1/operations/{capture}/cancel").status == 202
    assert api.ask("GET", "/v1/operations?limit=1&type=FLOW_CAPTURE").json()["next_cursor"] == capture
    assert api.ask("POST", "/v1/validate", {"type": "FLOW_CAPTURE"} | EVERYTHING).json()["filters"] == [{}]
    assert api.ask("GET", "/v1/session").json()["role"] == "operator"
    assert api.ask("GET", "/v1/overview").json()["endpoints"][0]["firewall"] == "edge"
    assert api.ask("GET", "/v1/overview", Accept="text/csv").status == 406
    for path in ("firewalls", "flow-table", "configuration", "stream-exception-policies", "stream-exception-policies/drop"):
        assert api.ask("GET", f"/v1/{path}").status == 200
    for form in ("application/json", "application/x-ndjson"):
        assert api.ask("GET", "/v1/flow-log?reason=flushed,closed&filter=protocol%3Dtcp", Accept=form).type == form
    assert api.ask("GET", "/v1/flow-log?follow=true", Accept="application/json").status == 406
    policy = "/v1/stream-exception-policy"
    assert api.ask("PUT", policy, {"policy": "drop"}).json()["policy"] == "drop"
    assert api.ask("PUT", policy, {"policy": "nonsense"}).status == 400
    assert api.ask("GET", policy).json()["condition"] == "as_applied"
    assert api.ask("DELETE", policy).json()["policy"] == "none"
    quarantine, host = "/v1/quarantine", {"addresses": ["10.20.0.7"]}
    assert api.ask("POST", quarantine, host | {"for_seconds": 60}).status == 200
    assert api.ask("POST", quarantine, {"addresses": ["10.0.1.1"], "for_seconds": 60}).status == 409, "the gateway's own"
    assert api.ask("GET", quarantine).json()["quarantine"][0]["address"] == "10.20.0.7"
    assert api.ask("POST", f"{quarantine}/extend", host | {"for_seconds": 60}).status == 200
    assert api.ask("POST", f"{quarantine}/remove", host).status == 200
    for path in ("openapi.yaml", "healthz", "readyz", "metrics"):
        assert api.ask("GET", f"/{path}").status == 200


def make_what_is_in_progress(api, lab):
    lab.fill_many(60_000)
    flush = api.start(type="FLOW_FLUSH", all=True, **EVERYTHING)
    assert api.ask("GET", f"/v1/operations/{flush}/results").status == 409
    assert api.ask("POST", "/v1/operations", {"type": "FLOW_CAPTURE"} | EVERYTHING).status == 409
    events = api.ask("GET", f"/v1/operations/{flush}/events")
    assert events.text.startswith("event: progress\n") and events.text.count("event: end\n") == 1
    assert json.loads(events.text.rstrip().rsplit("data: ", 1)[1])["status"] == "COMPLETED"


def test_every_answer_is_given_and_as_it_is_described(lab, start_agent):  # noqa: F811
    agent = start_agent()
    talk(lab)
    api = Api(lab)
    make_what_is_refused(api)
    make_what_is_done(api)
    make_what_is_in_progress(api, lab)
    assert agent.stop() == 0
    start_agent("stream_exception_policy: reject\n")
    wait_until(api.is_there, "the next agent answers")
    assert api.ask("PUT", "/v1/stream-exception-policy", {"policy": "drop"}).status == 409
    assert api.ask("DELETE", "/v1/stream-exception-policy").status == 409
    described = {(method, path, status) for method, path, operation in api.description.operations()
                 for status in operation["responses"] if status not in SEEN_ELSEWHERE}
    assert described - api.seen == set()


def test_what_is_not_described_is_not_there(api):
    for path in api.description.paths:
        item = api.description.paths[path]
        methods = {method.upper() for method in item if method != "parameters"}
        answer = api.ask("PATCH", named(path))
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(", ")) == methods | ({"HEAD"} if "GET" in methods else set())
    assert api.ask("GET", "/v1").status == 404
    assert api.ask("GET", "/v1/operations/").status == 404


def test_a_head_is_that_of_the_answer_to_get(api):
    for method, path, _ in api.description.operations():
        if method != "GET":
            continue
        whole, head = api.ask("GET", named(path)), api.ask("HEAD", named(path))
        assert (head.status, head.type, head.text) == (whole.status, whole.type, "")
        if path != "/metrics":  # the metrics count these requests
            assert head.headers["Content-Length"] == whole.headers["Content-Length"]


def test_the_examples_of_requests_are_right(api):
    for _, _, operation in api.description.operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            examples = [each["value"] for each in content.get("examples", {}).values()] or [content["example"]]
            for example in examples:
                validate(example, api.description.strict(content["schema"]))


def test_results_by_the_page_are_all_of_them_in_every_form(api, lab):
    lab.fill_many(5_000)
    capture = api.done(type="FLOW_CAPTURE", **EVERYTHING)
    results = f"/v1/operations/{capture['operation_id']}/results"
    whole = api.ask("GET", results).json()
    assert {key: value for key, value in whole.items() if key != "flows"} == capture
    ids = [flow["id"] for flow in whole["flows"]]
    assert len(set(ids)) == capture["counts"]["matched"] == 5_000
    paged = {form: [] for form in FORMS}
    for form in FORMS:
        cursor = ""
        while cursor is not None:
            page = api.ask("GET", f"{results}?limit=1234{cursor}", Accept=form)
            if form == "application/json":
                paged[form] += [flow["id"] for flow in page.json()["flows"]]
                cursor = page.json().get("next_cursor")
            else:
                rows = csv.DictReader(io.StringIO(page.text, newline="")) if form == "text/csv" else map(
                    json.loads, page.text.splitlines())
                paged[form] += [int(row["id"]) for row in rows]
                cursor = page.headers["X-Next-Cursor"]
            cursor = cursor and f"&cursor={cursor}"
    assert all(each == ids for each in paged.values())


def test_csv_has_what_json_has(api, lab):
    talk(lab)
    capture = api.done(type="FLOW_CAPTURE", **EVERYTHING)
    results = f"/v1/operations/{capture['operation_id']}/results"
    rows = csv.DictReader(io.StringIO(api.ask("GET", results, Accept="text/csv").text, newline=""))
    for flow, row in zip(api.ask("GET", results).json()["flows"], rows, strict=True):
        flow |= {f"translated_{key}": value for key, value in flow.pop("translated", {}).items()}
        flow["status"] = " ".join(flow["status"])
        assert {key: str(value) for key, value in flow.items()} == {key: value for key, value in row.items() if value}


def test_a_request_with_a_key_that_was_used_is_answered_again(api, lab):
    lab.fill(3)
    request = {"type": "FLOW_FLUSH", "all": True} | EVERYTHING
    first = api.ask("POST", "/v1/operations", request, Idempotency_Key="once").json()
    api.ask("GET", f"/v1/operations/{first['operation_id']}?wait_ms=30000")
    lab.fill(3)
    assert api.ask("POST", "/v1/operations", request, Idempotency_Key="once").json()["operation_id"] == first["operation_id"]
    assert lab.count() == 3


@pytest.mark.parametrize("change", [
    {"maximum_flows": 5}, {"protected": ["protocol=udp"]}, {"require_policy": True}, {"stream_exception_policy": "reject"},
    {"include_protected": True}, {"state": "NEW"}, {"minimum_age_seconds": 1}, {"zone": 5}, {"dry_run": True},
], ids=lambda change: next(iter(change)))
def test_a_key_of_a_request_that_said_something_else_starts_nothing(api, lab, change):
    lab.fill(3)
    request = {"type": "FLOW_FLUSH", "all": True} | EVERYTHING
    first = api.ask("POST", "/v1/operations", request, Idempotency_Key="once").json()
    api.ask("GET", f"/v1/operations/{first['operation_id']}?wait_ms=30000")
    lab.fill(3)
    other = api.ask("POST", "/v1/operations", request | change, Idempotency_Key="once")
    assert other.status == 409 and "same token" in other.json()["detail"] and lab.count() == 3


@pytest.mark.parametrize("consent", ["declined", "not_asked"])
def test_a_flush_without_consent_is_kept_as_refused(api, lab, consent):
    lab.fill(3)
    dry_run = api.done(type="FLOW_FLUSH", all=True, dry_run=True, **EVERYTHING)
    request = {"type": "FLOW_FLUSH", "from_capture": dry_run["operation_id"], "consent": consent}
    kept = api.ask("POST", "/v1/operations", request).json()
    assert (kept["status"], kept["refused"], kept["consent"]) == ("FAILED", True, consent)
    assert kept["counts"]["matched"] == 3 and lab.count() == 3
    assert api.ask("GET", "/v1/operations?limit=1").json()["operations"] == [kept]
    assert api.ask("GET", f"/v1/operations/{kept['operation_id']}/results").json()["flows"] == []
    assert api.ask("POST", "/v1/operations", {"type": "FLOW_FLUSH", "all": True, "consent": consent} | EVERYTHING).status == 400
    assert api.ask("POST", "/v1/operations", request | {"from_capture": "01234567-89ab-cdef-0123-456789abcdef"}).status == 400


def test_a_flush_says_what_protected_flows_and_that_its_policy_stays(api, lab):
    lab.fill(3)
    flush = api.done(type="FLOW_FLUSH", all=True, protected=["source-port=1"], stream_exception_policy="drop", **EVERYTHING)
    assert flush["protected_by"] == [{"rule": "protected: source-port=1", "flows": 1}] and flush["policy_applied"]
    api.ask("DELETE", "/v1/stream-exception-policy")
    lines = [json.loads(line) for line in (lab.folder / "audit.log").read_text().splitlines()]
    assert [(line["action"], line.get("operation_id")) for line in lines] == [
        ("policy_apply", flush["operation_id"]), ("flush", flush["operation_id"]), ("policy_remove", None)]
    assert {line["caller"]["face"] for line in lines} == {"unix"}


def test_a_list_does_not_go_on_behind_an_operation_that_is_gone(api):
    """An empty page would look like the end."""
    answer = api.ask("GET", "/v1/operations?cursor=01234567-89ab-cdef-0123-456789abcdef")
    assert answer.status == 400 and "list again from the beginning" in answer.json()["detail"]


def test_a_request_that_cannot_be_carried_out_is_on_record(api, lab):
    """With what it says; a body that names no operation asks for none."""
    bad = {"filters": [{"source": "10.0.0.0/33"}]}
    assert api.ask("POST", "/v1/operations", {"type": "FLOW_FLUSH", "firewall": "edge"} | bad).status == 400
    assert api.ask("PUT", "/v1/stream-exception-policy", {"policy": "../drop"}).status == 400
    assert api.ask("POST", "/v1/operations", bad).status == 400
    lines = [json.loads(line) for line in (lab.folder / "audit.log").read_text().splitlines()]
    assert [(line["action"], line["result"], line["firewall"]) for line in lines] == [
        ("flush", "REFUSED", "edge"), ("policy_apply", "REFUSED", "")], lines
    assert "/33" in lines[0]["detail"]


def test_the_configuration_in_force_and_the_firewalls_are_served(api, lab):
    told = api.ask("GET", "/v1/configuration").json()
    assert told["configuration"]["state_dir"] == f"{lab.folder}/state" and told["files"] == [str(lab.configuration)]
    [firewall] = api.ask("GET", "/v1/firewalls").json()["firewalls"]
    assert firewall["name"] == "edge" and firewall["endpoints"][0]["stream_exception_policy"] == "none"
    shown = lab.headgate("policy", "show", "drop", "--json", netns=False)
    assert api.ask("GET", "/v1/stream-exception-policies/drop").json() == json.loads(shown.stdout)
