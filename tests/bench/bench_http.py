# SPDX-License-Identifier: GPL-2.0-or-later
"""Throughput of the HTTP interface: results as NDJSON, and signed Describe requests. Over TCP on loopback, without TLS,
with the highest possible rate limit; access lines are written to a file, in place of journald."""

import hashlib
import hmac
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time

PORT = 18443
KEY, SECRET = "BENCHKEY", "bench-secret"
REGION, ACCOUNT, SERVICE = "eu-central-1", "000000000000", "network-firewall"
FIREWALL_ARN = f"arn:aws:network-firewall:{REGION}:{ACCOUNT}:firewall/bench"

CONFIGURATION = """
region: {region}
firewalls: [{{name: bench, endpoints: [{{availability_zone: a, netns: {namespace}}}]}}]
http:
  socket: {folder}/http.sock
  listeners: [{{address: 127.0.0.1, port: {port}}}]
  credentials: {folder}/credentials.yaml
  requests_per_second: 65535
"""

WRK_SCRIPT = """
wrk.method = "POST"
wrk.body = '{body}'
{headers}
"""


def sign(target, body, now):
    """The headers of a signed request (AWS Signature Version 4)."""
    date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    headers = {"content-type": "application/x-amz-json-1.0", "host": f"127.0.0.1:{PORT}", "x-amz-date": date,
               "x-amz-target": f"NetworkFirewall_20201112.{target}"}
    names = ";".join(headers)
    canonical = "\n".join(["POST", "/", "", *(f"{name}:{value}" for name, value in headers.items()), "", names,
                           hashlib.sha256(body.encode()).hexdigest()])
    scope = f"{date[:8]}/{REGION}/{SERVICE}/aws4_request"
    key = f"AWS4{SECRET}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", date, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return {**headers, "authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={names}, Signature={signature}"}


class ServedAgent:
    def __init__(self, headgate, folder, namespace, write_configuration):
        self.folder = folder
        credentials = pathlib.Path(f"{folder}/credentials.yaml")
        credentials.touch(mode=0o600)
        credentials.write_text(f"access_keys: [{{id: {KEY}, secret: {SECRET}, role: viewer}}]\n"
                               f"tokens: [{{name: bench, sha256: {hashlib.sha256(SECRET.encode()).hexdigest()}, role: viewer}}]\n")
        settings = CONFIGURATION.format(region=REGION, namespace=namespace, folder=folder, port=PORT)
        self.file = write_configuration(folder, "http", settings, http=False)
        self.headgate = [headgate, "--config", self.file]

    def __enter__(self):
        with open(f"{self.folder}/agent.log", "w") as log:
            self.process = subprocess.Popen([*self.headgate, "agent"], stderr=log)
        while not os.path.exists(f"{self.folder}/http.sock"):
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def resident(self, what="VmRSS"):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+)", status)[1]) / 1024

    def capture(self):
        subprocess.run(["curl", "-sf", "--unix-socket", f"{self.folder}/http.sock", "-H", "Content-Type: application/json", "-d",
                        '{"type":"FLOW_CAPTURE","filters":[{}]}', "http://agent/v1/operations"], check=True, capture_output=True)
        while True:
            listed = subprocess.run(["curl", "-sf", "--unix-socket", f"{self.folder}/http.sock", "http://agent/v1/operations"],
                                    check=True, capture_output=True).stdout
            operation = json.loads(listed)["operations"][0]
            if operation["status"] != "IN_PROGRESS":
                return operation
            time.sleep(0.2)


def timed(words):
    with tempfile.NamedTemporaryFile(dir="/var/tmp") as output:
        begin = time.monotonic()
        subprocess.run(words, stdout=output, check=True, stderr=subprocess.DEVNULL)
        return time.monotonic() - begin, os.path.getsize(output.name)


def bench_results(agent, operation, repeat, report):
    """Both clients write the results to a file, so that the work is the same."""
    results = f"http://127.0.0.1:{PORT}/v1/operations/{operation['operation_id']}/results"
    over_http = ["curl", "-sf", "-H", f"Authorization: Bearer {SECRET}", "-H", "Accept: application/x-ndjson", results]
    to_file = [*agent.headgate, "--state-dir", f"{agent.folder}/http", "operations", "results", operation["operation_id"],
               "--output", "ndjson"]
    ours, theirs, size = [], [], 0
    before = agent.resident()
    for _ in range(repeat):
        took, size = timed(over_http)
        ours.append(took)
        theirs.append(timed(to_file)[0])
    rate = size / statistics.median(ours) / 1e6
    share = statistics.median(theirs) / statistics.median(ours)
    report.add("results as NDJSON over HTTP", "the same rows to a file", f"{rate:.0f} MB/s", ">= 200", rate >= 200 or share >= 0.6,
               rows=f"{operation['counts']['matched']:,}", share=f"{share:.2f}", ours=f"{statistics.median(ours):.3f}s",
               theirs=f"{statistics.median(theirs):.3f}s", MiB=f"{before:.1f} -> {agent.resident():.1f}")


def bench_describe(agent, operation, report):
    body = json.dumps({"FirewallArn": FIREWALL_ARN, "FlowOperationId": operation["operation_id"]})
    headers = sign("DescribeFlowOperation", body, time.time())
    script = pathlib.Path(f"{agent.folder}/describe.lua")
    script.write_text(WRK_SCRIPT.format(body=body, headers="\n".join(f'wrk.headers["{name}"] = "{value}"'
                                                                     for name, value in headers.items() if name != "host")))
    before = agent.resident()
    said = subprocess.run(["wrk", "-t1", "-c16", "-d10s", "--latency", "-s", str(script), f"http://127.0.0.1:{PORT}/"],
                          check=True, capture_output=True, text=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    if failed:
        raise SystemExit(f"bench: {failed[0]}")
    report.add("Describe with SigV4, 16 connections", "-", f"{rate:,.0f}/s", ">= 5,000", rate >= 5000,
               p99=re.search(r"99%\s+(\S+)", said)[1], MiB=f"{before:.1f} -> {agent.resident():.1f}")


def bench_http(headgate, namespace, folder, write_configuration, repeat, report):
    with ServedAgent(headgate, folder, namespace, write_configuration) as agent:
        operation = agent.capture()
        bench_results(agent, operation, repeat, report)
        bench_describe(agent, operation, report)
        peak = agent.resident("VmHWM")
        report.add("agent that serves all of this, at most", "-", f"{peak:.1f} MiB", "<= 64", peak <= 64)
