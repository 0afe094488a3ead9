"""Synthetic studies with known truth.

Begin with chest_ct.py (how the truth is built in), kinds/chest_ct.py (how a kind is registered) and
write.py (what lands on disk); trouble.py holds what can be made unusual about a study. Without files:
courses of patients (visits.py), pictures of several sites (sites.py), reports (sentences.py). Nothing here
measures: readings are compared with the truth by tests, `hounsfield demo` and benchmarks.
"""

from hounsfield.phantoms._kinds import PhantomCard, PhantomKind, phantom_kind, phantom_kinds
from hounsfield.phantoms.chest_ct import ChestCtParameters, make_chest_ct
from hounsfield.phantoms.fdg_pet import FdgPetParameters, make_fdg_pet
from hounsfield.phantoms.phantom import Phantom, PhantomStudy
from hounsfield.phantoms.trouble import Trouble
from hounsfield.phantoms.write import write_phantom

__all__ = [
    "ChestCtParameters",
    "FdgPetParameters",
    "Phantom",
    "PhantomCard",
    "PhantomKind",
    "PhantomStudy",
    "Trouble",
    "make_chest_ct",
    "make_fdg_pet",
    "phantom_kind",
    "phantom_kinds",
    "write_phantom",
]
