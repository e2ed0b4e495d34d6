"""Records: what a corpus is, as data. A wrong value is an error when the corpus file is imported."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from . import labels
from .errors import RecordError, near
from .partitions import Partition, SpeakerGroup, speaker_groups
from .utterance import Gender


class Source(StrEnum):
    """How the emotion came about."""

    ACTED = "acted"  # actors or lay speakers read given sentences
    ELICITED = "elicited"  # induced by a story, a film or a game
    FILM = "film"  # cut from films and series
    NATURAL = "natural"  # spontaneous speech
    PODCAST = "podcast"  # cut from podcasts
    SYNTHETIC = "synthetic"  # computed, nobody spoke
    TV = "tv"  # cut from broadcasts


class Access(StrEnum):
    """What it takes to get the corpus."""

    OPEN = "open"  # anybody may download it
    REGISTRATION = "registration"  # an account or a form, then a link
    REQUEST = "request"  # the owners decide, mostly after a signed licence
    PURCHASE = "purchase"  # sold
    EMBEDDED = "embedded"  # comes with serbench
    OWNER = "owner"  # described by a table of the user's own


class Permission(StrEnum):
    """Whether a licence allows something."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


@dataclass(frozen=True, kw_only=True)
class Licence:
    """Terms of a corpus.

    Args:
        id: SPDX identifier (``CC-BY-NC-SA-4.0``), or ``custom``.
        redistribution: whether adapted copies may be passed on (a resampled copy is adapted, so ND means no).
        commercial: whether commercial use is allowed.
        note: where the terms are stated and what they say.
    """

    id: str
    redistribution: Permission
    commercial: Permission
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Archive:
    """One file that holds (part of) a corpus and can be fetched without asking anybody.

    Without `sha256` nobody can tell whether the file is the one that the record describes: `serbench download` fetches
    it when told to, load_dataset never by itself.

    Args:
        url: direct address.
        bytes: size of the file, or None where nobody states it.
        sha256: checksum, hexadecimal, or None; the download is refused if it differs.
        md5: the same, weaker; for files whose publisher states no other.
        path: where the file lies below the root; an archive is unpacked beside itself. Empty: the last part of the
            address, in the root.

    Raises:
        RecordError: a checksum is none.
    """

    url: str
    bytes: int | None = None
    sha256: str | None = None
    md5: str | None = None
    path: str = ""

    def __post_init__(self) -> None:
        for name, digits in (("sha256", 64), ("md5", 32)):
            value = getattr(self, name)
            if value is not None and not re.fullmatch(rf"[0-9a-f]{{{digits}}}", value):
                raise RecordError(
                    f"Archive {self.url}: {name} is {digits} hexadecimal digits in lower case; found {value!r}."
                )
        if not self.path:
            object.__setattr__(self, "path", unquote(urlsplit(self.url).path.rpartition("/")[2]))


@dataclass(frozen=True)
class Erratum:
    """A known defect of a corpus; nothing is left out because of it unless a user asks for that.

    Args:
        what: the defect, with its source in parentheses.
        drop: ids of the utterances that `--drop-errata` leaves out, as the later one of two equal files.
    """

    what: str
    drop: tuple[str, ...] = ()


LANGUAGES = frozenset(
    ["am", "bn", "de", "el", "en", "es", "et", "fa", "fr", "it", "mul", "pl", "ru", "tr", "ur", "zh", "zxx"]
)
"""Primary subtags of the languages of the corpora (BCP 47)."""

PAPERS = ("emobox", "ser_evals", "generalize", "serab", "exhubert")
"""The papers whose systems serbench implements."""

