"""Estimate: what a study will cost, before it starts.

Every number is counted (cells, lines, audio), computed (disk) or follows from what was measured now, on this machine.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from loading_scripts.obtain import cache_folder
from model_cards.table import Table

from .cache.header import FeaturesError, encoder_folder, read
from .cache.shards import Shard
from .corpora import CorpusRows
from .machine import Machine
from .measuring import EPOCHS, SERAB, UTTERANCES, Heads, Speed, encoded
from .plan import EVERY, Plan, Planned, Refusal, of_every, of_protocol, refused
from .protocol import Setting
from .results.line import Results
from .study import Study, check, planned_studies

_HEADER = ("", "cells", "finished", "lines", "audio", "cached", "disk", "time")


@dataclass(frozen=True)
class Encoding:
    """What is encoded of a corpus.

    Args:
        seconds: of its audio, as often as it is encoded.
        cached: seconds that are in the cache.
        vectors: what all of it gives: frames, layers, or one for each utterance.
    """

    seconds: float
    cached: float
    vectors: float

    @property
    def left(self) -> float:
        """Share that is not in the cache."""
        return 1 - self.cached / self.seconds if self.seconds else 1.0


def estimates(
    name: str,
    encoders: Sequence[str],
    corpora: Sequence[CorpusRows],
    results: Results,
    setting: Setting,
    machine: Machine,
    again: bool = False,
    fine_tune: bool = False,
) -> Iterator[str]:
    """Yield, for each encoder, what a study will cost, and then what of it would not be run, for a terminal.

    Args:
        name: of the protocol, or `plan.EVERY`.
        encoders: as in `study.run`.
        corpora: as in `study.run`.
        results: as in `study.run`.
        setting: as in `study.run`.
        machine: as in `study.run`.
        again: as in `study.run`.
        fine_tune: as in `study.run_all`.
    """
    check(name, encoders, setting)
    make = partial(of_every, corpora, fine_tune=fine_tune) if name == EVERY else partial(of_protocol, name, corpora)
    for study, plan in planned_studies(make, encoders, results, setting, machine):
        refusals = list(plan.refusals)
        yield estimate(study, plan, again, refusals if name == EVERY else None).text()
        if refusals:
            yield refused(refusals)


def estimate(study: Study, plan: Plan, again: bool = False, failures: list[Refusal] | None = None) -> Table:
    """Return what running a plan will cost; encodes some audio and trains some heads to find out.

    Args:
        study: its encoder, on this machine.
        plan: the plan.
        again: whether finished cells are run again.
        failures: see `Study.unfinished`.

    Raises:
        ResultsError: a finished cell was made of something else, so that the study would not start.
        CorpusError: there is no audio to measure with.
    """
    left = study.unfinished(plan.cells, again, failures)
    heads = [one for one in left if not one.cell.tunes]
    corpora = list({corpus.id: corpus for one in heads for corpus in one.cell.corpora}.values())
    encodings = {corpus.id: _encoding(study, corpus, heads) for corpus in corpora}
    missing = [corpus for corpus in corpora if encodings[corpus.id].left > 0] or corpora
    measured = encoded(study, missing) if missing else None
    timer = Heads(measured.features, heads[0].setting) if measured else None
    disk = {name: one.left * one.vectors * _bytes_of_vector(study) for name, one in encodings.items()}
    times = {name: one.left * one.seconds / measured.factor for name, one in encodings.items() if measured}
    rows = [
        [
            f"encode {name}",
            "-",
            "-",
            "-",
            _hours(one.seconds),
            _hours(one.cached),
            _size(disk[name]),
            _clock(times[name]),
        ]
        for name, one in encodings.items()
    ]
    for name in dict.fromkeys(one.protocol for one in plan.cells):
        mine = [one for one in left if one.protocol == name]
        if timer and not any(one.cell.tunes for one in mine):
            times[name] = sum(timer.seconds(one, _vectors(study, one.cell.corpora[0])) for one in mine)
        told = _clock(times[name]) if name in times else "-"
        rows.append([name, *_counted([one for one in plan.cells if one.protocol == name], mine), "-", "-", "-", told])
    audio, cached = (sum(getattr(one, what) for one in encodings.values()) for what in ("seconds", "cached"))
    total = [_hours(audio), _hours(cached), _size(sum(disk.values())), _clock(sum(times.values()))]
    return Table(
        title=f"Estimate: {study.encoder.name} on {study.machine.device}",
        header=_HEADER,
        rows=[*rows, ["together", *_counted(plan.cells, left), *total]],
        notes=_notes(study, measured, timer, left, corpora, sum(disk.values())),
    )


def _counted(cells: Sequence[Planned], left: Sequence[Planned]) -> list[str]:
    """Return how many cells there are, how many are finished, and how many lines the others give."""
    return [str(len(cells)), str(len(cells) - len(left)), str(sum(len(one.cell.lines) for one in left))]


def _encoding(study: Study, corpus: CorpusRows, cells: Sequence[Planned]) -> Encoding:
    """Return what is encoded of a corpus: all of it once, unless statistics of a training part go into it."""
    seconds, times = _seconds(corpus), 1
    if study.encoder.fits:
        using = [one.cell for one in cells if corpus in one.cell.corpora]
        times = sum(len({line[1] for line in one.lines}) if len(one.corpora) == 1 else 1 for one in using)
    cached = 0.0 if study.encoder.fits else _cached(study, corpus)
    return Encoding(times * seconds, cached, times * _vectors(study, corpus) * _depth(study))


def _cached(study: Study, corpus: CorpusRows) -> float:
    """Return the seconds of a corpus whose features are in the cache; its audio is not compared, to decode nothing."""
    encoder, best = study.encoder.encoder, 0.0
    for folder in encoder_folder(corpus.id, encoder.name).glob("*"):
        try:
            header = read(folder)
        except FeaturesError:
            continue
        if header.layers == study.layers and not header.compare(encoder.identity, None):
            whole = [ids for number, ids in enumerate(header.shards) if Shard(folder, number).index.exists()]
            known = (corpus.facts.get(one, {}) for ids in whole for one in ids)
            best = max(best, sum(facts.get("duration") or 0.0 for facts in known))
    return best


def _seconds(corpus: CorpusRows) -> float:
    return float(sum(facts["duration"] or 0.0 for facts in corpus.facts.values()))


def _vectors(study: Study, corpus: CorpusRows) -> float:
    """Return how many vectors heads see of a corpus: frames, or one for each utterance."""
    rate = study.encoder.encoder.frame_rate
    return _seconds(corpus) * rate if rate and study.layers == "last" else float(len(corpus.ids))


def _depth(study: Study) -> int:
    return study.encoder.encoder.depth if study.layers == "all" else 1


def _bytes_of_vector(study: Study) -> int:
    """Return the size of a vector: float16 for frames, else float32, as `extract` stores them."""
    encoder = study.encoder.encoder
    return encoder.width * (2 if study.layers == "last" and encoder.frame_rate else 4)


def _notes(
    study: Study,
    measured: Speed | None,
    timer: Heads | None,
    left: Sequence[Planned],
    corpora: Sequence[CorpusRows],
    disk: float,
) -> list[str]:
    told = []
    if measured:
        told.append(
            f"Measured now, on this machine: {measured.audio:.0f} s of this audio encoded by one process, threads: "
            f"{measured.threads}, {measured.factor:.1f} x real time; heads on its features, {EPOCHS} epochs of "
            f"{UTTERANCES} utterances. Times are those of one process, and taken to grow with the audio."
        )
    silent = sum(not facts["duration"] for corpus in corpora for facts in corpus.facts.values())
    if silent:
        told.append(f"Utterances of unknown duration: {silent}; they count as 0 s.")
    if timer and timer.guessed:
        told.append(
            f"SERAB's classifiers were measured with {SERAB[0]} and {SERAB[1]} utterances and labels drawn at random, "
            "and a straight line goes on from there: labels that are easier to tell take less, large corpora more."
        )
    if timer and timer.unknown:
        told.append(f"Not measured, and not in the sum: heads {', '.join(sorted(timer.unknown))}.")
    tuning = dict.fromkeys(one.protocol for one in left if one.cell.tunes)
    if tuning:
        told.append(f"Not measured, and not in the sum: {', '.join(tuning)}, which fine-tunes; that takes hours.")
    if study.encoder.fits:
        told.append("This encoder has features of its own for each training part; what of them is cached is not seen.")
    free = shutil.disk_usage(next(one for one in (cache_folder(), *cache_folder().absolute().parents) if one.exists()))
    told.append(f"Free where features are kept: {_size(free.free)}." + " Not enough." * (free.free < disk))
    return told


def _hours(seconds: float) -> str:
    return f"{seconds / 3600:.2f} h"


def _size(number: float) -> str:
    return f"{number / 1e9:.2f} GB" if number >= 1e9 else f"{number / 1e6:.1f} MB"


def _clock(seconds: float) -> str:
    if seconds >= 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.1f} min" if seconds >= 60 else f"{seconds:.1f} s"
