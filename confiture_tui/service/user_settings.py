"""Writing into a user's own settings what the user chose in the app."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from confiture_tui.errors import UsageError
from confiture_tui.user_files import user_config_file
from confiture_tui.whole_file import whole_file
from confiture_tui.yaml_file import YamlFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def keep_theme(name: str, environ: Mapping[str, str]) -> Path:
    """Write the theme into the user's ``config.yaml``, and leave everything else there as it is, comments too.

    Returns the file.

    Raises:
        UsageError: the file cannot be read or written.
    """
    from ruamel.yaml import YAML

    path = user_config_file(environ)
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    try:
        if path.exists():
            # In our own words, if something is wrong with it.
            YamlFile.read(path)
            document = yaml.load(path.read_text(encoding="utf-8-sig")) or {}
        else:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            document = {}
        document["theme"] = name
        out = io.StringIO()
        yaml.dump(document, out)
        with whole_file(path, mode=path.stat().st_mode & 0o777 if path.exists() else 0o600) as beside:
            beside.write_text(out.getvalue(), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.", hint="Check its permissions.") from None
    return path
