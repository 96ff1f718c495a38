"""Pickles of numbers and names, interpreted without running anything from them.

The opcodes are split by `pickletools`, which executes nothing; what they mean is
said here, for the few that plain data needs. Names of classes and functions are
looked up in a closed list and stand for functions of ours that build plain data.
"""

import pickletools
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from retouch.errors import WeightsError

STEPS = 400_000  # opcodes in one file; the largest published network has a tenth
LETTERS = 100  # of a string count as one value
DEPTH = 100  # containers within containers
DIGITS = 128  # bits of an integer
ARGUMENTS = 16  # of one call

Builder = Callable[..., Any]
Names = Mapping[str, Builder | None]  # None: may be mentioned but not called


@dataclass(frozen=True)
class Name:
    """An admitted class or function, as a pickle mentions it."""

    name: str
    build: Builder | None


class Budget:
    """How many opcodes the reading of one file may still take, and values of calls."""

    def __init__(self, steps: int = STEPS):
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        self.left -= steps
        if self.left < 0:
            raise WeightsError(
                f"its pickle has more than {STEPS:,} instructions and values."
            )

    def spend_on(self, value: Any) -> None:
        """Count all that a value holds, what it holds several times as often.

        Fifty instructions nest pairs that hash() and str() would walk for years.
        """
        waiting = [value]
        while waiting:
            within = _within(waiting.pop())
            self.spend(sum(map(_size, within)))
            waiting += within


def interpret(stream, names: Names, budget: Budget, persistent=None) -> Any:
    """Return what the pickle at the stream's place builds; see `plain`.

    Args:
        names: the admitted names, each with what builds its value.
        persistent: turns a persistent id into a value; none are allowed without.
    """
    machine = _Machine(names, budget, persistent)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about escapes in the strings of old pickles
        for opcode, argument, _ in pickletools.genops(stream):
            budget.spend()
            if opcode.name == "STOP":
                break
            machine.step(opcode.name, argument)
    return machine.pop()


def plain(value: Any) -> Any:
    """Return what was built as dicts, lists, tuples, strings, numbers and arrays."""
    result = _Finisher().finish(value, 0)
    if _expanded(result, {}) > STEPS:
        raise WeightsError(f"its pickle holds more than {STEPS:,} values.")
    return result


# --- the machine --------------------------------------------------------------

