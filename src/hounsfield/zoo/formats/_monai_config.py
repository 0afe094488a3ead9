"""The part of MONAI's configuration language that describes a network and its input, read without running anything.

References (`@id`, `@id#key`, `@id::key`), macros (`%id`) and `$` expressions are followed. An expression is parsed by Python's
`ast` and worked out here, node by node: numbers, texts, lists, arithmetic, comparisons, conditions, items of what the file
itself holds, and a few functions of plain values. Everything else in an expression (imports, attributes, calls) is an error
that names it, when what it belongs to is needed. Source: MONAI Bundle Configuration (config_syntax); MONAI 1.6,
`ReferenceResolver`.
"""

from __future__ import annotations

import ast
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hounsfield.core.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_REFERENCE = re.compile(r"@([A-Za-z_]\w*(?:(?:#|::)\w+)*)")
_WHOLE = re.compile(r"^[@%]([A-Za-z_]\w*(?:(?:#|::)\w+)*)$")
_LONGEST, _MOST_NODES, _DEEPEST = 2000, 400, 40
_LARGEST = 1e12
_MOST_ITEMS = 10_000
_MOST_FOLLOWED = 100_000
_OPERATORS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": int,
    "float": float,
    "bool": bool,
    "str": str,
    "len": len,
    "list": list,
    "tuple": tuple,
    "min": min,
    "max": max,
    "sum": sum,
    "abs": abs,
    "round": round,
}


