# SPDX-License-Identifier: GPL-2.0-or-later
"""The demo: the operator tightens a gateway's rules during a connection, and headgate ends that connection.

Builds the lab, shows each command with its real output, and restores the machine.
"""

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
import time

from lab import CLIENT4, GATEWAY, HEADGATE, SERVER4, SERVER6, TRACKING_RULES, Lab, wait_until
from traffic import DATA, RESET, SILENCE, Conversation

# In both directions: a reply in transit during the flush starts a new flow from the server to the client.
NO_MORE_8080 = ["add rule inet operator forward tcp dport 8080 drop", "add rule inet operator forward tcp sport 8080 drop"]
TIGHTENED_RULES = "\n".join(["flush chain inet operator forward",
                             "add rule inet operator forward ct state established,related accept", *NO_MORE_8080])


def say(text):
    print(f"\n# {text}", flush=True)


def show(lab, *words, endpoint=True):
    """Runs headgate as a user would, with the gateway's namespace as the endpoint."""
    command = ["headgate", *words, *(["--netns", lab.name(GATEWAY)] if endpoint else []), "--output", "table"]
    print("$ " + " ".join(shlex.quote(word) for word in command), flush=True)
    done = subprocess.run([HEADGATE, *command[1:], "--config", str(lab.configuration)], stdin=subprocess.DEVNULL)
    if done.returncode not in (0, 3):
        raise SystemExit(f"demo: headgate ended with {done.returncode}")


def require(condition, what):
    if not condition:
        raise SystemExit(f"demo: {what}")


@contextlib.contextmanager
def agent_on(lab, *words):
    """Runs the agent and waits until it serves."""
    print("$ headgate agent &")
    told = lab.folder / "agent.log"
    with open(told, "w") as log:
        process = subprocess.Popen([*words, HEADGATE, "agent", "--config", str(lab.configuration)], stdout=log, stderr=log)
    try:
        wait_until(lambda: (lab.folder / "headgate.sock").exists() or process.poll() is not None, "the agent serves")
        require(process.poll() is None, f"headgate agent ended with {process.returncode}:\n{told.read_text()}".rstrip())
        yield
    finally:
        process.terminate()
        process.wait()


def demo(lab):
    say("Three hosts: a client, a gateway, a server. The client talks TCP, UDP and ICMP to the server.")
    lab.serve_echo(8080)
    lab.serve_echo(8081)
    lab.serve_echo(5300, "udp")
    doomed = lab.talk(SERVER4, 8080)
    others = [lab.talk(SERVER4, 8081), lab.talk(SERVER6, 8080), lab.talk(SERVER4, 5300, "udp")]
    lab.ping(SERVER4)
    wait_until(lambda: len(lab.capture("--all", "--state", "ESTABLISHED")) >= 5, "five flows")
    time.sleep(2)

    say("How full is the gateway's flow table, and of what?")
    show(lab, "table")
    say("Which flows are active?")
    show(lab, "capture", "--all")

    say("The operator tightens the rules: no more TCP to port 8080 and back. The connection that is there goes on all the same.")
    print("\n".join(f"$ nft {rule}" for rule in NO_MORE_8080))
    lab.load_rules(TIGHTENED_RULES)
    require(doomed.goes_on(), "the connection should have gone on under the old decision")
    show(lab, "capture", "--destination", SERVER4, "--destination-port", "8080", "--protocol", "tcp")

    say("What would a flush end? And then: end it.")
    show(lab, "flush", "--source", CLIENT4, "--destination", SERVER4, "--destination-port", "8080", "--protocol", "tcp", "--dry-run")
    show(lab, "flush", "--source", CLIENT4, "--destination", SERVER4, "--destination-port", "8080", "--protocol", "tcp", "--yes")

    say("Its packets are now judged by the rules in force, and the connection is silent. The others never noticed.")
    show(lab, "capture", "--all")
    require(not doomed.goes_on(seconds=2), "the flushed connection should be silent")
    require(all(talk.goes_on() for talk in others), "the other connections should have gone on")
    print("client to 10.0.2.2:8080 over TCP: no more answers; the other three conversations go on")


