"""The edits that a model can do, by their names."""

from typing import TYPE_CHECKING, Any

from retouch.contracts import conditions as conditions_of
from retouch.edits import user_edits
from retouch.edits.beauty import Beauty
from retouch.edits.directions import DIRECTIONS, trait_of
from retouch.edits.edit import STEPS, Direction
from retouch.edits.manner import GAZE
from retouch.edits.moves import TraitMove
from retouch.edits.names import refuse_unknown
from retouch.edits.straight import named
from retouch.errors import SettingsError
from retouch.models import Model
from scorers.latent import LIGHT, LatentTraits

if TYPE_CHECKING:  # what climbs by slopes loads Keras
    from retouch.edits.climb import Ascent, Climber

ATTRACTIVE = "attractive"  # is called beauty, which is for adults


class Registry:
    """Gives edits by name; all that climb share one compiled step."""

    def __init__(self, model: Model):
        self.model = model
        self._climber: Climber | None = None
        self._made: dict[Any, Ascent | Direction | TraitMove] = {}

    def edit(
        self, name: str, keep: tuple[str, ...], steps: int = STEPS
    ) -> "Ascent | Direction | TraitMove":
        """Return the edit of that name.

        Args:
            keep: traits that stay as they are; what light does always stays.
            steps: of a climb.
        """
        if straight := named(self.model, name):
            return straight
        key = name, keep, steps
        if key not in self._made:
            self._made[key] = self._own(*key) or self._shipped(*key)
        return self._made[key]

    def beautify(
        self, keep: tuple[str, ...], steps: int = STEPS
    ) -> "Ascent | Direction | TraitMove | Beauty":
        """Return what makes faces more beautiful: a climb wherever it can be."""
        moves, guide = self.model.moves, self.model.sight
        if moves is None or guide is None:
            return self.edit("beauty", keep, steps)
        return Beauty(moves, guide, keep)

    def _own(
        self, name: str, keep: tuple[str, ...], steps: int
    ) -> "Ascent | Direction | None":
        """Return the user's own edit of that name, or None."""
        if name in DIRECTIONS or name not in user_edits.names(self.model.name):
            return None
        return user_edits.own(self.model, name, self._kept(keep, name), steps)

    def _shipped(
        self, name: str, keep: tuple[str, ...], steps: int
    ) -> "Ascent | Direction | TraitMove":
        guide, trait = self.model.sight, trait_of(name)
        able, moves = self._movable() or {*self._traits.names}, self.model.moves
        refuse_unknown(name, able, user_edits.names(self.model.name))
        if moves is not None and trait in (*moves.names, GAZE):
            return TraitMove(moves, trait)
        traits, kept = self._traits, self._kept(keep, trait)
        conditions = conditions_of(self.model.generator)
        if guide is None or trait not in guide.names or trait in conditions:
            return Direction.of(traits, trait, kept)
        return self._climb(trait, kept, steps)

    def _climb(self, trait: str, kept: tuple[str, ...], steps: int) -> "Ascent":
        """Return the climb to a trait; all have one compiled step."""
        model = self.model.in_keras
        from retouch.edits.climb import Ascent, Climber

        if self._climber is None:
            assert model.traits is not None and model.sight is not None
            self._climber = Climber(model.generator, model.traits, model.sight)
        return Ascent(self._climber, trait, kept, steps)

    def for_adults(self, name: str) -> bool:
        """Say whether an edit is for adults alone: beauty, by whatever name.

        What somebody likes, once it is learnt, may be beauty under another.
        """
        known, trait = DIRECTIONS.get(name), name.rpartition(":")[2]
        if (known is not None and known.adults) or trait == ATTRACTIVE:
            return True
        return name in user_edits.names(self.model.name)

    def shipped(self) -> set[str]:
        """Return the names of the shipped directions that this model can go."""
        return {n for n in DIRECTIONS if trait_of(n) in self._movable()}

    def _movable(self) -> set[str]:
        """Return the traits by which the model's faces can be moved."""
        moves, traits = self.model.moves, self.model.traits
        learnt = (*moves.names, GAZE) if moves else ()
        return {*learnt, *(traits.names if traits else ())}

    def _kept(self, keep: tuple[str, ...], trait: str) -> tuple[str, ...]:
        return tuple(
            n for n in (*keep, *LIGHT) if n != trait and n in self._traits.names
        )

    @property
    def _traits(self) -> LatentTraits:
        if self.model.traits is None:
            raise SettingsError(
                f"The model '{self.model.name}' has no reader of traits yet, so nothing"
                " can guide an edit. Use --model default, or have it taught:"
                f" retouch models teach {self.model.name}."
            )
        return self.model.traits
