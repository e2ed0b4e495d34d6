"""Leaderboards: the systems of a protocol, best first; and the encoders across the protocols."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from model_cards.table import NOTHING, Table, percent

from .averages import Average, over_corpora
from .outcomes import Outcome, System, shortened
from .tables import Marks

SYSTEM = ("encoder", "layer", "head")
"""Columns that name a system."""

COLUMNS = 32
"""Corpora that a leaderboard has columns for; where there are more, pairs of corpora have none."""

Systems = Mapping[System, Sequence[Outcome]]
"""The systems of one protocol and variant, each with its outcomes."""


def leaderboard(name: str, systems: Systems, marks: Marks) -> Table:
    """Return a row for each system, best first: averages, then the headline of each corpus with its marks.

    Args:
        name: protocol and variant.
        systems: the systems.
        marks: numbers the flags; the caller shows its legend.
    """
    headline = next(iter(systems)).headline
    averages = {system: over_corpora(each) for system, each in systems.items()}
    names = list(
        dict.fromkeys((one.name, metric) for each in averages.values() for one in each for metric in one.values)
    )
    names.sort(key=lambda one: one[1] != headline)  # what the protocol reports first comes first; a stable sort
    corpora = list(dict.fromkeys(one.corpus for each in systems.values() for one in each))
    shown = [one for one in corpora if ">" not in one] if len(corpora) > COLUMNS else corpora
    shared = shared_options(systems)
    rows = []
    for system in _ranked(systems, averages):
        values = {(one.name, metric): value for one in averages[system] for metric, value in one.values.items()}
        reached = {one.corpus: f"{percent(one.mean[headline])} {marks.of(one)}".rstrip() for one in systems[system]}
        cells = [*where(system, shared), f"{len(reached)}/{len(corpora)}"]
        cells += [percent(values.get(key)) for key in names]
        rows.append([*cells, *(reached.get(corpus, NOTHING) for corpus in shown)])
    notes = [
        f"{headline.upper()} of each corpus. A mean runs over the corpora that a system was tested on: compare rows "
        "that have the same ones. Systems on more corpora stand first."
    ]
    if shared:
        notes.append(f"All with {', '.join(map(shortened, shared))}.")
    if len(shown) < len(corpora):
        notes.append(f"{len(corpora) - len(shown)} pairs of corpora have no column; they stand below, one by one.")
    header = [*SYSTEM, "corpora", *(metric.upper() if name == "mean" else name for name, metric in names)]
    return Table(title=f"{name}: all systems", header=[*header, *shown], rows=rows, notes=notes)


def across(protocols: Mapping[tuple[str, str], Systems]) -> Table:
    """Return a row for each encoder: the average of its first system on the leaderboard of each protocol.

    Args:
        protocols: (protocol, variant) -> its systems.
    """
    columns: dict[str, dict[str, str]] = {}
    for key, systems in protocols.items():
        averages = {system: over_corpora(each) for system, each in systems.items()}
        headline = next(iter(systems)).headline
        shared = shared_options(systems)
        layers, heads = {one.layer for one in systems}, {where(one, shared)[2] for one in systems}
        told: dict[str, str] = {}
        for system in _ranked(systems, averages):
            if averages[system]:
                _, layer, head = where(system, shared)
                kind = [layer] * (len(layers) > 1) + [head] * (len(heads) > 1)
                reached = percent(averages[system][0].values[headline])
                told.setdefault(system.encoder, f"{reached} ({len(systems[system])}) {', '.join(kind)}".rstrip())
        names = {one[0].name for one in averages.values() if one} or {"mean"}
        columns[f"{', '.join(key)}: {headline.upper()}, {' or '.join(names)}"] = told
    encoders = dict.fromkeys(system.encoder for systems in protocols.values() for system in systems)
    return Table(
        title="Encoders across the protocols",
        header=["encoder", *columns],
        rows=[[one, *(told.get(one, NOTHING) for told in columns.values())] for one in encoders],
        notes=[
            "Of the system that stands first on the leaderboard of a protocol: among several layers or heads the test "
            "sets chose. In parentheses, on how many corpora or pairs; then layer, head and options where systems "
            "differ in them. Compare values of the same kind over the same corpora."
        ],
    )


def first(systems: Systems) -> System:
    """Return the system that stands first on the leaderboard."""
    return _ranked(systems, {system: over_corpora(each) for system, each in systems.items()})[0]


def shared_options(systems: Iterable[System]) -> tuple[str, ...]:
    """Return the options that all systems have alike; none for a single system without options."""
    every = [one.options for one in systems]
    return tuple(option for option in every[0] if all(option in options for options in every))


def where(system: System, shared: Collection[str]) -> list[str]:
    """Return the cells of `SYSTEM`, without the options that all have alike."""
    return [
        system.encoder,
        system.layer,
        ", ".join([system.head, *(shortened(one) for one in system.options if one not in shared)]),
    ]


def _ranked(systems: Systems, averages: Mapping[System, Sequence[Average]]) -> list[System]:
    """Return systems in their order: those on more corpora first, then by the first average."""

    def rank(system: System) -> tuple[int, float]:
        reached = [one.values[system.headline] for one in averages[system][:1]]
        return -len(systems[system]), -reached[0] if reached else 1.0

    return sorted(systems, key=rank)
