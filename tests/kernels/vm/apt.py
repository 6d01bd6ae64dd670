# SPDX-License-Identifier: GPL-2.0
"""Debian packages of any suite and architecture, through an apt of our own: the system's mirror and keys,
but lists, cache and status in the cache directory. The system's apt is only read."""
import functools
import os
import re
import subprocess

from .kernels import Unavailable, cache_dir

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def _run(cmd, **kwargs):
    try:
        return subprocess.run(cmd, check=True, text=True, capture_output=True, timeout=900, **kwargs).stdout
    except FileNotFoundError as e:
        raise Unavailable(f"{e.filename} is not installed") from e
    except subprocess.TimeoutExpired as e:
        raise Unavailable(f"{' '.join(cmd[:1])} took longer than {e.timeout:.0f} s") from e
    except subprocess.CalledProcessError as e:
        lines = [line for line in (e.stderr + e.stdout).splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("E:")] or lines or [f"status {e.returncode}"]
        raise Unavailable(f"{os.path.basename(cmd[0])}: {errors[0]}") from e


def mirror(suite):
    """The archive the system itself uses for such a suite; the public one where it uses none."""
    kind = "-security" if suite.endswith("-security") else ""
    try:
        out = _run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"])
    except Unavailable:
        out = ""
    for line in out.splitlines():
        uri, _, release = line.partition(" ")
        if release.endswith("-security") == bool(kind) and re.search(r"/debian(-security)?/?$", uri):
            return uri
    return f"http://deb.debian.org/debian{kind}"


class Archive:
    """One suite for one architecture."""

    def __init__(self, suite, arch, refresh=False):
        self.suite, self.arch = suite, arch
        self.dir = os.path.join(cache_dir(), "apt", f"{suite}-{arch}")
        for sub in ("lists/partial", "cache/archives/partial"):
            os.makedirs(os.path.join(self.dir, sub), exist_ok=True)
        open(os.path.join(self.dir, "status"), "a", encoding="ascii").close()
        stamp = os.path.join(self.dir, "updated")
        if refresh or not os.path.exists(stamp):
            self._write_sources()
            _run(self._cmd("apt-get", "-q", "--error-on=any", "update"))
            open(stamp, "w", encoding="ascii").close()

    def _write_sources(self):
        signed = f" signed-by={KEYRING}" if os.path.exists(KEYRING) else ""
        with open(os.path.join(self.dir, "sources.list"), "w", encoding="ascii") as f:
            f.write(f"deb [arch={self.arch}{signed}] {mirror(self.suite)} {self.suite} main\n")

    def _cmd(self, tool, *args):
        settings = {
            "Dir::Etc::sourcelist": f"{self.dir}/sources.list", "Dir::Etc::sourceparts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null", "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::State": self.dir, "Dir::State::lists": f"{self.dir}/lists",
            "Dir::State::status": f"{self.dir}/status", "Dir::Cache": f"{self.dir}/cache",
            "Dir::Cache::archives": f"{self.dir}/cache/archives",
            "APT::Architecture": self.arch, "APT::Architectures": self.arch,
            "APT::Sandbox::User": "root", "Acquire::Languages": "none", "Acquire::Retries": "2",
            "APT::Install-Recommends": "false", "APT::Keep-Downloaded-Packages": "true",
        }
        options = [word for key, value in settings.items() for word in ("-o", f"{key}={value}")]
        return [tool, *options, *args]

    @functools.cached_property
    def packages(self):
        """name -> {field: value} of what can really be downloaded."""
        found = {}
        for stanza in _run(self._cmd("apt-cache", "dumpavail")).split("\n\n"):
            fields = dict(re.findall(r"^(Package|Version|Depends): (.*)$", stanza, re.M))
            if fields:
                found[fields["Package"]] = fields
        return found

    def newest(self, pattern):
        """The package with the highest version number in its name."""
        names = [name for name in self.packages if re.fullmatch(pattern, name)]
        if not names:
            raise Unavailable(f"no package {pattern} in {self.suite} {self.arch}")
        return max(names, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])

    def download(self, *names):
        """Returns the paths of the .deb files."""
        where = os.path.join(self.dir, "debs")
        os.makedirs(where, exist_ok=True)
        _run(self._cmd("apt-get", "-q", "download", *names), cwd=where)
        return [os.path.join(where, self._newest_deb(where, name)) for name in names]

    @staticmethod
    def _newest_deb(where, name):
        debs = [deb for deb in os.listdir(where) if deb.startswith(name + "_")]
        return max(debs, key=lambda deb: os.path.getmtime(os.path.join(where, deb)))

    def download_with_depends(self, *names):
        """These packages and all they depend on."""
        _run(self._cmd("apt-get", "-q", "-y", "--download-only", "install", *names))
        where = os.path.join(self.dir, "cache", "archives")
        return [os.path.join(where, deb) for deb in sorted(os.listdir(where)) if deb.endswith(".deb")]


def unpack(debs, where):
    os.makedirs(where, exist_ok=True)
    for deb in debs:
        _run(["dpkg-deb", "-x", deb, where])
