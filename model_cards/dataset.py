"""The card of a corpus: what `./serbench/<corpus>/README.md` says, and the YAML by which `datasets` loads it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datasets import DatasetInfo
from datasets.info import DatasetInfosDict
from datasets.utils.metadata import MetadataConfigs
from huggingface_hub import DatasetCardData

from .markdown import render_card

if TYPE_CHECKING:
    from loading_scripts.corpus import Corpus

HUB_LICENCES = {
    "CC0-1.0": "cc0-1.0",
    "CC-BY-3.0": "cc-by-3.0",
    "CC-BY-4.0": "cc-by-4.0",
    "CC-BY-SA-3.0": "cc-by-sa-3.0",
    "CC-BY-SA-4.0": "cc-by-sa-4.0",
    "CC-BY-NC-3.0": "cc-by-nc-3.0",
    "CC-BY-NC-4.0": "cc-by-nc-4.0",
    "CC-BY-NC-SA-3.0": "cc-by-nc-sa-3.0",
    "CC-BY-NC-SA-4.0": "cc-by-nc-sa-4.0",
    "CC-BY-NC-ND-3.0": "cc-by-nc-nd-3.0",
    "CC-BY-NC-ND-4.0": "cc-by-nc-nd-4.0",
    "CC-BY-ND-4.0": "cc-by-nd-4.0",
    "ODbL-1.0": "odbl",
    "MIT": "mit",
    "Apache-2.0": "apache-2.0",
    "GPL-3.0": "gpl-3.0",
}
"""SPDX identifier -> name on the Hub; on a card every other licence is "other", with its own name beside it."""


@dataclass(frozen=True, kw_only=True)
class ConfigSummary:
    """What the card says of one config.

    Args:
        name: config name.
        info: features and split sizes.
        files: split -> shard paths relative to the folder.
        speakers: split -> number of speakers.
        absent_classes: split -> nouns that other splits of the config have and this one lacks.
        shared_speakers: share of test utterances whose speaker is in train, or None where that cannot be told.
        split_hash: names the split in a paper.
    """

    name: str
    info: DatasetInfo
    files: dict[str, list[str]]
    speakers: dict[str, int]
    absent_classes: dict[str, list[str]]
    shared_speakers: float | None
    split_hash: str


@dataclass(frozen=True, kw_only=True)
class LabelLine:
    """One native code: what it becomes in each label column, why, and how often it occurs."""

    native: str
    emotion: str | None
    canonical: str | None
    unified8: str | None
    arousal_valence: str | None
    basis: str
    count: int


@dataclass(frozen=True, kw_only=True)
class PaperScores:
    """What one paper scores on the corpus.

    Args:
        paper: name, authors and year.
        url: where it is.
        source: which of its tables, and what was trained.
        config: the config that stands for its split here; empty if none does.
        metrics: names and units of the scores.
        rows: system, then a cell for each metric, as printed; empty if the paper prints none.
        note: what must be known before comparing; may be empty.
    """

    paper: str
    url: str
    source: str
    config: str
    metrics: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str


@dataclass(frozen=True)
class LeftOut:
    """What the raw tree holds and the folder does not.

    Args:
        broken: raw paths of audio that cannot be read.
        errata: ids of utterances that were dropped for errata of the record.
    """

    broken: tuple[str, ...] = ()
    errata: tuple[str, ...] = ()


def render_dataset_card(
    corpus: "Corpus",
    configs: Sequence[ConfigSummary],
    labels: Sequence[LabelLine],
    scores: Sequence[PaperScores],
    utterances: int,
    seconds: float,
    left_out: LeftOut,
    center_channel: bool = False,
) -> str:
    """Return README.md: front matter that `datasets` reads, and a page for people.

    Args:
        corpus: the record.
        configs: every config that the folder offers.
        labels: the label table.
        scores: what the papers that use the corpus score on it.
        utterances: number of utterances in the folder.
        seconds: their total duration.
        left_out: what the raw tree holds and the folder does not.
        center_channel: whether the channel that holds the speech was read, instead of the mean of all.
    """
    data = DatasetCardData(
        pretty_name=corpus.name,
        language=sorted({tag.split("-")[0] for tag in corpus.languages}),
        license=HUB_LICENCES.get(corpus.licence.id, "other"),
        license_name=None if corpus.licence.id in HUB_LICENCES else corpus.licence.id.lower().replace(" ", "-"),
        task_categories=["audio-classification"],
        tags=["speech-emotion-recognition", "serbench"],
    )
    DatasetInfosDict({one.name: one.info for one in configs}).to_dataset_card_data(data)
    # data_files stand for every config: without them datasets guesses, and takes the README itself for data
    MetadataConfigs(
        {
            one.name: {
                "data_files": [{"split": split, "path": paths} for split, paths in one.files.items()],
                **({"default": True} if one.name == "all" else {}),
            }
            for one in configs
        }
    ).to_dataset_card_data(data)
    return render_card(
        data,
        "dataset.md.j2",
        corpus=corpus,
        configs=configs,
        labels=labels,
        bases={line.canonical: line.basis for line in labels if line.canonical},
        genders=Counter(map(str, corpus.speakers.values())),
        scores=scores,
        utterances=utterances,
        seconds=seconds,
        left_out=left_out,
        center_channel=center_channel,
    )
