"""The plugin door: in a process that imports us, load_dataset("serbench/x", ...) builds from raw files.

Only the lookup of a name is replaced; builder class, cache, streaming and worker processes are those of `datasets`.
"""

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import raw, registry
from .corpus import Corpus
from .errors import RawTreeError, UnknownNameError, near
from .obtain import cache_folder, fetched

if TYPE_CHECKING:
    from datasets.load import DatasetModule

_PREFIX = f"{registry.NAMESPACE}/"


def _module(corpus: str, root: Path | None) -> "DatasetModule":
    from datasets.load import BuilderConfigsParameters, DatasetModule

    from . import builder

    return DatasetModule(
        module_path=builder.__name__,
        # The place is part of the key: cached rows hold absolute paths, and a moved or copied tree is equal otherwise.
        hash=builder.identity(corpus, root, version=str(root or cache_folder())),
        # data_dir=None: else the folder would become part of the config's name in the cache
        builder_kwargs={"dataset_name": corpus, "base_path": str(root) if root else None, "data_dir": None},
        builder_configs_parameters=BuilderConfigsParameters(
            builder_configs=builder.configs(corpus), default_config_name="all"
        ),
    )


def _wrap(original: Any) -> Any:
    from datasets.exceptions import DatasetNotFoundError

    @wraps(original)
    def dataset_module_factory(path: str, *args: Any, **kwargs: Any) -> "DatasetModule":
        name = str(path)
        if not name.startswith(_PREFIX) or kwargs.get("data_files") is not None:
            return original(path, *args, **kwargs)
        corpus = name.removeprefix(_PREFIX)
        if corpus not in registry.ids():
            return _elsewhere(original, path, *args, **kwargs)
        module = registry.load(corpus)
        data_dir = kwargs.get("data_dir")
        if data_dir is not None:
            _refuse_built(module.CORPUS, Path(data_dir))
            return _module(corpus, raw.locate(module, Path(data_dir)))
        if Path(name).is_dir():  # built by `serbench build`; stock datasets reads it
            return original(path, *args, **kwargs)
        if (folder := fetched(module.CORPUS)) is not None:
            return _module(corpus, raw.locate(module, folder))
        if hasattr(module, "make"):
            return _module(corpus, None)
        try:
            return original(path, *args, **kwargs)
        except (DatasetNotFoundError, ConnectionError):
            return _module(corpus, None)

    dataset_module_factory.serbench = original  # type: ignore[attr-defined]
    return dataset_module_factory


def _refuse_built(corpus: Corpus, data_dir: Path) -> None:
    """Refuse a folder inside a built repository: stock `datasets` would read all of its rows as train."""
    built = (Path(registry.NAMESPACE) / corpus.id).absolute()
    if data_dir.absolute().is_relative_to(built):
        raise RawTreeError(
            f"{corpus.name}: data_dir is a raw folder; {data_dir} lies in the built repository {built}. "
            f'Load that one without data_dir: load_dataset("{registry.NAMESPACE}/{corpus.id}", ...).'
        )


def _elsewhere(original: Any, path: str, *args: Any, **kwargs: Any) -> "DatasetModule":
    """Look for a serbench/<name> that has no record: a user's own, built or on the Hub."""
    from datasets.exceptions import DatasetNotFoundError

    try:
        return original(path, *args, **kwargs)
    except (DatasetNotFoundError, ConnectionError) as error:
        corpus = str(path).removeprefix(_PREFIX)
        raise UnknownNameError(
            f"Corpus {corpus!r}: not known to serbench, not in ./{path}, and not found on the Hub."
            f"{near(corpus, registry.ids())} `serbench corpora` lists all {len(registry.ids())}."
        ) from error


def install() -> None:
    """Put the hook in place; a second call changes nothing. Names bound before this call go through it too."""
    from datasets import inspect, load  # `inspect` holds a name of its own for the function, bound at import

    if not hasattr(load.dataset_module_factory, "serbench"):
        load.dataset_module_factory = inspect.dataset_module_factory = _wrap(load.dataset_module_factory)


def uninstall() -> None:
    """Put the original function back."""
    from datasets import inspect, load

    original = getattr(load.dataset_module_factory, "serbench", None)
    if original is not None:
        load.dataset_module_factory = inspect.dataset_module_factory = original
