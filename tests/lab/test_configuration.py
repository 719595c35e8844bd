# SPDX-License-Identifier: GPL-2.0-or-later
"""Effects of the configuration: endpoints by name, protected flows, and errors with their location."""

import json
import os
import pathlib
import subprocess
import tempfile

import pytest

from lab import GATEWAY, HEADGATE, SERVER, SERVER4, wait_until
from test_capture import ZONE_5_FOR_THE_CLIENT, conversation

USAGE, REFUSED = 2, 5


@pytest.fixture
def configure(lab, tmp_path):
    """Writes the configuration and returns the options for it."""
    def write(text):
        file = tmp_path / "headgate.yaml"
        flow_log = f"flow_log: {{sinks: [{{file: {tmp_path}/flow.json}}]}}\n"
        file.write_text(text.format(gateway=lab.name(GATEWAY), server=lab.name(SERVER)) + "\n" + flow_log)
        return lambda *words, **options: lab.headgate(*words, "--config", str(file), netns=False, **options)
    return write


ONE_ENDPOINT = """
firewalls:
  - name: edge
    endpoints: [{{availability_zone: eu-1a, netns: {gateway}}}]
"""

TWO_ENDPOINTS = """
firewalls:
  - name: edge
    endpoints:
      - {{availability_zone: eu-1a, netns: {gateway}}}
      - {{availability_zone: eu-1b, netns: /run/netns/{server}}}
"""

IN_ZONE_5 = """
firewalls:
  - name: edge
    endpoints: [{{availability_zone: eu-1a, netns: {gateway}, conntrack_zone: 5}}]
"""


def check_config(*words):
    return subprocess.run([HEADGATE, "check-config", *words], capture_output=True, text=True)


def flows(done):
    assert done.returncode in (0, 3), done.stderr
    return json.loads(done.stdout)["flows"]


def test_the_only_endpoint_need_not_be_named(lab, configure):
    lab.fill(3)
    headgate = configure(ONE_ENDPOINT)
    result = json.loads(headgate("capture", "--all", "--json").stdout)
    assert (result["firewall"], result["availability_zone"], "netns" in result) == ("edge", "eu-1a", False)
    assert len(result["flows"]) == 3
    assert json.loads(headgate("table", "--json").stdout)["in_use"] == 3
    assert headgate("policy", "apply", "drop").returncode == 0
    status = json.loads(headgate("policy", "status", "--json").stdout)
    assert (status["firewall"], status["availability_zone"]) == ("edge", "eu-1a")
    assert "inet headgate" in lab.run(GATEWAY, "nft", "list", "tables").stdout
    result = json.loads(headgate("flush", "--all", "--yes", "--json").stdout)
    assert result["counts"]["flushed"] == 3 and lab.conntrack() == []


def test_an_endpoint_is_chosen_by_its_names(lab, configure):
    lab.fill(3)
    headgate = configure(TWO_ENDPOINTS)
    assert len(flows(headgate("capture", "--all", "--json", "--availability-zone", "eu-1a"))) == 3
    assert flows(headgate("capture", "--all", "--json", "--firewall", "edge", "--availability-zone", "eu-1b")) == []


@pytest.mark.parametrize("words", [["capture", "--all"], ["flush", "--all", "--yes"], ["table"], ["policy", "apply", "drop"],
                                   ["policy", "status"], ["policy", "remove"]])
@pytest.mark.parametrize("names, says", [
    ([], "--availability-zone: firewall edge has several: name one of eu-1a, eu-1b"),
    (["--firewall", "edge"], "--availability-zone: firewall edge has several: name one of eu-1a, eu-1b"),
    (["--firewall", "core"], '--firewall: "core" is unknown (known: edge)'),
    (["--availability-zone", "eu-1c"], '--availability-zone: "eu-1c" is unknown (known: eu-1a, eu-1b)'),
])
def test_several_endpoints_and_none_named_is_a_usage_error(lab, configure, words, names, says):
    lab.fill(1)
    done = configure(TWO_ENDPOINTS)(*words, *names)
    assert (done.returncode, done.stdout, done.stderr) == (USAGE, "", f"headgate: {says}\n")
    assert len(lab.conntrack()) == 1


def test_a_network_namespace_that_is_missing_is_named_with_its_endpoint(configure):
    done = configure("firewalls: [{{name: edge, endpoints: [{{availability_zone: eu-1a, netns: nowhere}}]}}]")("table")
    assert done.returncode == 1
    assert done.stderr == ("headgate: firewall edge, availability zone eu-1a: network namespace /run/netns/nowhere: "
                           "No such file or directory\n")


