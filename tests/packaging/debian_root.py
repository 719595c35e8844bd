"""A fresh, minimal Debian in a folder, and copies of it that cost nothing.

It is made once and kept in build/, under a key that tells what went into it. Its packages come from where this machine's
apt has them from. It is of this machine's release, as are packages that were built here, or of the one that HEADGATE_SUITE
names.
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

# What boots, and what any gateway has.
INCLUDED = ["systemd-sysv", "iproute2", "ca-certificates"]
# Written to a disk that nobody needs after a power cut.
UNSAFE_IO = "force-unsafe-io\n"


def base_root(deb):
    """The root, with all that the package depends on, and rpm, waiting in apt's cache: in there is no network."""
    depends = subprocess.run(["dpkg-deb", "-f", deb, "Depends"], check=True, capture_output=True, text=True).stdout
    return kept_root(KEPT, SUITE, INCLUDED, [
        f"copy-in {deb} /root",
        f'chroot "$1" sh -c "apt-get install --yes --download-only --no-install-recommends /root/{os.path.basename(deb)} rpm && '
        'rm /root/*.deb"'], depends)


def kept_root(folder, suite, included, hooks, *what_else):
    """A root in the folder: the one that is there, unless something else would go into it now."""
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
    """Whoever comes next waits: tests run side by side."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def apt_sources(suite):
    """Where this machine's apt has Debian's packages from, and for another release, where it would have them from."""
    told = subprocess.run(["apt-get", "indextargets", "--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)",
                           "Created-By: Packages", "Origin: Debian"], check=True, capture_output=True, text=True).stdout
    # bookworm, bookworm-updates, bookworm-security; or the same by stable.
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
    """A root to be written to; what is written goes with it."""
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
