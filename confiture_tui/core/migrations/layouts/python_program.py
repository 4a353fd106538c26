"""Migrations of ``confiture`` that are Python programs: their SQL, as far as it can be read without running them.

Only the syntax tree is looked at. A program is read when all that its ``up`` and ``down`` do is to execute SQL that
stands in the file as it is; anything else, a loop or a value put into a string, makes it opaque, because SQL that is
read in part would be judged too mildly. Lines and columns are those of the file.
"""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from confiture_tui.core.migrations.files import read_bytes
from confiture_tui.core.migrations.layouts.base import OpaqueMigration
from confiture_tui.core.migrations.model import Finding, Migration
from confiture_tui.core.sql.script import Script

if TYPE_CHECKING:
    from confiture_tui.core.migrations.layouts.building import Section

_BASES = ("Migration", "SQLMigration")
_ONLY = "it can be applied only by confiture itself"


class _NotReadError(Exception):
    """Why a program cannot be read, and on which line."""

    def __init__(self, why: str, line: int) -> None:
        super().__init__(why)
        self.why, self.line = why, line


@dataclass(frozen=True, slots=True)
class _Read:
    up: tuple[Section, ...]
    down: tuple[Section, ...]
    transactional: bool | None


def read_program(path: Path) -> tuple[Migration | OpaqueMigration, Finding]:
    """The migration that a program is, with the finding that says what was read of it."""
    version, _, name = path.name.removesuffix(".py").partition("_")
    content, unreadable = read_bytes(path)
    if content is None:
        program = OpaqueMigration(version=version, name=name, path=path, checksum="")
        return program, unreadable or _finding(path, f"{path.name} is a Python program: {_ONLY}.", None)
    checksum = hashlib.sha256(content).hexdigest()
    try:
        text = content.decode()
        read = _Reader(text).read()
    except UnicodeDecodeError:
        why = _NotReadError("it is not UTF-8", 1)
    except _NotReadError as error:
        why = error
    else:
        script = Script(text)
        message = f"{path.name} is a Python program whose SQL was read without running it: {_ONLY}."
        finding = _finding(path, message, None, level="note")
        migration = Migration(
            version=version,
            name=name,
            up=script.part(sections=read.up, transactional=read.transactional),
            down=script.part(sections=read.down, transactional=read.transactional) if read.down else None,
            path=path,
            down_path=path if read.down else None,
            checksum=checksum,
            program=True,
        )
        return migration, finding
    message = (
        f"{path.name} is a Python program that is not analysed: line {why.line}: {why.why}. What it does is not known "
        f"without running it, and {_ONLY}."
    )
    return OpaqueMigration(version=version, name=name, path=path, checksum=checksum), _finding(path, message, why.line)


def _finding(path: Path, message: str, line: int | None, *, level: str = "warning") -> Finding:
    return Finding.model_validate(
        {"code": "python-migration", "message": message, "path": path, "line": line, "level": level}
    )


class _Reader:
    """One program's text and its syntax tree."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._constants: dict[str, ast.expr] = {}
        # Python's columns count bytes of UTF-8, ours characters.
        self._lines = text.splitlines(keepends=True) if "\f" not in text else []
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def read(self) -> _Read:
        """The sections of the file that are its SQL.

        Raises:
            _NotReadError: it does something else, too.
        """
        try:
            tree = ast.parse(self._text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise _NotReadError("Python cannot read it", getattr(error, "lineno", None) or 1) from None
        self._remember(tree.body)
        classes = [one for one in tree.body if isinstance(one, ast.ClassDef) and _base(one) in _BASES]
        if len(classes) != 1:
            line = classes[1].lineno if classes else 1
            raise _NotReadError(f"it has {len(classes) or 'no'} classes that are a Migration", line)
        found = classes[0]
        self._remember(found.body)
        alone = self._constants.get("transactional")
        transactional = False if isinstance(alone, ast.Constant) and alone.value is False else None
        if _base(found) == "SQLMigration":
            return _Read(
                self._constant("up_sql", found), self._constant("down_sql", found, needed=False), transactional
            )
        methods = {one.name: one for one in found.body if isinstance(one, ast.FunctionDef)}
        if "up" not in methods:
            raise _NotReadError("its class has no method up", found.lineno)
        down = self._method(methods["down"]) if "down" in methods else ()
        return _Read(self._method(methods["up"]), down, transactional)

    def _remember(self, body: list[ast.stmt]) -> None:
        for one in body:
            if isinstance(one, ast.Assign) and len(one.targets) == 1 and isinstance(one.targets[0], ast.Name):
                self._constants[one.targets[0].id] = one.value
            elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value is not None:
                self._constants[one.target.id] = one.value

    def _constant(self, name: str, found: ast.ClassDef, *, needed: bool = True) -> tuple[Section, ...]:
        value = self._constants.get(name)
        if value is None:
            if needed:
                raise _NotReadError(f"it has no {name}", found.lineno)
            return ()
        return (self._literal(value),)

    def _method(self, method: ast.FunctionDef) -> tuple[Section, ...]:
        """The SQL that a method executes, where it does nothing else."""
        sections: list[Section] = []
        for one in method.body:
            if isinstance(one, ast.Pass) or (
                isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) and one.value.value is not None
            ):
                continue  # A docstring, or nothing.
            executed = _executed(one)
            if executed is None:
                raise _NotReadError("it does more than to execute SQL that stands there as it is", one.lineno)
            section = self._literal(executed)
            if sections and section[0] < sections[-1][1]:
                raise _NotReadError("its SQL is not executed in the order in which it is written", one.lineno)
            sections.append(section)
        return tuple(sections)

    def _literal(self, node: ast.expr) -> Section:
        """Where the SQL of a string, or of the constant that a name stands for, is in the file."""
        if isinstance(node, ast.Name) and node.id in self._constants:
            node = self._constants[node.id]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            node = self._constants.get(node.attr, node)
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            _refuse(node)
        start, stop = self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)
        source = self._text[start:stop]
        inner = source.lstrip("rRbBuU")
        quote = inner[:3] if inner[:3] in ('"""', "'''") else inner[:1]
        first = start + len(source) - len(inner) + len(quote)
        last = stop - len(quote)
        if self._text[first:last].replace("\r\n", "\n") != node.value:
            # Escapes, or several strings side by side: their text has no one place in the file.
            _refuse(node)
        return first, last

    def _offset(self, line: int | None, column: int | None) -> int:
        if line is None or column is None or line > len(self._lines):
            raise _NotReadError("its lines cannot be told apart", 1)
        return self._starts[line - 1] + len(self._lines[line - 1].encode()[:column].decode())


def _refuse(node: ast.expr) -> NoReturn:
    raise _NotReadError("its SQL does not stand there as one plain string", node.lineno)


def _base(found: ast.ClassDef) -> str | None:
    """The last word of the class's first base."""
    for base in found.bases:
        if isinstance(base, ast.Name):
            return base.id
        if isinstance(base, ast.Attribute):
            return base.attr
    return None


def _executed(node: ast.stmt) -> ast.expr | None:
    """What ``self.execute(…)`` executes, where that is all that a statement does."""
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or len(call.args) != 1 or call.keywords:
        return None
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr != "execute":
        return None
    return call.args[0] if isinstance(function.value, ast.Name) and function.value.id == "self" else None
