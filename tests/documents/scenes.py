# SPDX-License-Identifier: GPL-2.0-or-later
"""What a gateway has seen before the commands of a document run on it."""

import hashlib
import pathlib
import re

from demo import SEEN, look_afterwards, send_and_look, told_of
from lab import GATEWAY, SERVER4, SERVER6, wait_until
from traffic import Conversation

PROJECT = pathlib.Path(__file__).resolve().parents[2]
EDGE = "firewalls: [{name: edge, endpoints: [{availability_zone: a}]}]"
SCENES = {}  # a function of the stage, by document and the section in which it begins; "": with the document


def scene(document, section=""):
    def register(prepare):
        SCENES[document, section] = prepare
        return prepare
    return register


def talk(stage, *conversations):
    """Lets the client talk to the server: (address, port, protocol, the client's port or None) each."""
    lab = stage.lab
    for port, protocol in sorted({(port, protocol) for _, port, protocol, _ in conversations}):
        lab.serve_echo(port, protocol)
    talks = [lab.talk(address, port, protocol, source) for address, port, protocol, source in conversations]
    wait_until(lambda: all(each.heard() > 5 for each in talks), "answers")


def five_flows(stage):
    talk(stage, (SERVER4, 8080, "tcp", 40822), (SERVER4, 8081, "tcp", 58112), (SERVER6, 8080, "tcp", None),
         (SERVER4, 5300, "udp", None))
    stage.lab.ping(SERVER4)


def established(stage, *flows):
    """Inserts flows without traffic: source, source port, destination and destination port each."""
    stage.lab.run(GATEWAY, "conntrack", "-R", "-", input="".join(
        f"-A -p tcp -s {source} --sport {port} -d {destination} --dport {service} "
        "-t 432000 --state ESTABLISHED -u ASSURED,SEEN_REPLY\n"
        for source, port, destination, service in flows))


def a_history(stage):
    """A capture, and a flush of the captured flows, which a policy keeps from coming back."""
    stage.prepare("headgate policy apply reject")
    stage.prepare("headgate capture --destination-port 8080")
    captured = stage.newest()
    for how in ("--dry-run", "--yes"):
        stage.prepare(f"headgate flush --from-capture {captured} {how}")


def usual(stage):
    """Where a document has no scene of its own: the packaged agent, some flows, and some operations."""
    stage.start_agent(EDGE)
    five_flows(stage)
    a_history(stage)


@scene("README.md")
def packaged(stage):
    stage.start_agent(EDGE)
    five_flows(stage)


@scene("docs/rematch.md")
def tightened_rules(stage):
    """Without an agent, whose judge is a unit of its own."""
    five_flows(stage)
    for rule in ("add table inet filter", "add chain inet filter forward { type filter hook forward priority 0; }",
                 "add rule inet filter forward ct state established accept", "add rule inet filter forward tcp dport 8080 drop"):
        stage.prepare(f"nft '{rule}'")
    stage.prepare("echo 'add rule inet filter forward tcp dport 8081 drop' >new.nft")


@scene("docs/getting-started.md")
def newly_installed(stage):
    stage.start_agent("")
    established(stage, *[("10.20.0.7", port, SERVER4, 443) for port in (40001, 40002)])


scene("docs/getting-started.md", "Install the package")(usual)


@scene("docs/getting-started.md", "A first flush")
def operator_alone(stage):
    five_flows(stage)


@scene("docs/operations.md")
def careful_operator(stage):
    packaged(stage)
    established(stage, *[("10.20.0.7", port, SERVER4, 443) for port in range(40001, 40004)])


@scene("docs/operations.md", "Protected flows")
def protected(stage):
    stage.start_agent(EDGE + "\nprotected: [destination-port=8081]")
    talk(stage, (SERVER4, 8080, "tcp", 40822), (SERVER4, 8081, "tcp", 58112))


scene("docs/operations.md", "History")(usual)


@scene("docs/flow-log.md")
def two_flushed(stage):
    stage.start_agent(EDGE)
    talk(stage, (SERVER4, 8080, "tcp", 38930), (SERVER4, 8080, "tcp", 38946))
    a_history(stage)


@scene("docs/metrics.md")
def not_recording(stage):
    packaged(stage)
    stage.prepare("sysctl -qw net.netfilter.nf_conntrack_timestamp=0")


@scene("docs/http.md")
def served_over_tls(stage):
    """With the configuration in the document, but with secrets."""
    document = (PROJECT / "docs/http.md").read_text()
    for there, here in (("the output of openssl rand -hex 32", "secret"), ('"..."', "another"),
                        ("the first word of the output of printf %s TOKEN | sha256sum", hashlib.sha256(b"token").hexdigest())):
        assert there in document
        document = document.replace(there, here)
    stage.prepare("""
        ip address add 10.255.0.1/32 dev lo
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=gateway \\
            -addext subjectAltName=IP:10.255.0.1 -keyout /etc/headgate/tls.key -out /etc/headgate/tls.crt
        chown headgate /etc/headgate/tls.key
        cp /etc/headgate/tls.crt /etc/ssl/gateway-ca.crt
        export TOKEN=token""")
    files = dict(re.findall(r"```yaml\n# (/\S+?),?(?: [^\n]*)?\n(.*?)```", document, re.DOTALL))
    stage.write("/etc/headgate/credentials.yaml", files["/etc/headgate/credentials.yaml"], "-o headgate -m 600")
    stage.start_agent(files["/etc/headgate/headgate.yaml"])
    talk(stage, (SERVER4, 8080, "tcp", 40822))
    stage.prepare("headgate capture --all")


@scene("docs/http.md", "REST")
def many_flows(stage):
    stage.start_agent(EDGE)
    established(stage, *[("10.20.0.7", port, SERVER4, 8080) for port in range(30001, 31501)])


@scene("docs/troubleshooting.md")
def mistaken(stage):
    usual(stage)
    stage.write("test.yaml", "retentoin: 6h\nhttp: {connections: 0}")


@scene("docs/policies.md", "What the ends of a connection see")
def four_conversations(stage):
    """What a document says of the ends below a flush is done by this test's own ends of the connection."""
    ends = {port: stage.held.enter_context(Conversation(stage.lab, SERVER4, source_port=port)) for port in range(20001, 20007)}
    stage.afterwards = lambda command: seen_at_the_ends(stage.lab, ends, command)


def seen_at_the_ends(lab, ends, command):
    if not (flushed := re.search(r"flush .*--source-port (\d+)", command.text)):
        return []
    doomed, other = ends[int(flushed[1])], ends[int(flushed[1]) + 1]
    shown_of = {told_of(sender, seen): (sender, seen) for sender in ("client", "server") for seen in SEEN}
    lines = []
    for sender, seen in [shown_of[line] for line in command.shown if line in shown_of]:
        try:
            lines.append(send_and_look(doomed, sender, seen))
        except AssertionError as error:
            lines.append(f"the {sender} sends: {error}")
    return [*lines, *look_afterwards(lab, doomed, other)]
