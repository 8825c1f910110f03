"""save and load: trees of tensors in files that no pickle is needed to read.

saving.py    save: into a zip of .npy files with a description beside them, or a .safetensors file
loading.py   load: from these, and from what numpy.save and numpy.savez write
tree.py      what is described without pickle, and how
files.py     a file that is the old one or the new one, whole, whatever happens
"""

from typing import TYPE_CHECKING, Any

from tinyrnn.absent import absent
from tinyrnn.serialization.loading import load
from tinyrnn.serialization.saving import save

if not TYPE_CHECKING:  # a type checker would take every name for granted

    def __getattr__(name: str) -> Any:
        raise absent(__name__, name)


__all__ = ["load", "save"]
