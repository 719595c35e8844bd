"""A fresh, minimal Debian 12 in a folder, and copies of it that cost nothing.

It is made once and kept in build/, under a key that tells what went into it. Its packages come from where this machine's
apt has them from.
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
KEPT = PROJECT / "build" / "debian-root"

# What boots, and what any gateway has.
INCLUDED = ["systemd-sysv", "iproute2", "ca-certificates"]
# Written to a disk that nobody needs after a power cut.
UNSAFE_IO = "force-unsafe-io\n"


def base_root(deb):
    """The root, with all that the package depends on, and rpm, waiting in apt's cache: in there is no network."""
    sources = apt_sources()
    depends = subprocess.run(["dpkg-deb", "-f", deb, "Depends"], check=True, capture_output=True, text=True).stdout
    key = hashlib.sha1("\n".join([*sources, *INCLUDED, depends, pathlib.Path(__file__).read_text()]).encode()).hexdigest()[:12]
    root = KEPT / key
    with alone():
        if not root.exists():
            shutil.rmtree(KEPT, ignore_errors=True)
            KEPT.mkdir()
            draft = KEPT / "draft"
            make_root(draft, sources, deb)
            draft.rename(root)
    return root


@contextlib.contextmanager
def alone():
    """Whoever comes next waits: tests run side by side."""
    KEPT.parent.mkdir(exist_ok=True)
    with open(KEPT.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def apt_sources():
    told = subprocess.run(["apt-get", "indextargets", "--format", "deb $(REPO_URI) $(RELEASE) $(COMPONENT)",
                           "Created-By: Packages", "Origin: Debian"], check=True, capture_output=True, text=True).stdout
    return sorted(set(told.splitlines()))


def make_root(root, sources, deb):
    options = subprocess.run(["apt-config", "dump", "Acquire"], check=True, capture_output=True, text=True).stdout
    subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(INCLUDED)}",
                    *[f"--aptopt={line}" for line in options.splitlines() if '""' not in line],
                    f"--dpkgopt={UNSAFE_IO.strip()}",
                    f"--customize-hook=copy-in {deb} /root",
                    f'--customize-hook=chroot "$1" sh -c "apt-get install --yes --download-only --no-install-recommends '
                    f'/root/{os.path.basename(deb)} rpm && rm /root/*.deb"',
                    "--skip=cleanup/apt", "bookworm", str(root), "-"],
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