NUMBERS = {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4"}
NUMBERS |= {"FLOAT", "BINFLOAT"}
WORDS = {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE"}
WORDS |= {"BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"}
PUSHED = NUMBERS | WORDS
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
REFUSED = {
    "EXT1": "an extension code",
    "EXT2": "an extension code",
    "EXT4": "an extension code",
    "OBJ": "an object made by a call",
    "NEWOBJ_EX": "an object made by a call",
    "BYTEARRAY8": "a buffer that can be written to",
    "NEXT_BUFFER": "a buffer outside the file",
    "READONLY_BUFFER": "a buffer outside the file",
}


class _Machine:
    """The stack and the memo, with one method for each opcode that does something."""

    def __init__(self, names: Names, budget: Budget, persistent: Callable | None):
        self.names, self.budget, self.persistent = names, budget, persistent
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        if name in PUSHED:
            self.stack.append(_checked(argument))
        elif name in CONSTANTS:
            self.stack.append(CONSTANTS[name])
        elif name in REFUSED:
            raise WeightsError(f"its pickle holds {REFUSED[name]}.")
        else:
            act = ACTIONS[name]
            act(self) if argument is None else act(self, argument)

    def pop(self) -> Any:
        if not self.stack:
            raise WeightsError("its pickle is damaged: it takes what is not there.")
        return self.stack.pop()

    def top(self, kind: type) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise WeightsError(f"its pickle is damaged: it lacks a {kind.__name__}.")
        return self.stack[-1]

    def since_mark(self) -> list[Any]:
        if not self.marked:
            raise WeightsError("its pickle is damaged: it lacks a mark.")
        items, self.stack = self.stack, self.marked.pop()
        return items

    def mark(self) -> None:
        self.marked.append(self.stack)
        self.stack = []

    def drop(self) -> None:
        self.pop() if self.stack else self.since_mark()

    def drop_since_mark(self) -> None:
        self.since_mark()

    def double(self) -> None:
        self.stack.append(self.top(object))

    def new_list(self) -> None:
        self.stack.append([])

    def new_dict(self) -> None:
        self.stack.append({})

    def list_since_mark(self) -> None:
        items = self.since_mark()
        self.stack.append(items)

    def dict_since_mark(self) -> None:
        items = self.since_mark()
        self.stack.append(_updated({}, items))

    def tuple_since_mark(self) -> None:
        items = self.since_mark()
        self.stack.append(tuple(items))

    def tuple_of(self, count: int) -> None:
        items = [self.pop() for _ in range(count)]
        self.stack.append(tuple(reversed(items)))

    def append(self) -> None:
        item = self.pop()
        self.top(list).append(item)

    def extend(self) -> None:
        items = self.since_mark()
        self.top(list).extend(items)

    def set_item(self) -> None:
        value, key = self.pop(), self.pop()
        _updated(self.top(dict), [key, value])

    def set_items(self) -> None:
        items = self.since_mark()
        _updated(self.top(dict), items)

    def put(self, index: int) -> None:
        self.memo[index] = self.top(object)

    def memoize(self) -> None:
        self.memo[len(self.memo)] = self.top(object)

    def get(self, index: int) -> None:
        if index not in self.memo:
            raise WeightsError("its pickle is damaged: it recalls what was never kept.")
        self.stack.append(self.memo[index])

    def mention(self, words: str) -> None:
        name = words.replace(" ", ".", 1)
        if name not in self.names:
            refuse(name)
        self.stack.append(Name(name, self.names[name]))

    def mention_from_stack(self) -> None:
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise WeightsError("its pickle is damaged: a name is no string.")
        self.mention(f"{module} {name}")

    def instance(self, words: str) -> None:
        refuse(words.replace(" ", ".", 1))

    def call(self) -> None:
        arguments, name = self.pop(), self.pop()
        called = isinstance(name, Name) and isinstance(arguments, tuple)
        if not called or len(arguments) > ARGUMENTS:
            raise WeightsError("its pickle is damaged: it calls what is no function.")
        if name.build is None:
            refuse(name.name)
        self.budget.spend_on(arguments)
        self.stack.append(name.build(*arguments))

    def set_state(self) -> None:
        state, value = self.pop(), self.top(object)
        if hasattr(value, "set_state"):
            self.budget.spend_on(state)
            value.set_state(state)
        elif not isinstance(value, dict) or not isinstance(state, dict):
            raise WeightsError("its pickle is damaged: it fills what has no state.")
        # A dict's attributes are no data of ours.

    def persist(self, identity: Any) -> None:
        if self.persistent is None:
            raise WeightsError("its pickle refers to objects outside of itself.")
        self.budget.spend_on(identity)
        self.stack.append(self.persistent(identity))

    def persist_from_stack(self) -> None:
        self.persist(self.pop())

    def ignore(self, _: Any = None) -> None:
        pass


ACTIONS: dict[str, Callable[..., None]] = {
    "PROTO": _Machine.ignore,
    "FRAME": _Machine.ignore,
    "MARK": _Machine.mark,
    "POP": _Machine.drop,
    "POP_MARK": _Machine.drop_since_mark,
    "DUP": _Machine.double,
    "EMPTY_LIST": _Machine.new_list,
    "EMPTY_SET": _Machine.new_list,
    "EMPTY_DICT": _Machine.new_dict,
    "LIST": _Machine.list_since_mark,
    "DICT": _Machine.dict_since_mark,
    "TUPLE": _Machine.tuple_since_mark,
    "FROZENSET": _Machine.tuple_since_mark,
    "TUPLE1": lambda machine: machine.tuple_of(1),
    "TUPLE2": lambda machine: machine.tuple_of(2),
    "TUPLE3": lambda machine: machine.tuple_of(3),
    "APPEND": _Machine.append,
    "APPENDS": _Machine.extend,
    "ADDITEMS": _Machine.extend,
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "PUT": _Machine.put,
    "BINPUT": _Machine.put,
    "LONG_BINPUT": _Machine.put,
    "MEMOIZE": _Machine.memoize,
    "GET": _Machine.get,
    "BINGET": _Machine.get,
    "LONG_BINGET": _Machine.get,
    "GLOBAL": _Machine.mention,
    "STACK_GLOBAL": _Machine.mention_from_stack,
    "INST": _Machine.instance,
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.call,
    "BUILD": _Machine.set_state,
    "PERSID": _Machine.persist,
    "BINPERSID": _Machine.persist_from_stack,
}


def refuse(name: str) -> NoReturn:
    """Raise the error that names what a pickle may not mention."""
    raise WeightsError(
        f"its pickle names {name[:200]!r}, which plain weights have no need of;"
        " it was not looked up and nothing was run."
    )


def _checked(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() > DIGITS:
        raise WeightsError(f"its pickle holds an integer of more than {DIGITS} bits.")
    return value


def _updated(target: dict, items: list[Any]) -> dict:
    if len(items) % 2 or not all(map(_is_key, items[::2])):
        raise WeightsError("its pickle is damaged: a dict's key is no word or number.")
    target.update(zip(items[::2], items[1::2], strict=True))
    return target


def _is_key(key: Any) -> bool:
    # Larger integers can be chosen so that all have one hash.
    return isinstance(key, str) or (isinstance(key, int) and abs(key) < 2**60)


# --- plain data ---------------------------------------------------------------


def _within(value: Any) -> list[Any]:
    """Return what a container holds, a dict's keys too."""
    if isinstance(value, dict):
        return [*value, *value.values()]
    return list(value) if isinstance(value, list | tuple) else []


def _size(value: Any) -> int:
    return 1 + len(value) // LETTERS if isinstance(value, str) else 1


def _expanded(value: Any, known: dict[int, int]) -> int:
    """Return the size that plain data would have if nothing in it were shared."""
    if not isinstance(value, dict | list | tuple):
        return _size(value)
    if id(value) not in known:
        parts = (_expanded(item, known) for item in _within(value))
        known[id(value)] = 1 + sum(parts)
    return known[id(value)]


class _Finisher:
    """Turns each object once; an object within itself is refused."""

    def __init__(self):
        self.done: dict[int, tuple[Any, Any]] = {}  # keeps the object, so its id too
        self.open: set[int] = set()

    def finish(self, value: Any, depth: int) -> Any:
        if value is None or isinstance(value, str | bytes | int | float | np.ndarray):
            return value
        key = id(value)
        if key not in self.done:
            if key in self.open or depth > DEPTH:
                raise WeightsError("its pickle is nested without end.")
            self.open.add(key)
            self.done[key] = value, self._within(value, depth + 1)
            self.open.remove(key)
        return self.done[key][1]

    def _within(self, value: Any, depth: int) -> Any:
        if isinstance(value, dict):
            return {key: self.finish(item, depth) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.finish(item, depth) for item in value)
        if hasattr(value, "finish"):
            return self.finish(value.finish(), depth)
        raise WeightsError("its pickle holds something that is no plain data.")