def test_an_endpoint_of_one_conntrack_zone_reaches_no_other_flow(lab, configure, tmp_path):
    lab.load_rules(ZONE_5_FOR_THE_CLIENT)
    conversation(lab)
    lab.fill(3)  # in zone 0
    headgate = configure(IN_ZONE_5)
    assert [flow["zone"] for flow in flows(headgate("capture", "--all", "--json"))] == [5]
    assert len(flows(headgate("capture", "--all", "--zone", "5", "--json"))) == 1
    assert sum(row["count"] for row in json.loads(headgate("table", "--json").stdout)["flows"]) == 1
    done = headgate("flush", "--all", "--zone", "0", "--yes")
    assert done.returncode == USAGE and "--zone: 0 is not in reach" in done.stderr
    everything = tmp_path / "everything.json"
    everything.write_text(lab.headgate("capture", "--all", "--json").stdout)
    done = headgate("flush", "--from-capture", str(everything), "--yes")
    assert done.returncode == REFUSED and "the endpoint is zone 5: nothing was flushed" in done.stderr
    assert len(lab.conntrack()) == 4
    assert json.loads(headgate("flush", "--all", "--yes", "--json").stdout)["counts"]["flushed"] == 1
    assert len([flow for flow in lab.conntrack() if flow["src"] == "10.9.0.1"]) == 3


def test_flows_that_the_configuration_protects_are_left_alone(lab, configure):
    lab.serve_echo(2222)
    session = lab.talk(SERVER4, 2222)
    conversation(lab, port=8080)
    wait_until(lambda: session.heard() > 2, "the session begins")
    headgate = configure(ONE_ENDPOINT + f"protected: ['destination={SERVER4},destination-port=2222,protocol=tcp']\n")
    done = headgate("flush", "--all", "--yes", "--json")
    result = json.loads(done.stdout)
    assert {flow["destination_port"]: flow["outcome"] for flow in result["flows"]} == {2222: "protected", 8080: "flushed"}
    assert f"1 by protected: destination={SERVER4},destination-port=2222,protocol=tcp" in done.stderr
    assert session.goes_on()
    done = headgate("flush", "--destination-port", "2222", "--yes", "--include-protected", "--json")
    assert json.loads(done.stdout)["counts"]["flushed"] == 1


def test_flows_are_protected_in_a_one_off_run_too(lab, configure):
    lab.fill(2)
    headgate = configure("protected: [source-port=1]\n")
    result = json.loads(headgate("flush", "--all", "--yes", "--json", "--netns", lab.name(GATEWAY)).stdout)
    assert (result["counts"]["protected"], result["counts"]["flushed"]) == (1, 1)
    assert [flow["sport"] for flow in lab.conntrack()] == ["1"]


def test_with_a_wrong_configuration_nothing_is_done(lab, configure):
    lab.fill(1)
    headgate = configure(ONE_ENDPOINT + "protected: [source-port=x]\nregion: a b\n")
    for words in (["capture", "--all"], ["flush", "--all", "--yes"], ["table"], ["policy", "apply", "drop"],
                  ["flush", "--all", "--yes", "--netns", lab.name(GATEWAY)]):
        done = headgate(*words)
        assert done.returncode == USAGE and done.stdout == ""
        assert [":5: protected: " in done.stderr.splitlines()[0], ":6: region: " in done.stderr.splitlines()[1]] == [True, True]
    assert len(lab.conntrack()) == 1
    assert "headgate" not in lab.run(GATEWAY, "nft", "list", "tables").stdout


