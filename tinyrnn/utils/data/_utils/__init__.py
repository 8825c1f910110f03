"""What torch keeps under this path, because programs import it from here."""

from tinyrnn.utils.data._utils import collate

__all__ = ["collate"]
