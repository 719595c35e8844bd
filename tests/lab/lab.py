# SPDX-License-Identifier: GPL-2.0-or-later
"""Three hosts in network namespaces: a client and a server, and between them the gateway that headgate manages.

    client 10.0.1.2, 2001:db8:1::2  --  gateway .1 | .1  --  server 10.0.2.2, 2001:db8:2::2

The only module that builds hosts, addresses and traffic for the demo and the lab tests. Names contain a hash of the
lab's purpose and of the binary under test, so that labs can run in parallel, and the next run removes a killed one.
"""

import contextlib
import hashlib
import json
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

HEADGATE = os.environ.get("HEADGATE", "headgate")

CLIENT, GATEWAY, SERVER = HOSTS = "client", "gateway", "server"
CLIENT4, SERVER4 = "10.0.1.2", "10.0.2.2"
CLIENT6, SERVER6 = "2001:db8:1::2", "2001:db8:2::2"
GATEWAY4_OUTSIDE = "10.0.2.1"

# conntrack is inactive in a namespace until a rule there needs it.
TRACKING_RULES = """
table inet operator {
    chain forward {
        type filter hook forward priority filter; policy accept;
        ct state established,related accept
    }
}
"""


def wait_until(condition, what, seconds=15):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"timed out: {what}"
        time.sleep(0.05)
    return value


def addresses(device, network, last):
    """Commands for ip(8) that add the device's addresses and set it up."""
    return [f"address add 10.0.{network}.{last}/24 dev {device}", f"address add 2001:db8:{network}::{last}/64 dev {device} nodad",
            f"link set {device} up"]


