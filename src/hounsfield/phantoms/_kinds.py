"""The registry of phantoms: one file of `phantoms/kinds/` a kind, found by its file name.

A kind is what `hounsfield phantom` can write. Its file holds little: which parameters it takes, which
trouble it can show, and the writing of its objects. The making of voxels lives beside this module
(chest_ct.py, fdg_pet.py, ...), the making of objects in dicom_ct.py and its like.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import UsageError
from hounsfield.core.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hounsfield.phantoms.phantom import Phantom, PhantomStudy
    from hounsfield.phantoms.trouble import Trouble

    Write = Callable[..., Phantom | PhantomStudy]


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomCard:
    """What a kind of synthetic study says of itself.

    name: as in `hounsfield phantom NAME`, that of its file with hyphens. summary: what it shows, in one
    sentence. parameters: a frozen dataclass with usual values that has at least `seed` and refuses values
    outside its ranges with UsageError. sources: where its ranges come from. also: the names under which
    the platform's list of methods refers to it (P-NOD). options: what its `write` takes besides, each with
    its allowed values. troubles: fields of Trouble that it can show.
    """

    name: str
    summary: str
    parameters: type[Any]
    sources: tuple[str, ...]
    also: str = ""
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    troubles: frozenset[str] = frozenset()

    def chosen(self, options: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """The frozen parameters and the other options; an unknown name is refused with those that exist."""
        names = [one.name for one in fields(self.parameters)]
        unknown = sorted(set(options) - set(names) - set(self.options))
        if unknown:
            raise UsageError(
                f"the phantom {self.name} has no parameter {', '.join(unknown)}; "
                f"it has {', '.join([*names, *self.options])}"
            )
        besides = {name: options[name] for name in self.options if name in options}
        for name, value in besides.items():
            if value not in (None, *self.options[name]):
                allowed = " or ".join(self.options[name])
                raise UsageError(f"{name} is {value!r}; choose {allowed}, or leave it out")
        own = {name: value for name, value in options.items() if name not in besides}
        return self.parameters(**own), besides

    def check(self, trouble: Trouble) -> None:
        """Raise UsageError if `trouble` is one that this kind cannot show."""
        unfit = sorted(set(trouble.to_json()) - self.troubles)
        if unfit:
            can = f"it can show {', '.join(sorted(self.troubles))}" if self.troubles else "it can show none"
            raise UsageError(f"the phantom {self.name} cannot show the trouble {', '.join(unfit)}: {can}")


@dataclass(frozen=True, slots=True)
class PhantomKind:
    """A card and the function behind it.

    write: called as `write(dicom, parameters, trouble, progress, **options)`, writes objects into the empty
    folder `dicom` and returns the Phantom (or PhantomStudy) as stored.
    """

    card: PhantomCard
    write: Write


phantom_kinds: Registry[PhantomKind] = Registry("phantom", "hounsfield.phantoms.kinds", hyphenated=True)


def phantom_kind(card: PhantomCard) -> Callable[[Write], Write]:
    """Register the decorated function as the writing of the phantom of `card`."""

    def register(write: Write) -> Write:
        phantom_kinds.add(card.name, PhantomKind(card, write))
        return write

    return register