class MonaiConfig:
    """A configuration's content with its references followed on demand. name: of the file, for messages."""

    def __init__(self, content: Mapping[str, Any], name: str) -> None:
        self.content = content
        self.name = name
        self._n_followed = 0

    def __contains__(self, key: str) -> bool:
        """Whether the file has that entry at its top."""
        return key in self.content

    def value(self, path: str) -> Any:
        """What stands at `id` or `id::key::0`, references followed; of a component the description, unresolved."""
        return self.resolved(self._raw(path), f"@{path}")

    def resolved(self, raw: Any, where: str, depth: int = 0) -> Any:
        """`raw` with what it refers to in place; components (with `_target_`) stay as they are. where: for messages."""
        self._n_followed += 1
        if self._n_followed > _MOST_FOLLOWED:
            raise ModelError(
                f"{self.name} refers to itself so often that following it was given up, at {where}"
            )
        if depth > _DEEPEST:
            raise ModelError(f"{self.name}: {where} refers to itself, or too deep")
        if isinstance(raw, str):
            return self._text(raw, where, depth)
        if isinstance(raw, list):
            return [self.resolved(item, where, depth + 1) for item in raw]
        if isinstance(raw, dict) and "_target_" not in raw:
            return {key: self.resolved(item, f"{where}::{key}", depth + 1) for key, item in raw.items()}
        return raw

    def _text(self, raw: str, where: str, depth: int) -> Any:
        whole = _WHOLE.match(raw)
        if whole:
            return self.resolved(self._raw(whole[1]), where, depth + 1)
        if raw.startswith("$"):
            return self._expression(raw[1:], where, depth)
        if raw.startswith(("@", "%")):
            raise ModelError(
                f"{self.name}: {where} is {raw!r}, a reference to another file or of a kind not followed"
            )
        return raw

    def _raw(self, path: str) -> Any:
        node: Any = self.content
        for part in re.split(r"#|::", path):
            if isinstance(node, str) and node[:1] in {"@", "%", "$"}:
                node = self.resolved(node, f"@{path}")
            if isinstance(node, dict) and part in node:
                node = node[part]
            elif isinstance(node, list) and part.isdecimal() and int(part) < len(node):
                node = node[int(part)]
            else:
                raise ModelError(f"{self.name} has no entry {path!r}, which it refers to itself")
        return node

    def _expression(self, text: str, where: str, depth: int) -> Any:
        if len(text) > _LONGEST:
            raise ModelError(f"{self.name}: the expression at {where} has more than {_LONGEST} letters")
        paths: list[str] = []

        def note(found: re.Match[str]) -> str:
            paths.append(found[1])
            return f"_reference_{len(paths) - 1}"

        try:
            tree = ast.parse(_REFERENCE.sub(note, text).strip(), mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ModelError(
                f"{self.name}: the expression {text!r} at {where} is no Python expression"
            ) from error
        if sum(1 for _ in ast.walk(tree)) > _MOST_NODES:
            raise ModelError(f"{self.name}: the expression at {where} is too long to be followed")
        names = {f"_reference_{i}": path for i, path in enumerate(paths)}

        def look_up(name: str) -> Any:
            if name not in names:
                raise _Unknown(f"the name {name}")
            return self.resolved(self._raw(names[name]), where, depth + 1)

        try:
            return _Evaluator(look_up).value(tree.body)
        except _Unknown as error:
            raise ModelError(
                f"{self.name}: the expression {text!r} at {where} needs {error}, which is code and is not run. Replace it "
                "by its value in a copy of the file."
            ) from None
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise ModelError(
                f"{self.name}: the expression {text!r} at {where} has no value ({error})"
            ) from error


class _Unknown(Exception):
    """Something in an expression that is not worked out here."""


@dataclass(frozen=True, slots=True)
class _Evaluator:
    """Works out a parsed expression. look_up: the value of a name."""

    look_up: Callable[[str], Any]

    def value(self, node: ast.AST) -> Any:
        """Raises _Unknown for whatever is not plain."""
        way = _WAYS.get(type(node))
        if way is None:
            raise _unknown(node)
        return way(self, node)

    def constant(self, node: Any) -> Any:
        """A number, text, truth value or None."""
        if not isinstance(node.value, (int, float, str, type(None))):
            raise _unknown(node)
        return node.value

    def name(self, node: Any) -> Any:
        """What a reference stands for."""
        return self.look_up(node.id)

    def items(self, node: Any) -> Any:
        """A list or tuple."""
        found = [self.value(item) for item in node.elts]
        return found if isinstance(node, ast.List) else tuple(found)

    def unary(self, node: Any) -> Any:
        """Minus and not."""
        if isinstance(node.op, ast.USub):
            return -self.value(node.operand)
        if isinstance(node.op, ast.Not):
            return not self.value(node.operand)
        raise _unknown(node)

    def binary(self, node: Any) -> Any:
        """Arithmetic, and lists or texts joined."""
        if type(node.op) not in _OPERATORS:
            raise _unknown(node)
        return _bounded(_OPERATORS[type(node.op)], self.value(node.left), self.value(node.right))

    def compared(self, node: Any) -> Any:
        """One comparison."""
        if len(node.ops) != 1 or type(node.ops[0]) not in _OPERATORS:
            raise _unknown(node)
        return _OPERATORS[type(node.ops[0])](self.value(node.left), self.value(node.comparators[0]))

    def joined(self, node: Any) -> Any:
        """And, or: the first that decides."""
        every = isinstance(node.op, ast.And)
        found: Any = every
        for value in node.values:
            found = self.value(value)
            if bool(found) != every:
                break
        return found

    def chosen(self, node: Any) -> Any:
        """One of two by a condition."""
        return self.value(node.body if self.value(node.test) else node.orelse)

    def item(self, node: Any) -> Any:
        """An item by its number or key."""
        if isinstance(node.slice, ast.Slice):
            raise _unknown(node)
        return self.value(node.value)[self.value(node.slice)]

    def call(self, node: Any) -> Any:
        """One of a few functions of plain values."""
        if not isinstance(node.func, ast.Name) or node.keywords or node.func.id not in _FUNCTIONS:
            raise _unknown(node)
        return _FUNCTIONS[node.func.id](*(self.value(argument) for argument in node.args))


_WAYS: dict[type[ast.AST], Callable[[_Evaluator, Any], Any]] = {
    ast.Constant: _Evaluator.constant,
    ast.Name: _Evaluator.name,
    ast.List: _Evaluator.items,
    ast.Tuple: _Evaluator.items,
    ast.UnaryOp: _Evaluator.unary,
    ast.BinOp: _Evaluator.binary,
    ast.Compare: _Evaluator.compared,
    ast.BoolOp: _Evaluator.joined,
    ast.IfExp: _Evaluator.chosen,
    ast.Subscript: _Evaluator.item,
    ast.Call: _Evaluator.call,
}


def _unknown(node: ast.AST) -> _Unknown:
    return _Unknown(f"`{ast.unparse(node)[:60]}`")


def _bounded(function: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """A sum or product that does not grow beyond what a description may hold."""
    for one, other in ((left, right), (right, left)):
        if function is not operator.mul or not isinstance(one, (str, list, tuple)):
            continue
        if not isinstance(other, int) or len(one) * other > _MOST_ITEMS:
            raise ValueError("a list or text would become too long")
    found = function(left, right)
    if isinstance(found, (int, float)) and abs(found) > _LARGEST:
        raise ValueError("a number becomes too large")
    if isinstance(found, (str, list, tuple)) and len(found) > _MOST_ITEMS:
        raise ValueError("a list or text becomes too long")
    return found
