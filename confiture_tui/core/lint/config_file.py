"""Reads ``linting:`` of a settings file. Every mistake is told with its line, and with what would be right."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from confiture_tui.core.lint.config import CustomRule, Exemption, LintConfig, RuleSettings
from confiture_tui.core.lint.model import Severity
from confiture_tui.core.lint.plugins import load_plugins
from confiture_tui.core.lint.rules import RULES
from confiture_tui.errors import UsageError
from confiture_tui.yaml_file import did_you_mean

if TYPE_CHECKING:
    from confiture_tui.core.lint.rule import LintRule
    from confiture_tui.yaml_file import YamlFile

SECTION = "linting"
_KEYS = (
    *("rules", "custom_rules", "exclude_schemas", "exemptions", "plugins", "fail_on", "baseline"),
    "production",
)
_RULE_KEYS = ("enabled", "severity", "options", "exemptions")
_CUSTOM_KEYS = ("name", "pattern", "patterns", "kinds", "kind", "schemas", "schema", "objects", "severity", "message")
_ON = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False, "ignore": False}

M = TypeVar("M", bound=BaseModel)


def lint_config_of(file: YamlFile | None) -> LintConfig:
    """The linter's settings in a file; the defaults where there is no file, or no ``linting:`` in it.

    Raises:
        UsageError: the section cannot be used; the message names file and line.
    """
    section = file.values.get(SECTION) if file is not None else None
    if file is None or section is None:
        return LintConfig()
    return _Reader(str(file.path)).config(_Node(section, (SECTION,), file.lines[SECTION]))


@dataclass(frozen=True, slots=True)
class _Node:
    """A value of the file, where it stands in it, and its line."""

    value: Any
    path: tuple[str | int, ...]
    line: int

    @property
    def name(self) -> str:
        return ".".join(str(part) for part in self.path)

    def child(self, key: Any) -> _Node:
        """The value of a key, or at a place, with the line of that key."""
        marks = getattr(self.value, "lc", None)
        line = self.line
        if marks is not None:
            found = marks.key(key) if isinstance(self.value, Mapping) else marks.item(key)
            line = found[0] + 1
        return _Node(self.value[key], (*self.path, key), line)

    def below(self, path: Iterable[Any]) -> _Node:
        """The value that a path leads to, as far as there is one."""
        node = self
        for key in path:
            value = node.value
            inside = isinstance(value, Mapping) and key in value
            if not inside and not (_is_list(value) and isinstance(key, int) and key < len(value)):
                break
            node = node.child(key)
        return node


class _Reader:
    def __init__(self, path: str) -> None:
        self._path = path
        self._rules: dict[str, LintRule] = {rule.id: rule() for rule in RULES}

    def config(self, section: _Node) -> LintConfig:
        """The whole section."""
        parts = self._mapping(section, _KEYS, "Settings")
        plugins = self._plugins(parts.get("plugins"))
        if "rules" in parts and plugins is not False:
            allowed = plugins if isinstance(plugins, tuple) else None
            self._rules |= {rule.id: rule for rule, _ in load_plugins(self._rules, packages=allowed).rules}
        values: dict[str, Any] = {
            "plugins": plugins,
            "rules": self._rule_settings(parts.get("rules")),
            "custom_rules": self._custom_rules(parts.get("custom_rules")),
            "exclude_schemas": self._texts(parts.get("exclude_schemas")),
            "exemptions": self._exemptions(parts.get("exemptions")),
        }
        if "fail_on" in parts:
            word = parts["fail_on"]
            values["fail_on"] = None if str(word.value).lower() == "never" else self._severity(word)
        if "baseline" in parts:
            values["baseline"] = self._text(parts["baseline"])
        if "production" in parts:
            values["production"] = self._switch(parts["production"])
        return LintConfig(**values)

    def _rule_settings(self, node: _Node | None) -> dict[str, RuleSettings]:
        if node is None or node.value is None:
            return {}
        return {
            name: self._one_rule(name, child)
            for name, child in self._mapping(node, self._rules, "Rules", "rule").items()
        }

    def _one_rule(self, name: str, node: _Node) -> RuleSettings:
        """``off``, a severity, or a mapping."""
        if not isinstance(node.value, Mapping):
            text = str(node.value).lower()
            if text in _ON:
                return RuleSettings(enabled=_ON[text])
            return RuleSettings(severity=self._severity(node, also=(*_ON, "a mapping")))
        parts = self._mapping(node, _RULE_KEYS, "Settings of a rule")
        rule = self._rules[name]
        options = parts.get("options")
        given: dict[str, Any] = {}
        if options is not None and options.value is not None:
            self._mapping(options, rule.options.option_names(), "Options", "option")
            self._model(rule.options, options)
            given = _plain(options.value)
        return RuleSettings(
            enabled=self._switch(parts["enabled"]) if "enabled" in parts else None,
            severity=self._severity(parts["severity"]) if "severity" in parts else None,
            options=given,
            exemptions=self._exemptions(parts.get("exemptions")),
        )

    def _custom_rules(self, node: _Node | None) -> tuple[CustomRule, ...]:
        """Either a mapping of names to patterns or mappings, or a list of mappings with a ``name``.

        Patterns that stand alone are alternatives: a table is on the write side or on the read side.
        """
        if node is None or node.value is None:
            return ()
        if _is_list(node.value):
            return tuple(self._custom_rule(node.child(place), None) for place in range(len(node.value)))
        if not isinstance(node.value, Mapping):
            self._refuse(node, "is neither a mapping nor a list of rules", "Write `name_of_rule: ^pattern`.")
        children = {str(key): node.child(key) for key in node.value}
        for name, child in children.items():
            if name in self._rules:
                self._refuse(child, "is the name of another rule", "Give it a name of its own.")
        alone = {name: self._text(child) for name, child in children.items() if isinstance(child.value, str)}
        rules = []
        for name, child in children.items():
            if name not in alone:
                rules.append(self._custom_rule(child, name))
                continue
            # Each is checked for itself, so that a mistake is told with its own line.
            rule = self._valid(CustomRule, {"name": name, "patterns": [alone[name]]}, child)
            if name == next(iter(alone)):
                rules.append(rule.model_copy(update={"patterns": tuple(alone.values())}))
        return tuple(rules)

    def _custom_rule(self, node: _Node, name: str | None) -> CustomRule:
        parts = self._mapping(node, _CUSTOM_KEYS, "Settings of a custom rule")
        values: dict[str, Any] = {"name": name or (self._text(parts["name"]) if "name" in parts else None)}
        if values["name"] is None:
            self._refuse(node, "has no name", "Add `name: write_side_naming`.")
        if values["name"] in self._rules:
            self._refuse(parts.get("name", node), "is the name of another rule", "Give it a name of its own.")
        for single, several in (
            ("pattern", "patterns"),
            ("kind", "kinds"),
            ("schema", "schemas"),
            ("objects", "objects"),
        ):
            for key in (single, several):
                if key in parts:
                    values[several] = self._texts(parts[key])
        if "patterns" not in values:
            self._refuse(node, "has no pattern", "Add `pattern: ^w_`.")
        if "kinds" in values:
            values["kinds"] = tuple(one if one.endswith("s") else f"{one}s" for one in values["kinds"])
        if "severity" in parts:
            values["severity"] = self._severity(parts["severity"])
        if "message" in parts:
            values["message"] = self._text(parts["message"])
        return self._valid(CustomRule, values, node)

    def _exemptions(self, node: _Node | None) -> tuple[Exemption, ...]:
        """A list of globs, or of mappings with ``object``, ``reason`` and ``until``."""
        if node is None or node.value is None:
            return ()
        if not _is_list(node.value):
            self._refuse(node, "is not a list", "Write one `- schema.table` to a line.")
        found = []
        for place in range(len(node.value)):
            child = node.child(place)
            if isinstance(child.value, Mapping):
                self._mapping(child, Exemption.model_fields, "Settings of an exemption")
                found.append(self._model(Exemption, child))
            else:
                found.append(self._valid(Exemption, {"object": self._text(child)}, child))
        return tuple(found)

    def _plugins(self, node: _Node | None) -> bool | tuple[str, ...]:
        if node is None or node.value is None:
            return True
        return self._texts(node) if _is_list(node.value) else self._switch(node)

    def _mapping(self, node: _Node, known: Iterable[str], plural: str, what: str = "setting") -> dict[str, _Node]:
        """The values of a mapping by key; a key that is not known is refused."""
        if not isinstance(node.value, Mapping):
            self._refuse(node, "is not a mapping", f"{plural}: {', '.join(sorted(known))}.")
        names = sorted(known)
        for key in node.value:
            if key not in names:
                hint = did_you_mean(str(key), names, plural)
                if node.path == (SECTION,) and key in self._rules:
                    hint = "It is a rule: write it under `rules:`."
                line = node.child(key).line
                raise UsageError(f"{self._path}, line {line}: there is no {what} '{key}' in {node.name}.", hint=hint)
        return {str(key): node.child(key) for key in node.value}

    def _severity(self, node: _Node, *, also: Iterable[str] = ()) -> Severity:
        try:
            return Severity(str(node.value).lower())
        except ValueError:
            words = ", ".join((*reversed(Severity), *also))
            self._refuse(node, "is not a severity", f"Use one of: {words}.")

    def _switch(self, node: _Node) -> bool:
        value = _ON.get(str(node.value).lower())
        if value is None:
            self._refuse(node, "is neither true nor false", "Use true or false.")
        return value

    def _text(self, node: _Node) -> str:
        if not isinstance(node.value, str):
            self._refuse(node, "is not a text", "Put it into quotes if it is one.")
        return str(node.value)

    def _texts(self, node: _Node | None) -> tuple[str, ...]:
        if node is None or node.value is None:
            return ()
        if not _is_list(node.value):
            return (self._text(node),)
        return tuple(self._text(node.child(place)) for place in range(len(node.value)))

    def _model(self, model: type[M], node: _Node) -> M:
        return self._valid(model, _plain(node.value), node)

    def _valid(self, model: type[M], values: Any, node: _Node) -> M:
        """A model made of values; the first mistake is told with its line."""
        try:
            return model.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            place = first["loc"]
            wrong = node.below(place)
            name = ".".join(str(part) for part in (*node.path, *place))
            if first["type"] == "extra_forbidden":
                names = _fields(model, place)
                hint = did_you_mean(str(place[-1]), names, "Options")
                raise UsageError(f"{self._path}, line {wrong.line}: there is no option {name}.", hint=hint) from None
            message = first["msg"].removeprefix("Value error, ")
            raise UsageError(f"{self._path}, line {wrong.line}: {name} cannot be used: {message}.") from None

    def _refuse(self, node: _Node, why: str, hint: str) -> NoReturn:
        raise UsageError(f"{self._path}, line {node.line}: {node.name} {why}.", hint=hint)


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _fields(model: type[BaseModel], place: tuple[int | str, ...]) -> Iterable[str]:
    """The fields of the model, or of the model inside it, that a mistake is in."""
    for part in place[:-1]:
        field = model.model_fields.get(str(part))
        if field is None:
            continue
        inner = [one for one in (field.annotation, *getattr(field.annotation, "__args__", ())) if isinstance(one, type)]
        model = next((one for one in inner if issubclass(one, BaseModel)), model)
    return model.model_fields


def _plain(value: Any) -> Any:
    """The value without the file's marks: mappings, lists, texts, numbers, truth values, dates."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if _is_list(value):
        return [_plain(each) for each in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, datetime.datetime):
        return datetime.datetime.fromisoformat(value.isoformat())
    for kind in (int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return value