SEEN = {DATA: "the {other} gets it", RESET: "the {sender} gets a reset", SILENCE: "nothing comes back"}


def told_of(sender, seen):
    other = {"client": "server", "server": "client"}[sender]
    return f"the {sender} sends: " + SEEN[seen].format(sender=sender, other=other)


def send_and_look(doomed, sender, expected):
    """Lets an end of a flushed connection send, and checks what comes of it."""
    other = {"client": "server", "server": "client"}[sender]
    doomed.end(sender).send()
    doomed.see(**({other: DATA} if expected == DATA else {sender: expected}))
    return told_of(sender, expected)


def look_afterwards(lab, doomed, other):
    """What became of a flushed connection, and of another one of the same hosts."""
    back = lab.capture("--filter", f"source-port={doomed.port}", "--filter", f"destination-port={doomed.port}")
    yield "the flow is " + ("in the table again" if back else "not in the table")
    require(other.loses_nothing(), "the other connection of the two hosts should have gone on")
    yield "another connection of the same two hosts goes on without loss"


def flush_and_look(lab, *what_they_see):
    """Flushes an open connection, lets one end after the other send, and prints the result."""
    with Conversation(lab, SERVER4) as doomed, Conversation(lab, SERVER4) as other:
        show(lab, "flush", "--source-port", str(doomed.port), "--protocol", "tcp", "--yes")
        for sender, expected in what_they_see:
            print(send_and_look(doomed, sender, expected))
        for line in look_afterwards(lab, doomed, other):
            print(line)


def policies(lab):
    lab.load_rules("flush table inet operator; delete table inet operator" + TRACKING_RULES)
    say("Stream exception policies. Without one, a flushed TCP connection comes back with its next packet:")
    flush_and_look(lab, ("client", DATA))
    say("reject: the sender learns at once that the connection is over.")
    show(lab, "policy", "apply", "reject")
    flush_and_look(lab, ("client", RESET), ("server", RESET))
    say("drop: silence. Both ends try again until they time out.")
    show(lab, "policy", "apply", "drop")
    flush_and_look(lab, ("server", SILENCE), ("client", SILENCE))
    say("Which policy is in force, what has it caught, and does the kernel still have it?")
    show(lab, "policy", "status")
    lab.run(GATEWAY, "nft", "flush", "ruleset")
    print("$ nft flush ruleset")
    show(lab, "policy", "status")


WHAT_WAS_FLUSHED = ("jq -r 'select(.flow.reason == \"flushed\") | [.src_ip, .dest_ip, .dest_port, .flow.last_state, "
                    ".headgate.operation_id // .headgate.flushed_by.process // .headgate.flushed_by.port_id] | @tsv'")


def flushed_in(lab):
    return [line for line in (lab.folder / "flow.json").read_text().splitlines() if '"reason":"flushed"' in line]


def agent(lab):
    lab.configure(f"firewalls: [{{name: edge, endpoints: [{{availability_zone: a, netns: {lab.name(GATEWAY)}}}]}}]")
    lab.serve_echo(8080)
    doomed = [lab.talk(SERVER4, 8080), lab.talk(SERVER4, 8080)]
    wait_until(lambda: all(talk.heard() > 2 for talk in doomed), "two connections")
    say("The agent: what is done is kept, and can be looked up. A firewall named edge is configured, on this gateway.")
    with agent_on(lab):
        show(lab, "capture", "--destination-port", "8080", endpoint=False)
        say("Meanwhile there is a third connection. Exactly the captured flows are ended.")
        later = lab.talk(SERVER4, 8080, source_port=50001)
        wait_until(lambda: later.heard() > 2, "a third connection")
        [captured] = json.loads(lab.headgate("operations", "list", "--json", netns=False).stdout)["operations"]
        show(lab, "flush", "--from-capture", captured["operation_id"], "--yes", endpoint=False)
        require(later.goes_on(), "the connection that was not captured should have gone on")
        show(lab, "operations", "list", endpoint=False)
        print("$ tail -n 1 audit.log")
        print((lab.folder / "audit.log").read_text().splitlines()[-1])
        say("And somebody deletes a flow behind headgate's back. The flow log has them all: by whom, and in which state they were.")
        print("$ conntrack -D -p tcp --sport 50001")
        lab.run(GATEWAY, "conntrack", "-D", "-p", "tcp", "--sport", "50001")
        wait_until(lambda: len(flushed_in(lab)) >= 3, "three records")
        show(lab, "log", "--reason", "flushed", endpoint=False)
        print("$ " + WHAT_WAS_FLUSHED + " flow.json", flush=True)
        subprocess.run(shlex.split(WHAT_WAS_FLUSHED) + [str(lab.folder / "flow.json")], check=True)


