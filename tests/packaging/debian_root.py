# SPDX-License-Identifier: GPL-2.0-or-later
"""A fresh, minimal Debian root in a folder, and cheap copies of it (overlays).

The root is created once and kept in build/ under a hash of its inputs. Its packages come from this machine's apt
sources. Its release is HEADGATE_SUITE or by default this machine's, like that of packages built here.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import platform
import re
import shutil
import subprocess
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
SUITE = os.environ.get("HEADGATE_SUITE") or platform.freedesktop_os_release()["VERSION_CODENAME"]
KEPT = PROJECT / "build" / "debian-root" / SUITE

# Needed to boot, and present on any gateway.
INCLUDED = ["systemd-sysv", "iproute2", "ca-certificates"]
# The root need not survive a power failure.
UNSAFE_IO = "force-unsafe-io\n"


def base_root(deb):
    """The root, with the package's dependencies and rpm in apt's cache, since there is no network inside."""
    depends = subprocess.run(["dpkg-deb", "-f", deb, "Depends"], check=True, capture_output=True, text=True).stdout
    return kept_root(KEPT, SUITE, INCLUDED, [
        f"copy-in {deb} /root",
        f'chroot "$1" sh -c "apt-get install --yes --download-only --no-install-recommends /root/{os.path.basename(deb)} rpm && '
        'rm /root/*.deb"'], depends)


def kept_root(folder, suite, included, hooks, *what_else):
    """A root in the folder: the existing one if its inputs are unchanged."""
    sources = apt_sources(suite)
    key = hashlib.sha1("\n".join([*sources, *included, *what_else, pathlib.Path(__file__).read_text()]).encode()).hexdigest()[:12]
    root = folder / key
    with alone(folder):
        if not root.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            draft = folder / "draft"
            make_root(draft, suite, sources, included, hooks)
            draft.rename(root)
    return root


@contextlib.contextmanager
def alone(folder):
    """A lock, since tests run in parallel."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def apt_sources(suite):
    """This machine's apt sources of Debian packages, changed to the given release."""
    told = subprocess.run(["apt-get", "indextargets", "--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)",
                           "Created-By: Packages", "Origin: Debian"], check=True, capture_output=True, text=True).stdout
    # bookworm, bookworm-updates, bookworm-security; or the same with "stable".
    return sorted({re.sub(r" [a-z]+([^ ]*) (\S+)$", rf" {suite}\1 \2", line) for line in told.splitlines()})


def make_root(root, suite, sources, included, hooks):
    options = subprocess.run(["apt-config", "dump", "Acquire"], check=True, capture_output=True, text=True).stdout
    subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(included)}",
                    *[f"--aptopt={line}" for line in options.splitlines() if '""' not in line],
                    f"--dpkgopt={UNSAFE_IO.strip()}", *[f"--customize-hook={hook}" for hook in hooks],
                    "--skip=cleanup/apt", suite, str(root), "-"],
                   input="\n".join(sources) + "\n", check=True, text=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def copy_of(root):
    """A writable copy of the root; changes are discarded with it."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="headgate-root-"))
    for name in ("upper", "work", "root"):
        (folder / name).mkdir()
    subprocess.run(["mount", "-t", "overlay", "headgate-root", "-o",
                    f"lowerdir={root},upperdir={folder}/upper,workdir={folder}/work", str(folder / "root")], check=True)
    try:
        yield folder / "root"
    finally:
        subprocess.run(["umount", str(folder / "root")], check=True)
        shutil.rmtree(folder)