def test_check_config_prints_what_is_configured(lab, tmp_path):
    file = tmp_path / "headgate.yaml"
    file.write_text(TWO_ENDPOINTS.format(gateway=lab.name(GATEWAY), server=lab.name(SERVER)))
    further = tmp_path / "conf.d" / "ssh.yaml"
    further.parent.mkdir()
    further.write_text("protected: [destination-port=22]\nstream_exception_policy: drop\n")
    done = check_config("--config", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (f"{file}, {further}: 1 firewall, 2 endpoints, 1 protected filter, 0 HTTP listeners, "
                           "stream exception policy drop\n")


def test_check_config_reports_every_error_with_file_and_line(tmp_path):
    file = tmp_path / "headgate.yaml"
    file.write_text("region: a b\nhttp:\n  port: 80\n")
    further = tmp_path / "conf.d" / "a.yaml"
    further.parent.mkdir()
    further.write_text("firewalls:\n  - name: edge\n")
    done = check_config("--config", str(file))
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert done.stderr.splitlines() == [
        f'{file}:1: region: "a b" is not made of letters, digits and - alone',
        f"{file}:3: http: port: unknown key (known: socket, listeners, credentials, insecure_loopback, "
        "connections, requests_per_second)",
        f"{further}:2: firewalls: endpoints: missing"]


def test_check_config_finds_what_the_machine_lacks(tmp_path):
    file = tmp_path / "headgate.yaml"
    credentials = tmp_path / "credentials.yaml"
    credentials.write_text("tokens: [{name: a, sha256: 12, role: viewer}]\n")
    credentials.chmod(0o600)
    file.write_text(f"""state_dir: {tmp_path}
stream_exception_policy: drpo
firewalls: [{{name: edge, endpoints: [{{availability_zone: a, netns: nowhere}}]}}]
http:
  credentials: {credentials}
  listeners:
    - {{address: 127.0.0.1, port: 8443, tls: {{certificate: /nowhere/a.crt, key: /nowhere/a.key}}}}
""")
    done = check_config("--config", str(file))
    assert (done.returncode, done.stdout) == (USAGE, "")
    lines = done.stderr.splitlines()
    assert lines[0] == f"http.credentials: {credentials}:1: tokens: sha256: must be 64 hexadecimal digits"
    assert lines[1].startswith("http.listeners: tls: /nowhere/a.crt: No such file")
    assert lines[2].startswith('stream_exception_policy: policy "drpo" is unknown')
    assert lines[3].startswith("netns: firewall edge, availability zone a: network namespace /run/netns/nowhere: No such")
    assert len(lines) == 4
    credentials.chmod(0o640)
    assert "chmod 600" in check_config("--config", str(file)).stderr.splitlines()[0]


def test_check_config_finds_faults_of_files_and_of_the_machine_at_once(tmp_path):
    file = tmp_path / "headgate.yaml"
    credentials = tmp_path / "credentials.yaml"
    credentials.write_text("tokens: [{name: a, sha256: 12, role: viewer}]\n")
    credentials.chmod(0o644)
    (tmp_path / "operations.db").write_bytes(b"x" * 10_000)
    file.write_text(f"""retentoin: 6h
state_dir: {tmp_path}
firewalls: [{{name: edge, endpoints: [{{availability_zone: a, netns: nowhere, conntrack_zone: 70000}}]}}]
http:
  credentials: {credentials}
  listeners:
    - {{address: 127.0.0.1, port: 8443, tls: {{certificate: /nowhere/a.crt}}}}
""")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.yaml").write_text("\tregion: x\n")
    done = check_config("--config", str(file))
    assert (done.returncode, done.stdout) == (USAGE, "")
    for line, begin in zip(done.stderr.splitlines(), (
            f"{file}:1: retentoin: unknown key",
            f"{file}:3: firewalls: endpoints: conntrack_zone: 70000 is not within",
            f"{file}:7: http: listeners: tls: key: missing",
            f"{tmp_path}/conf.d/a.yaml:1: a tab",
            f"state_dir: {tmp_path}/operations.db: damaged",
            f"http.credentials: {credentials}: others than its owner may use it",
            f"http.credentials: {credentials}:1: tokens: sha256: must be 64 hexadecimal digits",
            "netns: firewall edge, availability zone a: network namespace /run/netns/nowhere: No such"), strict=True):
        assert line.startswith(begin), done.stderr


def test_for_a_reload_namespaces_may_be_missing(tmp_path):
    file = tmp_path / "headgate.yaml"
    file.write_text(f"state_dir: {tmp_path}\n" + TWO_ENDPOINTS.format(gateway="nowhere", server="nowhere-else"))
    assert check_config("--config", str(file)).returncode == USAGE
    assert check_config("--config", str(file), "--for-reload").returncode == 0
    file.write_text("stream_exception_policy: drpo\n")
    assert check_config("--config", str(file), "--for-reload").returncode == USAGE


@pytest.fixture
def open_folder():
    """A folder that other users reach, unlike tmp_path."""
    with tempfile.TemporaryDirectory() as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


def test_check_config_reads_files_as_the_agents_user(open_folder):
    state, credentials = open_folder / "state", open_folder / "credentials.yaml"
    state.mkdir()
    os.chown(state, 65534, 65534)
    credentials.write_text("tokens: []\n")
    credentials.chmod(0o600)
    file = open_folder / "headgate.yaml"
    file.write_text(f"state_dir: {state}\naudit_log: {state}/audit.log\nflow_log: {{sinks: []}}\n"
                    f"http: {{credentials: {credentials}, socket: {state}/headgate.sock}}\n")
    done = check_config("--config", str(file))
    assert done.returncode == USAGE and "Permission denied" in done.stderr, done
    os.chown(credentials, 65534, 65534)
    assert check_config("--config", str(file)).returncode == 0


def test_check_config_warns_of_a_listener_that_stays_closed(tmp_path):
    file = tmp_path / "headgate.yaml"
    file.write_text("http: {listeners: [{address: 127.0.0.1, port: 8443}]}\n")
    done = check_config("--config", str(file))
    assert done.returncode == 0
    assert "without http.credentials, nothing listens on 127.0.0.1 port 8443" in done.stderr


def test_check_config_of_a_file_that_is_missing_is_an_error():
    done = check_config("--config", "/nowhere/headgate.yaml")
    assert (done.returncode, done.stderr) == (USAGE, "/nowhere/headgate.yaml: No such file or directory\n")


def test_check_config_prints_an_example_that_it_finds_right(tmp_path):
    file = tmp_path / "headgate.yaml"
    file.write_text(check_config("--print-example").stdout)
    assert check_config("--config", str(file)).returncode == 0
    assert check_config("--print-reference").stdout.startswith("# Configuration\n")
    assert check_config("--print-reference", "--print-example").returncode == USAGE
