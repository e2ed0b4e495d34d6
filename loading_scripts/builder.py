"""The builder: one class for every corpus. Its Arrow tables hold paths, so a fold costs no audio on disk."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
from datasets.builder import Key
from datasets.exceptions import DatasetGenerationError

from . import listing, partitions, raw, registry, rows, stored
from .errors import AudioError, CorpusMismatchError, UnknownNameError, near
from .obtain import obtain
from .utterance import Utterance

_ROWS_PER_SHARD = 1024


@dataclass
class CorpusConfig(datasets.BuilderConfig):
    """One config of one corpus.

    Args:
        corpus: id of the corpus.
        drop_errata: as in `listing.Choice`; so is the next.
        center_channel: only where the corpus has one.
    """

    corpus: str = ""
    drop_errata: bool = False
    center_channel: bool = False

    @property
    def choice(self) -> listing.Choice:
        """What the user wants otherwise than the corpus has it."""
        return listing.Choice(self.drop_errata, self.center_channel)

    __eq__ = datasets.BuilderConfig.__eq__


def configs(corpus: str) -> list[CorpusConfig]:
    """Return every config of the corpus with this id; needs no raw data."""
    record = registry.load(corpus).CORPUS
    return [CorpusConfig(name=name, corpus=corpus) for name in record.config_names()]


def code_digest(corpus: str) -> str:
    """Return a hash of the code and packaged data that rows of this corpus depend on."""
    package = Path(__file__).parent
    digest = blake2b(digest_size=16)
    shared = [*package.glob("*.py"), *package.glob("*.csv"), *(package / "partitions").glob("*.py")]
    own = [package / "corpora" / f"{corpus}.py", partitions.listed.LISTS / f"{corpus}.csv.xz"]
    for path in sorted(shared) + own:
        if path.exists():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class CorpusBuilder(datasets.ArrowBasedBuilder):
    """Builds any config of any corpus from its raw tree, whose root is `base_path` (None: obtain the corpus)."""

    BUILDER_CONFIG_CLASS = CorpusConfig

    def _create_builder_config(self, config_name: str | None = None, **kwargs: Any) -> tuple[CorpusConfig, str]:
        if config_name is not None and config_name not in self.builder_configs:
            names = list(self.builder_configs)
            raise UnknownNameError(
                f"Corpus {self.dataset_name}: config {config_name!r} does not exist; its configs are {names}."
                f"{near(config_name, names)}"
            )
        config, name = super()._create_builder_config(config_name=config_name, **kwargs)
        config.choice.check(registry.load(config.corpus))
        return config, name

    @property
    def module(self) -> registry.CorpusModule:
        """The corpus file."""
        return registry.load(self.config.corpus)

    def _info(self) -> datasets.DatasetInfo:
        corpus = registry.load(self.config.corpus).CORPUS
        return datasets.DatasetInfo(
            description=corpus.description,
            features=rows.features(corpus),
            homepage=corpus.homepage,
            license=corpus.licence.id,
            citation=corpus.citation,
        )

    def _split_generators(self, dl_manager: datasets.DownloadManager) -> list[datasets.SplitGenerator]:
        names = self.module.CORPUS.splits(self.config.name)
        if self.base_path is None and dl_manager.is_streaming:
            # Split names are asked for this way too, and must cost no download: obtain when rows are asked for.
            return [datasets.SplitGenerator(name, {"shards": [name], "root": None}) for name in names]
        root = (
            Path(self.base_path) if self.base_path else obtain(self.module, code_digest(self.config.corpus), dl_manager)
        )
        parts = self._parts(root)
        return [datasets.SplitGenerator(name, {"shards": _shards(parts[name]), "root": str(root)}) for name in names]

    def _parts(self, root: Path) -> dict[str, list[Utterance]]:
        """Return split -> utterances of this config below `root`."""
        found = listing.utterances(self.module, root, self.config.choice)
        without = listing.dropped(self.module.CORPUS, found, self.config.choice)
        return listing.split(self.module, self.config.name, found, without)

    def _generate_shards(self, shards: list[Any], root: str | None) -> Iterator[str]:
        for number in range(len(shards)):
            yield f"{self.config.corpus}/{self.config.name}/{number}"

    def _generate_tables(self, shards: list[list[Utterance] | str], root: str | None) -> Iterator[tuple[Key, pa.Table]]:
        if root is None:
            downloads = datasets.DownloadManager(
                dataset_name=self.dataset_name,
                download_config=datasets.DownloadConfig(cache_dir=self._cache_downloaded_dir),
            )
            found = obtain(self.module, code_digest(self.config.corpus), downloads)
            parts = self._parts(found)
            shards, root = [shard for name in shards for shard in _shards(parts[name])], str(found)
        for number, shard in enumerate(shards):
            try:
                yield Key(number, 0), rows.table(self.module.CORPUS, shard, Path(root), stored.as_path)
            except (AudioError, CorpusMismatchError) as error:
                # datasets hides every other error behind "An error occurred while generating the dataset".
                raise DatasetGenerationError(str(error)) from error


def _shards(utterances: list[Utterance]) -> list[list[Utterance]]:
    """Return `utterances` in pieces that worker processes can share; one empty piece for an empty split."""
    starts = range(0, len(utterances), _ROWS_PER_SHARD)
    return [utterances[start : start + _ROWS_PER_SHARD] for start in starts] or [[]]


def identity(corpus: str, root: Path | None, version: str = "") -> str:
    """Return a key of what is made from a corpus: code, packaged data, raw tree if any, and what `version` adds."""
    state = code_digest(corpus) + (raw.fingerprint(root) if root else "") + version
    return blake2b(state.encode(), digest_size=16).hexdigest()
