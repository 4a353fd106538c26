"""Files that are written whole or not at all, whoever reads them meanwhile and whatever goes wrong."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def whole_file(path: Path, *, mode: int = 0o600, prefix: str | None = None) -> Iterator[Path]:
    """An empty file beside ``path`` to write into, which takes its place when the block ends well, and else goes.

    Args:
        path: the file; it may be there.
        mode: its permissions; until it is in place only its owner may read it.
        prefix: what the name of the one beside it begins with; a dot and the name of ``path`` when left out.

    Raises:
        OSError: the directory cannot be written to.
    """
    handle, name = tempfile.mkstemp(prefix=prefix or f".{path.name}.", dir=path.parent)  # mkstemp makes it 0600
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        beside.chmod(mode)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
