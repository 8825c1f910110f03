"""The comparison with torch that the tests of the operations make, for those of nn too."""

from ops.conftest import agree

__all__ = ["agree"]
