"""Synthetic studies with known truth: chest CT, FDG-PET, and a brain slice that needs no files.

Begin with chest_ct.py (how the truth is built in) and write.py (what lands on disk); trouble.py holds
what can be made unusual about a study. Nothing here measures: readings are compared with the truth by
tests, `hounsfield demo` and benchmarks.
"""

from hounsfield.phantoms.chest_ct import ChestCtParameters, make_chest_ct
from hounsfield.phantoms.fdg_pet import FdgPetParameters, make_fdg_pet
from hounsfield.phantoms.phantom import Phantom
from hounsfield.phantoms.trouble import Trouble
from hounsfield.phantoms.write import write_chest_ct, write_fdg_pet, write_phantom

__all__ = [
    "ChestCtParameters",
    "FdgPetParameters",
    "Phantom",
    "Trouble",
    "make_chest_ct",
    "make_fdg_pet",
    "write_chest_ct",
    "write_fdg_pet",
    "write_phantom",
]
