# SPDX-License-Identifier: GPL-2.0-or-later
"""Content of the deb and the rpm, file by file, and the findings of linters."""

import re
import stat
import subprocess
import tarfile

import pytest

from debian_root import PROJECT

# All installed files, with their mode; the owner is root.
FILES = {
    "/usr/sbin/headgate": 0o755,
    "/usr/libexec/headgate/remove-policies": 0o755,
    "/usr/lib/systemd/system/headgate.service": 0o644,
    "/usr/lib/systemd/system/headgate.socket": 0o644,
    "/usr/lib/sysusers.d/headgate.conf": 0o644,
    "/usr/lib/sysctl.d/60-headgate.conf": 0o644,
    "/usr/lib/modules-load.d/headgate.conf": 0o644,
    "/usr/share/headgate/policies/reject.yaml": 0o644,
    "/usr/share/headgate/policies/drop.yaml": 0o644,
    "/usr/share/headgate/policies/continue.yaml": 0o644,
    "/usr/share/headgate/drop-ins/fast-scan.conf": 0o644,
    "/usr/share/headgate/drop-ins/network-namespaces.conf": 0o644,
    "/usr/share/headgate/drop-ins/program-names.conf": 0o644,
    "/usr/share/headgate/drop-ins/low-ports.conf": 0o644,
    "/usr/share/man/man1/headgate.1.gz": 0o644,
    "/usr/share/man/man8/headgate-agent.8.gz": 0o644,
    "/usr/share/man/man5/headgate.yaml.5.gz": 0o644,
    "/usr/share/man/man5/headgate-policy.5.gz": 0o644,
    "/usr/share/bash-completion/completions/headgate": 0o644,
    "/usr/share/zsh/COMPLETIONS/_headgate": 0o644,
    "/usr/share/doc/headgate/examples/credentials.yaml": 0o644,
    "/usr/share/doc/headgate/examples/grafana/headgate.json": 0o644,
    "/usr/share/doc/headgate/examples/prometheus/headgate.rules.yaml": 0o644,
}
CONFIGURATION = {
    "/etc/headgate/headgate.yaml": 0o644,
    "/etc/logrotate.d/headgate": 0o644,
    "/etc/apparmor.d/headgate-agent": 0o644,
}
FOLDERS = {"/etc/headgate", "/etc/headgate/conf.d", "/etc/headgate/policies"}
# Files of only one package: without a preset, Fedora would not start the agent; Debian has the text of the license.
OWN = {"rpm": {"/usr/lib/systemd/system-preset/80-headgate.preset", "/usr/share/licenses/headgate/LICENSE"}}
DOCUMENTATION = "/usr/share/doc/headgate/"
WRITTEN = [str(path.relative_to(PROJECT)) for path in PROJECT.glob("docs/**/*") if path.is_file()]


def of_deb(deb):
    """Each path with its mode and owner; and the configuration files."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as archive:
        with tarfile.open(fileobj=archive.stdout, mode="r|") as members:
            found = {member.name.removeprefix("."): (member.mode, member.uname, member.gname, member.isdir()) for member in members}
    conffiles = subprocess.run(["dpkg-deb", "--info", deb, "conffiles"], check=True, capture_output=True, text=True).stdout
    return found, set(conffiles.split())


def of_rpm(rpm):
    asked = "[%{FILENAMES}\t%{FILEMODES}\t%{FILEUSERNAME}\t%{FILEGROUPNAME}\t%{FILEFLAGS:fflags}\n]"
    told = subprocess.run(["rpm", "-qp", "--queryformat", asked, rpm], check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in told.splitlines()]
    found = {name: (stat.S_IMODE(int(mode)), user, group, stat.S_ISDIR(int(mode))) for name, mode, user, group, _ in rows}
    return found, {name for name, *_, flags in rows if "c" in flags}


def usual(path):
    """Debian 12 has units in /lib; Debian and Fedora have different folders for zsh, and for licenses of an rpm."""
    path = "/usr" + path if path.startswith("/lib/") else path
    path = re.sub("/licenses/headgate-[0-9.]+/", "/licenses/headgate/", path)
    return re.sub("zsh/(vendor-completions|site-functions)", "zsh/COMPLETIONS", path)


def test_all_have_the_version_of_the_program(deb, rpm):
    [version] = re.findall(r"^project\(headgate VERSION (\S+)", (PROJECT / "CMakeLists.txt").read_text(), re.M)
    assert deb.name.startswith(f"headgate_{version}_") and rpm.name.startswith(f"headgate-{version}-")


@pytest.mark.parametrize("kind, read", [("deb", of_deb), ("rpm", of_rpm)])
def test_every_file_is_expected_and_is_roots_with_its_mode(request, kind, read):
    found, configuration = read(request.getfixturevalue(kind))
    assert {(user, group) for _, user, group, _ in found.values()} == {("root", "root")}
    files = {usual(path): mode for path, (mode, _, _, is_folder) in found.items() if not is_folder}
    folders = {path.rstrip("/"): mode for path, (mode, _, _, is_folder) in found.items() if is_folder}
    assert OWN.get(kind, set()) <= files.keys()
    documents = {path for path in files if path.startswith(DOCUMENTATION) and path not in FILES}
    assert {path: files[path] for path in files.keys() - documents - OWN.get(kind, set())} == FILES | CONFIGURATION
    assert configuration == CONFIGURATION.keys()
    assert FOLDERS <= folders.keys() and set(folders.values()) == {0o755}
    for name in ["README.md", *WRITTEN]:
        assert DOCUMENTATION + name in documents, name
    assert all(files[path] == 0o644 for path in documents)