CONFIG_NAME = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """All that is known of a corpus; with `find` in the same file it is all that loading needs.

    Args:
        id: lower-case name, as in ``serbench/<id>``.
        name: name as its authors write it.
        description: one or two sentences for the card.
        languages: BCP 47 tags.
        sources: how the emotion came about.
        licence: terms.
        access: what it takes to get it.
        homepage: where it lives.
        citation: BibTeX.
        how_to_get: what to do, in one or two sentences.
        layout: the expected tree below the root, for people.
        utterances: number of utterances of a complete copy.
        emotions: native code -> canonical noun of `labels.nouns()`, or None for "no label".
        classes: native code -> class of the `emotion` column, in column order; empty: the canonical nouns.
        speakers: speaker -> gender; empty where the corpus does not tell who speaks.
        partitions: config name -> partition; ``all`` and ``speaker1``..``speakerN`` are added by themselves.
        ignore: globs of audio files in the corpus' own folders that are no utterances of it.
        downloads: archives that can be fetched without asking anybody.
        papers: which of `PAPERS` use it.
        rating_scale: scale of arousal, valence and dominance, for the card; empty where there are none.
        traps: what a reader of the raw tree must know.
        errata: known defects.
        facts_from: where the facts of this record come from.

    Raises:
        RecordError: a value breaks a rule of the vocabulary; raised when the corpus file is imported.
    """

    id: str
    name: str
    description: str
    languages: tuple[str, ...]
    sources: tuple[Source, ...]
    licence: Licence
    access: Access
    homepage: str
    citation: str
    how_to_get: str
    layout: str
    utterances: int
    emotions: Mapping[str, str | None]
    classes: Mapping[str, str] = field(default_factory=dict)
    speakers: Mapping[str, Gender] = field(default_factory=dict)
    partitions: Mapping[str, Partition] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    downloads: tuple[Archive, ...] = ()
    papers: tuple[str, ...] = ()
    rating_scale: str = ""
    traps: tuple[str, ...] = ()
    errata: tuple[Erratum, ...] = ()
    facts_from: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        def check(holds: bool, rule: str, value: object) -> None:
            if not holds:
                raise RecordError(
                    f"Corpus {self.id!r}: {rule}; found {value!r}. Correct loading_scripts/corpora/{self.id}.py."
                )

        check(
            re.fullmatch(r"[a-z][a-z0-9]*", self.id) is not None,
            "id is lower-case letters and digits",
            self.id,
        )
        own = self.access is Access.OWNER  # in any language, perhaps never published
        for tag in self.languages:
            check(own or tag.split("-")[0] in LANGUAGES, "languages are tags whose first part is in LANGUAGES", tag)
        for paper in self.papers:
            check(paper in PAPERS, f"papers are among {PAPERS}{near(paper, PAPERS)}", paper)
        for noun in self.emotions.values():
            check(
                noun is None or noun in labels.nouns(),
                f"emotions map to labels.csv{near(str(noun), labels.nouns())}",
                noun,
            )
        for native in self.classes:
            check(native in self.emotions, "classes have keys of emotions", native)
        for config, partition in self.partitions.items():
            check(
                CONFIG_NAME.fullmatch(config) is not None and config != "all",
                "config names are [a-z0-9_]+, not 'all'",
                config,
            )
            for speaker in getattr(partition, "speakers", ()):
                check(speaker in self.speakers, f"speakers of config {config} have a gender entry", speaker)
        if self.citation or not own:
            check(self.citation.lstrip().startswith("@"), "citation is BibTeX", self.citation)
        check(self.utterances > 0, "utterances is the count of a complete copy", self.utterances)
        # dataclasses.replace hands the derived partitions back, perhaps with other speakers: derive them anew.
        partitions = {name: one for name, one in self.partitions.items() if not isinstance(one, SpeakerGroup)}
        object.__setattr__(self, "partitions", partitions | speaker_groups(self.speakers))

    def config_names(self) -> tuple[str, ...]:
        """Return every config, ``all`` first."""
        return ("all", *self.partitions)

    def splits(self, config: str) -> tuple[str, ...]:
        """Return the split names of `config`; known without raw data."""
        return ("train",) if config == "all" else self.partitions[config].splits

    def emotion_names(self) -> tuple[str, ...]:
        """Return the classes of the `emotion` column, in column order."""
        named = self.classes or {code: noun for code, noun in self.emotions.items() if noun is not None}
        return tuple(dict.fromkeys(named.values()))
