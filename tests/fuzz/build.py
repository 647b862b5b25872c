#!/usr/bin/env python3
"""Builds for fuzzing with clang, beside the project's own compiler: instrumented for libFuzzer, ASan and UBSan.

Usage: build.py check CLANG
       build.py archive CLANG OUTPUT DEPFILE ROOT BUILD SOURCE...            the product's sources, as a static library
       build.py link CLANG OUTPUT DEPFILE ROOT BUILD SOURCE... ARCHIVE       one target
`check` exits with 0 if CLANG can build a target that runs.
"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

# An overrun of a signed number or a bad shift is a finding like any other.
SANITIZERS = "-fsanitize=fuzzer{},address,undefined"
# Those checks are left out that cost much to compile and whose findings crash, or are ASan's as well.
FLAGS = ["-std=c++20", "-O1", "-g1", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all", "-w",
         "-fno-sanitize=null,vptr,object-size,pointer-overflow"]
PACKAGES = ["capnp", "capnp-json", "libsodium", "libxxhash", "spdlog", "tomlplusplus", "nlohmann_json"]
EMPTY_TARGET = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }\n'


def packages(kind):
    return subprocess.run(["pkg-config", kind, *PACKAGES], check=True, capture_output=True, text=True).stdout.split()


def check(clang):
    with tempfile.TemporaryDirectory() as folder:
        source, program = pathlib.Path(folder, "empty.cpp"), pathlib.Path(folder, "empty")
        source.write_text(EMPTY_TARGET)
        build = [clang, SANITIZERS.format(""), *FLAGS, source, "-o", program]
        for command in (build, [program, "-runs=1"]):
            if subprocess.run(command, capture_output=True, check=False).returncode != 0:
                return 1
    return 0


def compile_all(clang, folder, root, build, sources):
    """(objects, what they were made of)."""
    compiler = [shutil.which("ccache"), clang] if shutil.which("ccache") else [clang]
    includes = [f"-I{place}" for place in (root, root / "engine/include", root / "storage/include", build)]
    includes += packages("--cflags")

    def compile_one(numbered):
        number, source = numbered
        stem = folder / f"{number}-{pathlib.Path(source).stem}"
        subprocess.run(
            [*compiler, SANITIZERS.format("-no-link"), *FLAGS, *includes, "-x", "c++", "-MD", "-MF", f"{stem}.d", "-c",
             source, "-o", f"{stem}.o"],
            check=True)
        made_of = pathlib.Path(f"{stem}.d").read_text().split(":", 1)[1].replace("\\\n", " ")
        return f"{stem}.o", made_of

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(compile_one, enumerate(sources)))
    return [one[0] for one in done], " ".join(one[1].strip() for one in done)


def main():
    act, clang = sys.argv[1:3]
    if act == "check":
        return check(clang)
    output, depfile, root, build = (pathlib.Path(name).resolve() for name in sys.argv[3:7])
    given = sys.argv[7:]
    archives = [name for name in given if name.endswith(".a")]
    sources = [name for name in given if name not in archives]
    with tempfile.TemporaryDirectory() as folder:
        objects, made_of = compile_all(clang, pathlib.Path(folder), root, build, sources)
        if act == "archive":
            output.unlink(missing_ok=True)
            command = ["ar", "rcs", output, *objects]
        else:
            command = [clang, SANITIZERS.format(""), *objects, *archives, "-o", output, *packages("--libs"), "-pthread"]
        subprocess.run(command, check=True)
    depfile.write_text(f"{os.path.relpath(output, build)}: {made_of}\n")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.CalledProcessError as error:
        sys.exit(f"build.py: {error.cmd[0]} failed")
