"""Print constraints.txt: the versions in this environment of all that the project's extras pull in.

Run it in an environment in which `make check` has passed:

    .venv/bin/python install/tested_set.py > constraints.txt

Local versions (`2.13.0+cpu`) are stripped: `==2.13.0` takes both builds, and a list made on a machine
without a GPU must not forbid the GPU build elsewhere.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PROJECT = "hounsfield"
EXTRAS = ("all", "dev")
# Present only in GPU builds of torch; a list made on such a machine must not force them elsewhere.
LEFT_OUT = ("nvidia-", "cuda-", "triton")
HEADER = """\
# The tested set: every version here was installed together and passed `make check`
# (CPython {python}, Linux x86-64, no GPU). Use: pip install -c constraints.txt -e '.[all]'
# Made by: .venv/bin/python install/tested_set.py > constraints.txt
# torch carries no local version on purpose: the pin takes the CPU build and the CUDA build alike.
"""


def closure(project: str, extras: tuple[str, ...]) -> dict[str, str]:
    """Installed name and version of everything that `project` with `extras` requires, itself left out."""
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    waiting = [(canonicalize_name(project), extra) for extra in ("", *extras)]
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in seen or name.startswith(LEFT_OUT):
            continue
        seen.add((name, extra))
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue  # an optional part that nobody installed, such as a marker for another system
        if name != project:
            found[name] = Version(package.version).public
        for line in package.requires or []:
            required = Requirement(line)
            if required.marker is None or required.marker.evaluate({"extra": extra}):
                target = canonicalize_name(required.name)
                waiting += [(target, wanted) for wanted in ("", *required.extras)]
    return found


def main() -> int:
    """Print the header and one pin a line, sorted by name."""
    print(HEADER.format(python=sys.version.split()[0]), end="")
    for name, version in sorted(closure(PROJECT, EXTRAS).items()):
        print(f"{name}=={version}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
