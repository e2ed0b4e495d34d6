"""Recipe of ExHuBERT: its three stages, what of them is run, and for how long."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loading_scripts.errors import near

from ...finetune.transfers import VARIANTS
from ..protocol import ProtocolError, Setting
from ..tasks import Task

STEPS = {"selection": 3_000, "emosetpp": 10_000, "transfer": 10_000}
"""Stage -> optimizer steps: sections 4.1 (3,000) and Fig. 3 (10,000). How long stage 2 took is not said; ours."""

TRANSFERS = (
    "start-plain",
    "emosetpp-plain",
    "start-frozen",
    "emosetpp-frozen",
    "emosetpp-non_frozen",
    "emosetpp-two_copies",
)
"""What is transferred in Table 2: the encoder itself (start), or stage 2's model, and which of `VARIANTS` of it."""

OPTIONS = {
    "source": "corpora that train stages 1 and 2, with commas; default: those of EmoSet++",
    "stages": "1 selection, 2 EmoSet++, 3 transfer; default 1,2,3",
    "transfers": f"of stage 3; default {','.join(TRANSFERS)}",
    "steps": f"optimizer steps of every stage; default {', '.join(map(str, STEPS.values()))}",
    "lr": "learning rate of AdamW, default 1e-5",
    "batch": "utterances of a step, default 8",
}
"""Name -> meaning of what `Setting.extra` can hold."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What of ExHuBERT is run.

    Args:
        source: ids of the corpora that train stages 1 and 2; empty: the members of EmoSet++.
        stages: 1, 2, 3.
        transfers: of `TRANSFERS`.
        steps: optimizer steps of every stage; None: `STEPS`.
        epochs: passes over the training rows, in place of steps.
        rate: learning rate of AdamW (section 4.1).
        batch: utterances of a step; the paper does not say.
    """

    source: tuple[str, ...] = ()
    stages: tuple[int, ...] = (1, 2, 3)
    transfers: tuple[str, ...] = TRANSFERS
    steps: int | None = None
    epochs: int | None = None
    rate: float = 1e-5
    batch: int = 8

    @classmethod
    def of(cls, setting: Setting) -> "Recipe":
        """Return what a setting asks for.

        Raises:
            ProtocolError: an option is unknown, or has a value that it cannot have.
        """
        extra = setting.extra
        for name in extra:
            if name not in OPTIONS:
                raise ProtocolError(
                    f"Protocol exhubert: {name!r} is no option.{near(name, OPTIONS)} Options: "
                    + "; ".join(f"{one} ({told})" for one, told in OPTIONS.items())
                )
        steps = _number("steps", extra["steps"], int) if "steps" in extra else None
        if steps is not None and setting.epochs is not None:
            raise ProtocolError(
                f"Protocol exhubert: steps={steps} and --epochs {setting.epochs} both say how long. Choose one."
            )
        return cls(
            source=_words(extra, "source", None) or (),
            stages=tuple(int(one) for one in _words(extra, "stages", ("1", "2", "3"))),
            transfers=_words(extra, "transfers", TRANSFERS),
            steps=steps,
            epochs=setting.epochs,
            rate=_number("lr", extra.get("lr", "1e-5"), float),
            batch=_number("batch", extra.get("batch", "8"), int),
        )

    @property
    def needs_sources(self) -> bool:
        """Whether anything that is asked for trains on the corpora of stages 1 and 2."""
        return bool({1, 2} & set(self.stages)) or any(one.startswith("emosetpp") for one in self.transfers)

    @property
    def expands(self) -> bool:
        """Whether stage 3 expands a model."""
        return 3 in self.stages and any(VARIANTS[one.partition("-")[2]]["expand"] for one in self.transfers)

    def length(self, stage: str) -> dict[str, int]:
        """Return ``epochs`` or ``steps`` of a stage, a key of `STEPS`."""
        return {"epochs": self.epochs} if self.epochs is not None else {"steps": self.steps or STEPS[stage]}

    def work(self, stage: str, tasks: Sequence[Task]) -> float:
        """Return how many steps a stage takes that trains on some tasks."""
        length = self.length(stage)
        passes = sum(-(-len(task.parts["train"]) // self.batch) for task in tasks)
        return float(length.get("steps") or length["epochs"] * passes)

    def options(self, stage: str, sources: Sequence[Task]) -> dict[str, Any]:
        """Return what changes the numbers of a stage, as it stands in its lines."""
        told = {"sources": [f"{one.corpus.id}:{one.config}" for one in sources]} if sources else {}
        return told | self.length(stage) | {"learning_rate": self.rate, "batch_size": self.batch}


def _words(extra: Mapping[str, str], name: str, known: Sequence[str] | None) -> tuple[str, ...]:
    """Return the words of an option, all of `known` if it is not given; any words where None are known."""
    if name not in extra:
        return tuple(known or ())
    words = tuple(dict.fromkeys(one.strip() for one in extra[name].split(",") if one.strip()))
    strange = [one for one in words if known is not None and one not in known]
    if strange or not words:
        told = ", ".join(known) if known else "ids of corpora"
        raise ProtocolError(
            f"Protocol exhubert: {name} takes {told}, with commas; found {(strange or ['nothing'])[0]!r}."
            f"{near(strange[0], known) if strange and known else ''} Correct it."
        )
    return words


def _number(name: str, word: str, kind: type) -> Any:
    try:
        value = kind(word)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        what = "a whole number" if kind is int else "a number"
        raise ProtocolError(f"Protocol exhubert: {name} is {what} above 0; found {word!r}. Correct it.")
    return value
