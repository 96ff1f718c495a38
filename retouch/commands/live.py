"""The commands on moving pictures, live and video, and mask, which began there."""

import dataclasses
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from retouch.commands import output, terminal
from retouch.commands.options import PhotoPath, assignments, moves_flag, with_options
from retouch.commands.output import Output
from retouch.contracts import OnStep
from retouch.edits import names
from retouch.errors import SettingsError
from retouch.settings import TRUST, Settings
from retouch.video.live_options import EffectOptions, LiveOptions, VideoOptions

if TYPE_CHECKING:
    from retouch.engine.retoucher import Retoucher
    from retouch.faces.detect import Detector
    from retouch.photos.photo import Photo
    from retouch.video.live import Effect, Live

Moves = Annotated[
    list[str] | None, moves_flag("For --effect edit: smile=1.5, age=-0.5.")
]


@with_options(Output, "to")
@with_options(EffectOptions, "chosen", "person")
@with_options(Settings, "settings", "faces", "max_pixels", *TRUST)
def mask(
    photo: PhotoPath, settings: Settings, chosen: EffectOptions, to: Output
) -> None:
    """Lay a synthetic person's face over faces; the expression stays."""
    target = to.target(photo, "mask", settings)
    source = output.get(photo, settings.max_pixels)
    with terminal.progress(to.quiet, to.verbose) as on_step:
        from retouch.video.mask_effect import MaskEffect

        effect = MaskEffect.load(chosen.person)
        result = effect.photo(source, settings, on_step)
    to.write(result, target)


@with_options(LiveOptions, "options")
@with_options(EffectOptions, "chosen")
def live(options: LiveOptions, chosen: EffectOptions, moves: Moves = None) -> None:
    """Show the camera with its faces masked or edited, as it happens.

    Keys: C holds the picture, S saves it, R returns, Q quits.
    """
    from retouch.photos.film import check as check_clip
    from retouch.video.recording import record
    from retouch.video.sources import source_of

    if options.out is not None:
        check_clip(Path(options.out), force=options.force)
    if not options.headless:
        from retouch.video.window import check_screen

        check_screen()
    with source_of(options.video or options.camera) as source:
        camera = not options.headless
        loop = _loop(chosen, moves, mirror=options.mirror, camera=camera)
        if options.headless:
            with terminal.progress() as on_step:
                count = options.frames or getattr(source, "count", None)
                told = partial(_step, on_step, count)
                written = record(source, loop, options, told)
            typer.echo(str(written))
            return
        from retouch.video.window import Window

        Window(loop, options).run(source)


@with_options(VideoOptions, "options")
@with_options(EffectOptions, "chosen")
def video(
    source: Annotated[str, typer.Argument(metavar="IN", help="A video.")],
    target: Annotated[str, typer.Argument(metavar="OUT", help="Where it goes.")],
    options: VideoOptions,
    chosen: EffectOptions,
    moves: Moves = None,
) -> None:
    """Mask or edit the faces of a video; sound, rate and length stay.

    Stopped by Control-C, the output plays as far as it goes, and the same command goes
    on from there.
    """
    from retouch.video.video import check, rework

    check(Path(source), Path(target), force=options.force)
    loop = _loop(chosen, moves, mirror=False)
    told = {**dataclasses.asdict(chosen), "moves": moves}
    notes = _notes(chosen, moves) if options.provenance else {}
    with terminal.progress(options.quiet) as on_step:
        done = rework(
            Path(source),
            Path(target),
            loop,
            told,
            notes=notes,
            on_frame=lambda n, of: _step(on_step, of, n),
        )
    if not options.quiet:
        earlier = f", {done.resumed} of an earlier run" if done.resumed else ""
        frames = "1 frame" if done.frames == 1 else f"{done.frames} frames"
        people = "1 person" if done.people == 1 else f"{done.people} people"
        typer.echo(f"{target}: {frames}{earlier}, {people}")
    if not done.whole:
        typer.echo(terminal.STOPPED, err=True)
        raise KeyboardInterrupt


def _step(on_step: OnStep, count: int | None, done: int) -> None:
    """Tell how many frames of a clip are done."""
    on_step(f"frame {done}", min(1.0, done / count) if count else 0.0)


def _loop(
    chosen: EffectOptions,
    moves: list[str] | None,
    *,
    mirror: bool,
    camera: bool = False,
) -> "Live":
    """Return what works on frames.

    Args:
        camera: somebody waits for every frame.
    """
    from retouch.faces.detect import Detector
    from retouch.video.live import Live
    from retouch.video.track import EVERY, OFTEN, Tracker, describe

    detector = Detector()
    effect = _effect(chosen, moves or [], detector, camera)
    every = EVERY if camera else OFTEN
    tracker = Tracker(
        detector, every=every, smallest=chosen.smallest, describe=describe
    )
    return Live(tracker, effect, mirror=mirror)


def _effect(
    chosen: EffectOptions, moves: list[str], detector: "Detector", camera: bool
) -> "Effect":
    wanted = assignments(moves)
    if wanted and chosen.effect != "edit":
        raise SettingsError(f"--set goes with --effect edit; got {chosen.effect}.")
    names.check("default", wanted)
    if chosen.effect == "mask":
        from retouch.video.mask_effect import MaskEffect

        return MaskEffect.load(chosen.person)
    from retouch.engine.retoucher import Retoucher
    from retouch.models import Model
    from retouch.video.edit_effect import EditEffect
    from retouch.video.live_edit import LiveEdit

    if chosen.effect == "edit" and not wanted:
        raise SettingsError("--effect edit needs --set, such as --set smile=1.")
    photo = output.get(chosen.expression) if chosen.expression else None
    retoucher = Retoucher(Model.load(), detector)
    settings = Settings(strength=chosen.strength, steps=0)
    if photo is not None:
        return _transfer(retoucher, photo, chosen, settings)
    kind = LiveEdit if camera else EditEffect
    if chosen.effect == "beautify":
        return kind(retoucher, retoucher.beautifying(settings), settings)
    return kind(retoucher, retoucher.editing(wanted, settings), settings)


def _transfer(
    retoucher: "Retoucher", photo: "Photo", chosen: EffectOptions, settings: Settings
) -> "Effect":
    from retouch.expressions.transfer import Transfers
    from retouch.expressions.transfer_options import Transferring
    from retouch.video.transfer_effect import TransferEffect

    engine, wish = Transfers(retoucher), Transferring(alpha=chosen.alpha)
    source = engine.cut(photo, f"'{chosen.expression}'", settings)
    return TransferEffect(engine, source, wish, settings)


def _notes(chosen: EffectOptions, moves: list[str] | None) -> dict[str, str]:
    from retouch.photos.photo import Provenance

    edit = " ".join([chosen.effect, *(moves or [])])
    model = "mask" if chosen.effect == "mask" else "default"
    much = chosen.alpha if chosen.effect == "transfer" else chosen.strength
    return {"comment": Provenance(model, edit, much).note}