KEY, SECRET = "HGDEMO", "demo-secret"
ENDPOINT = "http://127.0.0.1:8443"
ARN = "arn:aws:network-firewall:eu-central-1:000000000000:firewall/edge"
LAB_TESTS = os.path.dirname(os.path.abspath(__file__))
API_TESTS = os.path.join(LAB_TESTS, "..", "api")


def by_sdk(lab, what):
    command = [what, ENDPOINT, ARN, "a", "8080"]
    print("$ node demo.mjs " + " ".join(command), flush=True)
    environment = os.environ | {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "NODE_NO_WARNINGS": "1"}
    subprocess.run(lab.command(GATEWAY, "node", os.path.join(API_TESTS, "demo.mjs"), *command), check=True, env=environment)


def sdk_is_missing():
    """Why the SDK cannot be shown, or None."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    # Fails soon if the registry is unreachable; npm's default timeouts add up to minutes.
    brief = {"npm_config_fetch_retries": "0", "npm_config_fetch_timeout": "20000"}
    done = subprocess.run(["timeout", "60", os.path.join(LAB_TESTS, "..", "npm-packages"), API_TESTS], env=os.environ | brief,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return f"npm does not get it from its registry ({first_line(done.stderr)})" if done.returncode != 0 else None


def first_line(text):
    return next((line.strip() for line in text.splitlines() if line.strip()), "no answer")


def sdk(lab):
    if why := sdk_is_missing():
        say(f"The AWS SDK for JavaScript can be pointed at the agent, too. This part is left out: {why}.")
        return
    credentials = lab.folder / "credentials.yaml"
    credentials.touch(mode=0o600)
    credentials.write_text(f"access_keys: [{{id: {KEY}, secret: {SECRET}, role: operator}}]\n")
    lab.configure()
    lab.configuration.write_text(lab.configuration.read_text().replace("sock}", f"""sock,
  listeners: [{{address: 127.0.0.1, port: 8443}}], credentials: {credentials}}}
region: eu-central-1
firewalls: [{{name: edge, endpoints: [{{availability_zone: a}}]}}]"""))
    lab.serve_echo(8080)
    doomed = lab.talk(SERVER4, 8080)
    wait_until(lambda: doomed.heard() > 2, "a connection")
    say("An existing tool, with another URL: the AWS SDK for JavaScript asks the agent on the gateway.")
    with agent_on(lab, *lab.command(GATEWAY)):
        by_sdk(lab, "capture")
        show(lab, "capture", "--destination-port", "8080", "--protocol", "tcp", endpoint=False)
        say("The rules are tightened, and the connection is flushed from over there. Both are in one history.")
        lab.load_rules(TIGHTENED_RULES)
        by_sdk(lab, "flush")
        require(not doomed.goes_on(seconds=2), "the flushed connection should be silent")
        show(lab, "operations", "list", endpoint=False)


PARTS = {"demo": demo, "demo of policies": policies, "demo of the agent": agent, "demo of the SDK": sdk}


def main():
    if os.geteuid() != 0:
        raise SystemExit("demo: network namespaces take root; try: sudo make demo")
    try:
        for purpose, part in PARTS.items():
            with Lab(purpose) as lab:
                part(lab)
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"demo: {shlex.join(error.cmd)} ended with {error.returncode}\n{error.stderr or ''}".rstrip()) from None
    except (AssertionError, OSError) as error:
        raise SystemExit(f"demo: {error}") from None
    say("The namespaces are gone again.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
