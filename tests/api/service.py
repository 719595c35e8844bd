# SPDX-License-Identifier: GPL-2.0-or-later
"""An agent that serves TCP in the lab's gateway, and its clients: the AWS SDK for JavaScript, and curl."""

import hashlib
import itertools
import json
import os
import subprocess
import textwrap
import threading

from lab import CLIENT, GATEWAY, HEADGATE, SERVER, TRACKING_RULES, wait_until

REGION, ACCOUNT = "eu-central-1", "000000000000"
ARN = f"arn:aws:network-firewall:{REGION}:{ACCOUNT}:firewall/edge"
OTHER_ARN = ARN.replace("edge", "core")
POLICY_ARN = ARN.replace(":firewall/", ":firewall-policy/")

OPERATOR = {"key": "HGOPERATOR", "secret": "operator+secret/0123456789abcdef"}
VIEWER = {"key": "HGVIEWER", "secret": "viewer+secret/0123456789abcdef"}
CORE_ALONE = {"key": "HGCORE", "secret": "core+secret/0123456789abcdef"}
TOKENS = {"operator": "token-of-an-operator", "viewer": "token-of-a-viewer"}

PLAIN, TLS, CLIENT_TLS = 8443, 8444, 8445
OUTSIDE = "10.0.1.1"  # the gateway as the client sees it

CONFIGURATION = """
region: {region}
firewalls:
  - name: edge
    endpoints: [{{availability_zone: a}}, {{availability_zone: b, availability_zone_id: euc1-az3, netns: {other}}}]
  - name: core
    endpoints: [{{availability_zone: a, netns: {missing}}}]
http:
  socket: {folder}/headgate.sock
  listeners:
    - {{address: 127.0.0.1, port: 8443}}
    - {{address: {outside}, port: 8444, tls: {{certificate: {folder}/server.crt, key: {folder}/server.key}}}}
    - {{address: {outside}, port: 8445, tls: {{certificate: {folder}/server.crt, key: {folder}/server.key, client_ca: {folder}/ca.crt}}}}
  credentials: {folder}/credentials.yaml
  connections: 8
"""

CREDENTIALS = """
access_keys:
  - {{id: {operator[key]}, secret: {operator[secret]}, role: operator}}
  - {{id: {viewer[key]}, secret: {viewer[secret]}, role: viewer}}
  - {{id: {core[key]}, secret: {core[secret]}, role: operator, firewalls: [core]}}
tokens:
  - {{name: on-call, sha256: {operator_token}, role: operator}}
  - {{name: dashboard, sha256: {viewer_token}, role: viewer}}
certificates:
  - {{name: engineer, role: operator}}
"""


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    """A CA, and certificates that it signed: the gateway's, an engineer's, and one of an unknown user."""
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
            "/CN=test authority", "-keyout", "ca.key", "-out", "ca.crt")
    for name, subject, extension in (("server", "gateway", f"subjectAltName=IP:{OUTSIDE}"),
                                     ("engineer", "engineer", "extendedKeyUsage=clientAuth"),
                                     ("stranger", "stranger", "extendedKeyUsage=clientAuth")):
        (folder / f"{name}.ext").write_text(extension)
        openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={subject}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", f"{name}.ext", "-out", f"{name}.crt")
        (folder / f"{name}.key").chmod(0o600)