class Lab:
    def __init__(self, purpose):
        self.tag = "hg" + hashlib.sha1(f"{purpose} {HEADGATE}".encode()).hexdigest()[:6]
        self.processes = []
        self.folder = None  # pathlib.Path of all of headgate's files
        self.program = HEADGATE

    def __enter__(self):
        self._remove_hosts()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=self.tag))
        self.folder.chmod(0o755)
        self.configure()
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if os.path.exists(f"/run/netns/{self.name(GATEWAY)}"):
            self.headgate("policy", "remove")  # also removes its record outside of the namespace
            self.run(GATEWAY, "conntrack", "-F", check=False)  # flows removed with the namespace stall a CPU for 1 s
        self._remove_hosts()
        for process in self.processes:
            process.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)

    # hosts

    def name(self, host):
        return f"{self.tag}-{host}"

    def command(self, host, *words):
        return ["ip", "netns", "exec", self.name(host), *words]

    def run(self, host, *words, check=True, **options):
        return subprocess.run(self.command(host, *words), check=check, capture_output=True, text=True, **options)

    def start(self, host, *words, **options):
        process = subprocess.Popen(self.command(host, *words), stdout=subprocess.PIPE, stdin=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True, start_new_session=True, **options)
        self.processes.append(process)
        return process

    def stop(self, process):
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        self.processes.remove(process)

    def load_rules(self, rules, host=GATEWAY):
        self.run(host, "nft", "-f", "-", input=rules)

    def _ip(self, lines, *where):
        """Runs many commands of ip(8) in one process."""
        subprocess.run(["ip", *where, "-batch", "-"], input="\n".join(lines), check=True, text=True)

    def _build(self):
        self._ip(f"netns add {self.name(host)}" for host in HOSTS)
        for host in HOSTS:
            # Disables duplicate address detection, which makes IPv6 addresses (also link-local) tentative for a second.
            settings = ["net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf.default.accept_dad=0"]
            if host == GATEWAY:
                settings += ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.netfilter.nf_conntrack_acct=1",
                             "net.netfilter.nf_conntrack_timestamp=1", "net.netfilter.nf_conntrack_events=1"]
            self.run(host, "sysctl", "-qw", *settings)
        self._ip(["link set lo up", *self._cable(CLIENT, 1), *self._cable(SERVER, 2)], "-n", self.name(GATEWAY))
        for host, network in ((CLIENT, 1), (SERVER, 2)):
            self._ip(["link set lo up", *addresses("eth0", network, 2), f"route add default via 10.0.{network}.1",
                      f"route add default via 2001:db8:{network}::1"], "-n", self.name(host))
        self.load_rules(TRACKING_RULES)

    def _cable(self, host, network):
        """Links the host to the gateway, which has the first address of the network."""
        # The index must differ from the peer's: if they are equal, the kernel may take a second to detect the carrier
        # (linkwatch_urgent_event, net/core/link_watch.c), and IPv6 waits for the carrier.
        link = f"link add {host} index {10 + network} type veth peer name eth0 netns {self.name(host)}"
        return [link, *addresses(host, network, 1)]

    def _remove_hosts(self):
        names = [self.name(host) for host in HOSTS if os.path.exists(f"/run/netns/{self.name(host)}")]
        inodes = {os.stat(f"/run/netns/{name}").st_ino for name in names}
        for process in pathlib.Path("/proc").glob("[0-9]*") if names else ():
            with contextlib.suppress(OSError):  # the process has ended meanwhile
                if (process / "ns/net").stat().st_ino in inodes:
                    os.kill(int(process.name), signal.SIGKILL)
        self._ip(f"netns del {name}" for name in names)

    # traffic with socat and ping

    def serve_echo(self, port, protocol="tcp", host=SERVER):
        """Starts an echo server for lines, on IPv4 and IPv6."""
        listen = {"tcp": f"TCP6-LISTEN:{port},fork,reuseaddr,ipv6only=0",
                  "udp": f"UDP6-LISTEN:{port},fork,reuseaddr,ipv6only=0"}[protocol]
        self.start(host, "socat", listen, "EXEC:cat")
        option = {"tcp": "-tln", "udp": "-uln"}[protocol]
        wait_until(lambda: f":{port} " in self.run(host, "ss", option).stdout, f"{protocol} server on {port}")

    def talk(self, address, port, protocol="tcp", source_port=None, every=0.1):
        """Starts a client that sends a line repeatedly, and prints the replies."""
        bracketed = f"[{address}]" if ":" in address else address
        version = "6" if ":" in address else "4"
        where = f"{protocol.upper()}{version}:{bracketed}:{port}"
        if source_port:
            where += f",sourceport={source_port},reuseaddr"
        lines = f"while echo tick; do sleep {every}; done"
        return Talk(self.start(CLIENT, "sh", "-c", f"({lines}) | exec socat - {where}"))

    def ping(self, address):
        process = self.start(CLIENT, "ping", "-i", "0.2", address)
        process.stdout.readline(), process.stdout.readline()
        return process

    def fill(self, count):
        """Inserts flows without traffic into the table."""
        rules = "".join(f"-A -p udp -s 10.9.0.1 -d 10.9.0.2 --sport {port} --dport 53 -t 600\n" for port in range(1, count + 1))
        self.run(GATEWAY, "conntrack", "-R", "-", input=rules)

    def fill_many(self, count):
        """The same for tens of thousands of flows, in half a second."""
        rules = "".join(f"-A -p udp -s 10.9.{number >> 15}.1 -d 10.9.99.2 --sport {number & 0x7fff} --dport 53 -t 600\n"
                        for number in range(count))
        self.run(GATEWAY, "conntrack", "-R", "-", input=rules)

    def count(self):
        """The kernel's count of flows."""
        return int(self.run(GATEWAY, "sysctl", "-n", "net.netfilter.nf_conntrack_count").stdout)

    # headgate, and tools that verify it

    def configure(self, text=""):
        """Writes a configuration in which all files are in the lab's folder."""
        self.configuration = self.folder / "headgate.yaml"
        flow_log = "" if "\nflow_log:" in f"\n{text}" else f"flow_log: {{sinks: [{{file: {self.folder}/flow.json}}]}}\n"
        draft = self.configuration.with_suffix(".new")  # atomic: concurrent commands read either version
        draft.write_text(f"state_dir: {self.folder}/state\naudit_log: {self.folder}/audit.log\n"
                         f"http: {{socket: {self.folder}/headgate.sock}}\n{flow_log}{text}")
        draft.replace(self.configuration)

    def headgate_words(self, *words, netns=True):
        """The command line, with the gateway's namespace, and the lab's configuration unless another is given."""
        endpoint = ["--netns", self.name(GATEWAY)] if netns else []
        configuration = [] if "--config" in words else ["--config", str(self.configuration)]
        return [self.program, *words, *endpoint, *configuration]

    def headgate_line(self, *words, netns=True):
        """The same, quoted for a shell."""
        return shlex.join(self.headgate_words(*words, netns=netns))

    def headgate(self, *words, netns=True, **options):
        return subprocess.run(self.headgate_words(*words, netns=netns), capture_output=True, text=True,
                              stdin=options.pop("stdin", subprocess.DEVNULL), **options)

    def headgate_json(self, *words, status=0):
        done = self.headgate(*words, "--json")
        assert done.returncode == status, (done.returncode, done.stderr)
        return json.loads(done.stdout)

    def capture(self, *words):
        """The flows of a capture; may be empty."""
        done = self.headgate("capture", *words, "--json")
        assert done.returncode in (0, 3), (done.returncode, done.stderr)
        return json.loads(done.stdout)["flows"]

    def write_policy(self, folder, name, exception, **keys):
        """Writes a file for `headgate policy apply`."""
        lines = [f"{key}: {value}\n" for key, value in ({"stream_exception_policy": exception} | keys).items()]
        file = folder / f"{name}.yaml"
        file.write_text("".join(lines))
        return str(file)

    def apply(self, policy):
        done = self.headgate("policy", "apply", policy)
        assert done.returncode == 0, done.stderr

    def conntrack_of_both_families(self):
        return self.conntrack() + self.conntrack(family="ipv6")

    def conntrack(self, *words, family="ipv4"):
        """Output of conntrack(8): a dict per flow; keys of the reply direction have the prefix `reply-`."""
        done = self.run(GATEWAY, "conntrack", "-L", "-f", family, "-o", "extended,id", *words)
        return [parse_conntrack(line) for line in done.stdout.splitlines()]


class Talk:
    """A client of an echo server; counts the replies."""

    def __init__(self, process):
        self.process = process
        self.answers = 0
        os.set_blocking(process.stdout.fileno(), False)

    def heard(self):
        """Number of replies so far."""
        with contextlib.suppress(TypeError, BlockingIOError):
            self.answers += self.process.stdout.read().count("\n")
        return self.answers

    def goes_on(self, seconds=5):
        before = self.heard()
        try:
            wait_until(lambda: self.heard() > before + 2, "an answer", seconds)
        except AssertionError:
            return False
        return True


def parse_conntrack(line):
    """The last id= is the entry's; an ICMP tuple has another id= before it."""
    words = line.split()
    flow = {"protocol": words[2], "state": words[5], "flags": [word.strip("[]") for word in words if word.startswith("[")]}
    for word in words:
        key, equals, value = word.partition("=")
        if equals:
            flow["reply-" + key if key in flow else key] = value
    flow["ct_id"] = int([word for word in words if word.startswith("id=")][-1].removeprefix("id="))
    return flow
