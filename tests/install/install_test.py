#!/usr/bin/env python3
"""Installs a build aside and uses the library as a host does, outside the tree: by pkg-config, and as a Meson subproject.

Usage: install_test.py SOURCE BUILD PROGRAM... -- COMPILER..., where BUILD is built and installs the programs. Prints a line
for each check and their count, as tools/count_tests.py reads it; exits with 1 if one failed.
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

STRICT = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
PUBLIC = ("engine/include", "storage/include", "workflows/include")
LIBRARIES = {"libbobbin_engine.a", "libbobbin_storage.a", "libbobbin_workflows.a"}
# What the drill puts before the gateway's C library.
PRELOADS = {"libbobbin_clock.so", "libbobbin_killer.so", "libbobbin_recorder.so"}
# A header that needs more than bobbin.pc declares.
NEEDS = {"bobbin/spdlog.hpp": ["spdlog"]}
# The programs of host/, what their packages are, what they print.
HOSTS = {
    "host": (["bobbin"], "Hello, Bobbin"),
    "capnp_payload": (["bobbin"], "7"),
    "spdlog_lines": (["bobbin", "spdlog"], "engine: ready"),
}


class Failed(Exception):
    pass


def expect(holds, what):
    if not holds:
        raise Failed(what)


def run(command, **options):
    """What it prints; Failed with its output if it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options,
    )
    expect(done.returncode == 0, f"{' '.join(map(str, command))}\nends with {done.returncode}:\n{done.stdout}")
    return done.stdout


def below(folder, pattern):
    return {path.relative_to(folder).as_posix() for path in folder.glob(pattern) if path.is_file()}


