"""Finds who else than the ledger writes attempts, events, receipts and postings, by reading the syntax tree: calls that
write, fields that are assigned, and SQL made by hand. A value is followed within its function; between functions it is
known by the types they declare (mypy makes all declare them), and by what this project calls such rows."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

MODELS = frozenset({"MpesaTransaction", "PaymentEvent", "Posting", "Receipt", "Seal"})
CALLED = frozenset(
    {"attempt", "attempts", "event", "events", "payment", "payments", "posting", "postings", "receipts"}
)  # here, and by other rows
WRITES = frozenset(
    f"{wait}{write}"
    for wait in ("", "a")
    for write in (
        "save", "create", "get_or_create", "update_or_create", "update", "delete", "bulk_create", "bulk_update",
        "add", "set", "remove", "clear",
    )
) | {"save_base", "_raw_delete", "_update", "_insert"}  # fmt: skip
OUR_SQL = frozenset({"insert", "update", "insert_new"})
NO_ROWS = frozenset(
    {"values", "values_list", "count", "exists", "aggregate", "aiterator", "dates", "datetimes"}
)
TABLES = r'"?payments_(?:mpesatransaction|paymentevent|posting|receipt|seal)\b'
HAND_MADE = re.compile(
    rf"\b(?:insert\s+into|update(?:\s+only)?|delete\s+from|truncate(?:\s+table)?|merge\s+into|copy|(?:alter|drop)\s+table)"
    rf"\s+{TABLES}",
    re.IGNORECASE,
)
ANY_TABLE = re.compile(TABLES, re.IGNORECASE)

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Scope:
    """What is known while a function is read."""

    ours: set[str] = field(
        default_factory=set
    )  # names that hold attempts or events, or what makes or finds them
    sql: set[str] = field(default_factory=set)  # names of djkraph.sql, and of its functions
    giving: Mapping[str, None] = field(default_factory=dict)  # functions that give such rows, in any file


def functions_giving_rows(modules: Iterable[ast.Module]) -> Mapping[str, None]:
    """Names of functions that declare to return attempts or events."""
    return {
        node.name: None
        for module in modules
        for node in ast.walk(module)
        if isinstance(node, Function) and _names_model(node.returns, set())
    }


def writes(module: ast.Module, giving: Mapping[str, None]) -> list[str]:
    """`line: what is written there`, in order."""
    found = {*_calls(module.body, Scope(giving=giving)), *_sql_texts(module)}
    return [f"{line}: {what}" for line, what in sorted(found)]


def _calls(body: Iterable[ast.AST], scope: Scope) -> Iterator[tuple[int, str]]:
    """Reads as Python runs: what a statement makes known is known in the next ones."""
    for node in body:
        yield from _one(node, scope)


def _one(node: ast.AST, scope: Scope) -> Iterator[tuple[int, str]]:
    if isinstance(node, Function | ast.Lambda):
        inner = Scope(set(scope.ours), set(scope.sql), scope.giving)
        _learn_arguments(node.args, inner)
        yield from _calls(ast.iter_child_nodes(node), inner)
        return
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        for part in node.generators:  # they stand behind what uses them
            _learn(part, scope)
    _learn(node, scope)
    yield from _judge(node, scope)
    yield from _calls(ast.iter_child_nodes(node), scope)


def _learn_arguments(arguments: ast.arguments, scope: Scope) -> None:
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if _names_model(argument.annotation, scope.ours):
            scope.ours.add(argument.arg)
        else:
            scope.ours.discard(argument.arg)


def _learn(node: ast.AST, scope: Scope) -> None:
    match node:
        case ast.ImportFrom():
            _learn_imports(node, scope)
        case ast.AnnAssign(target=ast.Name(id=name)) if _names_model(node.annotation, scope.ours):
            scope.ours.add(name)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _name(target, value, scope)
        case (
            ast.NamedExpr(target=target, value=value)
            | ast.AnnAssign(target=target, value=ast.expr() as value)
            | ast.For(target=target, iter=value)
            | ast.AsyncFor(target=target, iter=value)
            | ast.comprehension(target=target, iter=value)
            | ast.withitem(optional_vars=ast.expr() as target, context_expr=value)
        ):
            _name(target, value, scope)


def _learn_imports(node: ast.ImportFrom, scope: Scope) -> None:
    for alias in node.names:
        name = alias.asname or alias.name
        if alias.name in MODELS:
            scope.ours.add(name)
        if node.module == "djkraph.sql" or (node.module, alias.name) == ("djkraph", "sql"):
            scope.sql.add(name)


def _name(target: ast.expr, value: ast.expr, scope: Scope) -> None:
    if isinstance(target, ast.Tuple | ast.List):
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        together = len(parts) == len(target.elts)
        for at, part in enumerate(target.elts):
            _name(part, parts[at] if together else value, scope)
    elif isinstance(target, ast.Name):
        (scope.ours.add if _is_ours(value, scope) else scope.ours.discard)(target.id)


def _is_ours(node: ast.AST | None, scope: Scope) -> bool:
    """Is this an attempt or an event, many of them, or what makes or finds them?"""
    match node:
        case ast.Name(id=name):
            return name in MODELS | CALLED or name in scope.ours
        case ast.Constant(value=str(text)):  # apps.get_model("payments", "MpesaTransaction")
            return text.rsplit(".", 1)[-1].lower() in {model.lower() for model in MODELS}
        case ast.Attribute(attr=name, value=of):
            manager = name in {"objects", "_default_manager", "_base_manager", "model", "__class__"}
            return name in MODELS | CALLED or (manager and _is_ours(of, scope))
        case ast.Call(func=ast.Attribute(attr="get_model"), args=arguments):
            return any(_is_ours(argument, scope) for argument in arguments)
        case ast.Call(func=ast.Attribute(attr=name, value=of)):
            return name in scope.giving or (name not in NO_ROWS and _is_ours(of, scope))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            finds = name.startswith("get_") or name in {
                "list",
                "tuple",
                "sorted",
                "next",
                "iter",
                "set",
                "type",
            }
            return name in scope.giving or name in scope.ours or name in MODELS or (
                finds and any(_is_ours(argument, scope) for argument in arguments)
            )  # fmt: skip
        case ast.Subscript(value=of, slice=kind):  # rows[0], and the type QuerySet[PaymentEvent]
            return _is_ours(of, scope) or (
                isinstance(kind, ast.Name | ast.Attribute) and _names_model(kind, set())
            )
        case (
            ast.BoolOp()
            | ast.IfExp()
            | ast.Tuple()
            | ast.List()
            | ast.Await()
            | ast.Starred()
            | ast.NamedExpr()
        ):
            return any(_is_ours(part, scope) for part in ast.iter_child_nodes(node))
        case ast.ListComp(elt=part) | ast.SetComp(elt=part) | ast.GeneratorExp(elt=part):
            return _is_ours(part, scope)
    return False


def _names_model(annotation: ast.AST | None, ours: set[str]) -> bool:
    """Does this type speak of attempts or events? A dict of them is not one."""
    match annotation:
        case ast.Constant(value=str(text)):
            return _names_model(ast.parse(text, mode="eval").body, ours)
        case ast.Subscript(value=ast.Name(id="dict" | "Mapping" | "Callable" | "defaultdict")):
            return False
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in MODELS or name in ours
        case None:
            return False
    return any(_names_model(part, ours) for part in ast.iter_child_nodes(annotation))


def _judge(node: ast.AST, scope: Scope) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Call(func=ast.Attribute(attr=name, value=of)) if name in WRITES and _is_ours(of, scope):
            yield node.lineno, f".{name}()"
        case ast.Call(func=ast.Attribute(attr=name, value=ast.Name(id=module)), args=[first, *_]) if (
            module in scope.sql and name in OUR_SQL and _is_ours(first, scope)
        ):
            yield node.lineno, f"sql.{name}()"
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if (
            name == "setattr" or (name in scope.sql and name in OUR_SQL)
        ) and _is_ours(first, scope):
            yield node.lineno, f"{name}()"
        case ast.Call(func=ast.Attribute(attr="execute" | "executemany" | "copy" as name)) if _names_a_table(
            node, scope
        ):
            yield node.lineno, f".{name}() of a table's name"
        case ast.Assign(targets=targets):
            yield from (_assigned(part) for target in targets for part in _fields_of_ours(target, scope))
        case ast.AugAssign(target=target) | ast.AnnAssign(target=target):
            yield from (_assigned(part) for part in _fields_of_ours(target, scope))


def _assigned(target: ast.Attribute) -> tuple[int, str]:
    return target.lineno, f".{target.attr} ="


def _fields_of_ours(target: ast.AST, scope: Scope) -> Iterator[ast.Attribute]:
    for part in ast.walk(target):
        if (
            isinstance(part, ast.Attribute)
            and isinstance(part.ctx, ast.Store)
            and _is_ours(part.value, scope)
        ):
            yield part


def _names_a_table(call: ast.Call, scope: Scope) -> bool:
    """SQL that is put together from `MpesaTransaction._meta.db_table`, or names the table."""
    return any(
        (isinstance(part, ast.Attribute) and part.attr == "_meta" and _is_ours(part.value, scope))
        or (isinstance(part, ast.Constant) and isinstance(part.value, str) and ANY_TABLE.search(part.value))
        for part in ast.walk(call)
    )


def _sql_texts(module: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and HAND_MADE.search(node.value):
            yield node.lineno, "SQL by hand"
