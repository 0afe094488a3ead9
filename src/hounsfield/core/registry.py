"""One registry class for every family of extension points.

Names are found from the file names of a package and from entry points of other packages; a file is
imported only when its member is asked for, so that listing costs nothing and heavy imports wait.
"""

from __future__ import annotations

import pkgutil
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Generic, TypeVar

from hounsfield.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

Member = TypeVar("Member")


@cache
def _of_other_packages(group: str) -> tuple[tuple[str, str], ...]:
    """Names and modules of entry points; looked up once, because every installed package is opened for it."""
    return tuple((entry.name, entry.value) for entry in entry_points(group=group))


def _module_name(name: str) -> str:
    return name.replace("-", "_").replace(".", "_")


class Registry(Generic[Member]):
    """The members of one family ("application", "network", ...).

    package: dotted name whose modules each hold one member registered under the module's own name
    (an underscore in the module's name may be a hyphen or a point in the member's: `recist_1_1.py`
    holds "recist-1.1"); `besides` names its modules that hold no member; `hyphenated`: all members of the
    family write hyphens, and are listed so. Other packages add members through the entry point group
    `hounsfield.<family>s`.
    """

    def __init__(
        self, family: str, package: str, *, besides: Collection[str] = (), hyphenated: bool = False
    ) -> None:
        self.family = family
        self.package = package
        self.besides = frozenset(besides)
        self.hyphenated = hyphenated
        self._members: dict[str, Member] = {}

    def add(self, name: str, member: Member) -> None:
        """Register `member`; a second one of the same name is an error."""
        if name in self._members and self._members[name] is not member:
            raise UsageError(f"two {self.family}s are named {name!r}; rename one of them")
        self._members[name] = member

    def _modules(self) -> dict[str, str]:
        path = import_module(self.package).__path__
        own = {
            info.name: f"{self.package}.{info.name}"
            for info in pkgutil.iter_modules(path)
            if not info.name.startswith("_") and info.name not in self.besides
        }
        for name, value in _of_other_packages(f"hounsfield.{self.family}s"):
            own.setdefault(name, value)
        return {name.replace("_", "-"): value for name, value in own.items()} if self.hyphenated else own

    def names(self) -> list[str]:
        """Every name that can be asked for, sorted; imports no member."""
        return sorted(self._modules())

    def get(self, name: str) -> Member:
        """The member of that name; raises UsageError with the nearest valid name."""
        if name in self._members:
            return self._members[name]
        modules = self._modules()
        wanted = _module_name(name)
        module = modules.get(name) or modules.get(wanted.replace("_", "-") if self.hyphenated else wanted)
        if module is not None:
            import_module(module)
            for spelling, member in self._members.items():
                if _module_name(spelling) == wanted:
                    return member
        near = get_close_matches(name, modules, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(
            f"there is no {self.family} named {name!r}.{hint} Available: {', '.join(sorted(modules)) or 'none'}."
        )

    def __iter__(self) -> Iterator[Member]:
        return (self.get(name) for name in self.names())
