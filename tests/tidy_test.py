#!/usr/bin/env python3
"""tidy.py finds each kind of disorder in a small tree, and nothing in a tidy one.

Usage: tidy_test.py TIDY.PY
"""

import pathlib
import subprocess
import sys
import tempfile

TIDY_TREE = {
    "engine/include/bobbin/a.hpp": "#pragma once\n#include <string>\n",
    "engine/include/bobbin/spdlog.hpp": "#pragma once\n#include <spdlog/spdlog.h>\n",
    "engine/core/b.hpp": "#pragma once\n#include <bobbin/a.hpp>\n",
    "engine/core/b.cpp": '#include "engine/core/b.hpp"\n',
    "engine/meson.build": "lib = static_library('x',\n  'core/b.cpp')\n",
    "storage/include/bobbin/s.hpp": "#pragma once\n#include <bobbin/a.hpp>\n",
    "workflows/include/bobbin/w.hpp": "#pragma once\n#include <bobbin/a.hpp>\n",
    "tools/t.hpp": '#pragma once\n#include <bobbin/s.hpp>\n#include "engine/core/b.hpp"\n',
    "tests/t.hpp": '#pragma once\n#include "tools/t.hpp"\n',
}

# Each: a file, its text, and a part of the complaint that it must cause.
DISORDERS = [
    ("engine/core/c.hpp", "#include <bobbin/s.hpp>\n", "engine may not include <bobbin/s.hpp>"),
    ("engine/core/c.hpp", '#include "tools/t.hpp"\n', 'engine may not include "tools/t.hpp"'),
    ("storage/c.hpp", '#include "engine/core/b.hpp"\n', 'storage may not include "engine/core/b.hpp"'),
    ("storage/c.hpp", "#include <bobbin/w.hpp>\n", "storage may not include <bobbin/w.hpp>"),
    ("workflows/c.hpp", '#include "engine/core/b.hpp"\n', 'workflows may not include "engine/core/b.hpp"'),
    ("workflows/c.hpp", "#include <bobbin/s.hpp>\n", "workflows may not include <bobbin/s.hpp>"),
    ("tools/c.hpp", '#include "t.hpp"\n', "is not written from the root"),
    ("engine/include/bobbin/c.hpp", "#include <lmdb.h>\n", "a public header includes <lmdb.h>"),
    ("engine/include/bobbin/c.hpp", "#include <boost/fiber/all.hpp>\n", "a public header includes <boost/"),
    ("engine/include/bobbin/c.hpp", "namespace kj { class Promise; }\nusing P = kj::Promise;\n", "names kj::"),
    ("engine/include/bobbin/spdlog.hpp", "#include <capnp/message.h>\n", "a public header includes <capnp/message.h>"),
    ("engine/include/bobbin/a.hpp", '#include "engine/core/b.hpp"\n', "include cycle: engine/core/b.hpp -> engine/inc"),
    ("tools/c.cpp", "int c;\n", "tools/c.cpp:1: is listed in no meson.build"),
    ("tools/c.hpp", "// TO" + "DO: later\n", "leftover marker"),
    ("tests/c.hpp", "void c() { std::this_thread::sleep_for(x); }\n", "a test sleeps"),
]


def run(tidy, files):
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = pathlib.Path(root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return subprocess.run([sys.executable, tidy, root], capture_output=True, text=True, check=False)


def main():
    tidy = sys.argv[1]
    failures = []
    clean = run(tidy, TIDY_TREE)
    if clean.returncode != 0:
        failures.append(f"a tidy tree is complained about:\n{clean.stdout}{clean.stderr}")
    for name, text, expected in DISORDERS:
        found = run(tidy, {**TIDY_TREE, name: text})
        if found.returncode != 1 or expected not in found.stdout:
            failures.append(f"{name} with {text!r}: expected {expected!r}, got\n{found.stdout}{found.stderr}")
    for failure in failures:
        print(failure)
    print(f"{len(DISORDERS) + 1} trees, {len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