class Rig:
    def __init__(self, source, build, programs, compiler, work):
        self.source, self.build, self.programs = source, build, set(programs)
        self.compiler, self.work = compiler, work
        self.stage = work / "stage"
        # The same commands have the same results in another temporary directory.
        self.environment = {**os.environ, "CXX": " ".join(compiler), "CCACHE_BASEDIR": str(work)}
        self.environment.pop("MALLOC_PERTURB_", None)
        self.pkg_config_path = None  # of the installed bobbin.pc

    def run(self, command, folder=None, **more):
        return run(command, cwd=folder or self.work, env={**self.environment, **more})

    def pkg_config(self, *words):
        return self.run(["pkg-config", *words], **self.installed()).split()

    def installed(self):
        """The environment in which bobbin.pc is found."""
        expect(self.pkg_config_path, "there is no bobbin.pc")
        return {"PKG_CONFIG_PATH": self.pkg_config_path}

    def compile(self, *words):
        self.run([*self.compiler, *STRICT, *words])

    def check_host(self, program, name):
        log = self.work / f"log-{len(list(self.work.glob('log-*')))}"
        printed = self.run([program, *([log] if name == "host" else [])]).strip()
        expect(printed == HOSTS[name][1], f"{program} prints {printed!r}, not {HOSTS[name][1]!r}")

    # The checks, in this order.

    def it_installs(self):
        self.run(["meson", "install", "-C", self.build, "--no-rebuild", "--destdir", self.stage])
        found = list(self.stage.rglob("bobbin.pc"))
        expect(len(found) == 1, f"installed as bobbin.pc: {found}")
        # As an installation without DESTDIR would have it.
        text = found[0].read_text(encoding="utf-8").replace("prefix=/", f"prefix={self.stage}/", 1)
        found[0].write_text(text, encoding="utf-8")
        self.pkg_config_path = str(found[0].parent)

    def the_public_headers_are_installed(self):
        public = set().union(*(below(self.source / folder, "**/*.hpp") for folder in PUBLIC))
        include = pathlib.Path(self.pkg_config("--variable=includedir", "bobbin")[0])
        there = below(include, "**/*")
        expect(there == public, f"not installed: {sorted(public - there)}; not public: {sorted(there - public)}")

    def each_header_compiles_alone(self):
        def compile_one(header):
            name = header.replace("/", "_")
            (self.work / f"{name}.cpp").write_text(f"#include <{header}>\n#include <{header}>\n", encoding="utf-8")
            flags = self.pkg_config("--cflags", "bobbin", *NEEDS.get(header, []))
            try:
                self.compile(*flags, "-c", f"{name}.cpp", "-o", f"{name}.o")
            except Failed as failed:
                return str(failed)
            return None

        include = pathlib.Path(self.pkg_config("--variable=includedir", "bobbin")[0])
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            failures = [one for one in pool.map(compile_one, sorted(below(include, "**/*.hpp"))) if one]
        expect(not failures, "\n".join(failures))

    def the_libraries_are_installed(self):
        there = {path for path in self.stage.rglob("lib*") if path.is_file()}
        names = {path.name for path in there if path.parent.name != "bobbin"}
        expect(names == LIBRARIES, f"installed: {sorted(names)}")
        preloads = {path.name for path in there if path.parent.name == "bobbin"}
        expect(preloads == (PRELOADS if self.programs else set()), f"installed for the drill: {sorted(preloads)}")

    def the_programs_are_installed_and_start(self):
        there = {path.name: path for path in self.stage.rglob("bin/*")}
        expect(there.keys() == self.programs, f"installed: {sorted(there)}")
        for program in there.values():
            self.run([program, "--help"])

    def the_installed_drill_kills_the_installed_gateway(self):
        """From where it was moved to, which is not the prefix that it was built for."""
        if "bobbin-drill" not in self.programs:
            return
        [drill] = self.stage.rglob("bin/bobbin-drill")
        printed = self.run([drill, "kill", "--rounds", "1", "--directory", self.work / "drill"])
        expect("lost=0 doubled=0 split=0" in printed, f"it prints {printed!r}")
        expect("there is no" not in printed, f"it did not find what it puts before the gateway: {printed!r}")
        elsewhere = self.run([drill, "kill", "--rounds", "1"], BOBBIN_PRELOADS="/nowhere")
        expect("there is no /nowhere/libbobbin_killer.so" in elsewhere, f"the environment does not count: {elsewhere!r}")

    def hosts_build_with_pkg_config(self):
        self.hosts_build("--libs")

    def hosts_build_with_pkg_config_static(self):
        self.hosts_build("--static", "--libs")

    def hosts_build(self, *what):
        for name, (packages, _) in HOSTS.items():
            compiling = self.pkg_config("--cflags", *packages)
            linking = self.pkg_config(*what, *packages)
            expect("std=" not in " ".join(compiling + linking), f"a standard is forced: {compiling} {linking}")
            self.compile(*compiling, "-c", self.source / f"tests/install/host/{name}.cpp", "-o", f"{name}.o")
            self.run([*self.compiler, f"{name}.o", *linking, "-o", name])
            self.check_host(self.work / name, name)

    def meson_hosts_find_the_installed(self):
        self.meson_hosts_build(self.work / "with-installed", self.installed())

    def meson_hosts_build_it_as_a_subproject(self):
        project = self.work / "with-subproject"
        (project / "subprojects").mkdir(parents=True)
        (project / "subprojects/bobbin").symlink_to(self.source)
        self.meson_hosts_build(project, {}, "--force-fallback-for=bobbin")

    def a_subproject_is_the_library_only(self):
        build = self.work / "with-subproject/build"
        expect(build.exists(), "it is not there")
        targets = json.loads(self.run(["meson", "introspect", "--targets", build]))
        programs = {target["name"] for target in targets if target["type"] == "executable"}
        expect(programs == HOSTS.keys(), f"programs: {sorted(programs)}")
        tests = json.loads(self.run(["meson", "introspect", "--tests", build]))
        expect(not tests, f"tests: {[test['name'] for test in tests]}")

    def meson_hosts_build(self, project, environment, *options):
        shutil.copytree(self.source / "tests/install/host", project, dirs_exist_ok=True)
        # Quick to compile; what the optimiser warns of has the build itself seen.
        self.run(["meson", "setup", "build", "--buildtype=plain", "--wrap-mode=nodownload", *options],
                 project, **environment)
        self.run(["ninja", "-C", "build", "-j2"], project)
        for name in HOSTS:
            self.check_host(project / "build" / name, name)


def main():
    split = sys.argv.index("--")
    source, build = (pathlib.Path(word).resolve() for word in sys.argv[1:3])
    programs, compiler = sys.argv[3:split], sys.argv[split + 1:]
    with tempfile.TemporaryDirectory(prefix="bobbin-install-") as work:
        rig = Rig(source, build, programs, compiler, pathlib.Path(work).resolve())
        checks = [
            rig.it_installs,
            rig.the_public_headers_are_installed,
            rig.each_header_compiles_alone,
            rig.the_libraries_are_installed,
            rig.the_programs_are_installed_and_start,
            rig.the_installed_drill_kills_the_installed_gateway,
            rig.hosts_build_with_pkg_config,
            rig.hosts_build_with_pkg_config_static,
            rig.meson_hosts_find_the_installed,
            rig.meson_hosts_build_it_as_a_subproject,
            rig.a_subproject_is_the_library_only,
        ]
        failures = 0
        for check in checks:
            name = check.__name__.replace("_", " ")
            try:
                check()
                print(f"passed: {name}", flush=True)
            except Failed as failed:
                failures += 1
                print(f"FAILED: {name}\n{failed}", flush=True)
    print(f"[install] test cases: {len(checks)} | {len(checks) - failures} passed | {failures} failed | 0 skipped")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
