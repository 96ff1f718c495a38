"""Flags of the command line, made of the fields of dataclasses."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import typer

from retouch.commands import completion
from retouch.errors import SettingsError


def moves_flag(meaning: str) -> Any:
    """Return the flag --set, which names directions and how far to go."""
    return typer.Option("--set", help=meaning, autocompletion=completion.moves)


Moves = Annotated[
    list[str] | None, moves_flag("A direction and how far: smile=1.5, age=-0.5.")
]

PhotoPath = Annotated[str, typer.Argument(help="A photo, or - for standard input.")]
Command = Callable[..., Any]


def with_options(kind: type, name: str, *chosen: str) -> Callable[[Command], Command]:
    """Give a command a flag for each field of a dataclass, or for those chosen.

    The command's own parameter of that name then receives them together.
    """

    def decorate(command: Command) -> Command:
        every = dataclasses.fields(kind)
        entries = [entry for entry in every if not chosen or entry.name in chosen]
        own = inspect.signature(command).parameters.values()

        @functools.wraps(command)
        def run(**values: Any) -> None:
            options = {entry.name: values.pop(entry.name) for entry in entries}
            command(**{name: kind(**options)}, **values)

        kept = [parameter for parameter in own if parameter.name != name]
        flags = [_flag(entry) for entry in entries]
        run.__signature__ = inspect.Signature([*kept, *flags])  # type: ignore[attr-defined]
        return run

    return decorate


def _flag(entry: dataclasses.Field[Any]) -> inspect.Parameter:
    limits = entry.metadata
    going = _completion(entry)
    flags = limits.get("flags", ())
    told = typer.Option(*flags, help=_meaning(limits), autocompletion=going)
    return inspect.Parameter(
        entry.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=entry.default,
        annotation=Annotated[entry.type, told],
    )


def _completion(entry: dataclasses.Field[Any]) -> Callable[[str], list[str]] | None:
    """Return what tells the shell how a value may go on, if that is known."""
    if known := entry.metadata.get("choices"):
        return completion.one_of(known)
    if parts := entry.metadata.get("parts"):
        return completion.some_of(parts)
    return completion.models if entry.name == "model" else None


def _meaning(limits: Mapping[str, Any]) -> str:
    text = limits["help"]
    if "low" in limits:
        text += f" ({limits['low']:,.13g} to {limits['high']:,.13g})"
    known = limits.get("choices") or limits.get("parts")
    return f"{text} ({', '.join(known)})" if known else text


def assignments(texts: Iterable[str], flag: str = "--set") -> dict[str, float]:
    """Return the numbers of several NAME=NUMBER, each name's once."""
    numbers: dict[str, float] = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.partition("="))
        if name in numbers:
            told = f"{name} is given twice, as {numbers[name]:g} and as {value}."
            raise typer.BadParameter(told, param_hint=flag)
        try:
            numbers[name] = float(value)
        except ValueError:
            raise SettingsError(
                f"{flag} takes NAME=NUMBER such as smile=1.5; got '{text}'."
            ) from None
    return numbers