class Service:
    """The agent, in the gateway's network namespace."""

    def __init__(self, lab, configuration=CONFIGURATION):
        self.lab = lab
        make_certificates(lab.folder)
        lab.load_rules(TRACKING_RULES, SERVER)
        self.write_credentials(CREDENTIALS.format(operator=OPERATOR, viewer=VIEWER, core=CORE_ALONE,
                                                  operator_token=sha256(TOKENS["operator"]), viewer_token=sha256(TOKENS["viewer"])))
        self.configure(configuration)
        self.log = lab.folder / "agent.log"

    def write_credentials(self, text, mode=0o600):
        file = self.lab.folder / "credentials.yaml"
        file.touch(mode=0o600)
        file.write_text(textwrap.dedent(text))
        file.chmod(mode)

    def configure(self, text):
        lab = self.lab
        lab.configuration = lab.folder / "headgate.yaml"
        lab.configuration.write_text(f"state_dir: {lab.folder}/state\naudit_log: {lab.folder}/audit.log\n"
                                     f"flow_log: {{sinks: [{{file: {lab.folder}/flow.json}}]}}\n" + text.format(
            region=REGION, folder=lab.folder, other=lab.name(SERVER), missing=lab.name("missing"), outside=OUTSIDE))

    def start(self):
        before = self.said().count(" serves ") if self.log.exists() else 0
        with open(self.log, "a") as log:
            self.process = subprocess.Popen(self.lab.command(GATEWAY, HEADGATE, "agent", "--config", str(self.lab.configuration)),
                                            stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        wait_until(lambda: self.said().count(" serves ") > before or self.process.poll() is not None, "the agent starts")
        return self

    def said(self):
        return self.log.read_text()

    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout=90)

    def audit(self):
        return [json.loads(line) for line in (self.lab.folder / "audit.log").read_text().splitlines()]

    def curl(self, *words, host=GATEWAY, url=f"http://127.0.0.1:{PLAIN}"):
        """Status and body."""
        *options, path = words
        done = self.lab.run(host, "curl", "-s", "-S", "-m", "30", "-w", "\n%{http_code}", *options, url + path, check=False)
        body, _, status = done.stdout.rpartition("\n")
        return (int(status), body) if done.returncode == 0 else (done.returncode * -1, done.stderr)


class Sdk:
    """Calls of the unmodified SDK; several may be in progress."""

    def __init__(self, lab, host=GATEWAY, endpoint=f"http://127.0.0.1:{PLAIN}", authority=None, clock=0):
        """`clock`: error of the client machine's clock, in seconds."""
        environment = os.environ | {"CLOCK_SHIFT": str(1000 * clock)} | ({"NODE_EXTRA_CA_CERTS": str(authority)} if authority else {})
        self.process = lab.start(host, "node", os.path.join(os.path.dirname(__file__), "sdk.mjs"), env=environment)
        self.endpoint = endpoint
        self.numbers = itertools.count()
        self.answers, self.arrived = {}, threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            answer = json.loads(line)
            with self.arrived:
                self.answers[answer.pop("id")] = answer
                self.arrived.notify_all()

    def begin(self, operation, input=None, *, paginate=False, credentials=OPERATOR, **client):
        number = next(self.numbers)
        question = {"id": number, "operation": operation, "input": input or {}, "paginate": paginate,
                    "client": {"endpoint": self.endpoint, **credentials, **client}}
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return number

    def end(self, number, seconds=60):
        with self.arrived:
            assert self.arrived.wait_for(lambda: number in self.answers, seconds), "the SDK has no answer"
            return self.answers.pop(number)

    def ask(self, operation, input=None, **options):
        """The whole response, including errors."""
        return self.end(self.begin(operation, input, **options))

    def call(self, operation, input=None, **options):
        """The output of a call that succeeds."""
        answer = self.ask(operation, input, **options)
        assert "output" in answer, answer
        return answer["output"]

    def error(self, operation, input=None, **options):
        answer = self.ask(operation, input, **options)
        assert "error" in answer, answer
        return answer

    def wait(self, operation_id, zone="a"):
        """The description of an operation that has ended."""
        return wait_until(lambda: (lambda described: described["FlowOperationStatus"] != "IN_PROGRESS" and described)(
            self.call("DescribeFlowOperation", {"FirewallArn": ARN, "AvailabilityZone": zone, "FlowOperationId": operation_id})),
            "the operation ends", 60)

    def run(self, operation, zone="a", **members):
        """Starts an operation, and returns its id when it has ended."""
        started = self.call(operation, {"FirewallArn": ARN, "AvailabilityZone": zone, **members})
        self.wait(started["FlowOperationId"], zone)
        return started["FlowOperationId"]

    def flows(self, operation_id, zone="a", **members):
        pages = self.call("ListFlowOperationResults", {"FirewallArn": ARN, "AvailabilityZone": zone,
                                                       "FlowOperationId": operation_id, **members}, paginate=True)
        return [flow for page in pages for flow in page["Flows"]]
