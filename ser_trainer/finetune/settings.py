"""Settings of a training: words of the command line, over those of a YAML or JSON file, over defaults."""

import json
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import HfArgumentParser

from loading_scripts.errors import SerbenchError, near

from .arguments import PRETRAINED, SCRATCH, ArgumentsError, CorpusArguments, ModelArguments, SerTrainingArguments

SUFFIXES = (".json", ".yaml", ".yml")

KINDS = (CorpusArguments, ModelArguments, SerTrainingArguments)


def parse(words: Sequence[str], description: str, *others: type, prefix: str = "") -> tuple[Any, ...]:
    """Return the arguments that a command line asks for; how to train by default depends on whether a model is given.

    Args:
        words: the command line without the name of the script; the first word may be a file of settings, whose keys are
            the long names of the arguments.
        description: text of --help.
        *others: dataclasses of more arguments.
        prefix: what the name of the default output folder begins with.

    Returns:
        CorpusArguments, ModelArguments, SerTrainingArguments, and one of each of `others`.

    Raises:
        SystemExit: with 2 after a message, or with 0 after --help.
    """
    parser = HfArgumentParser(
        (*KINDS, *others),
        description=description,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    words = list(words)
    try:
        stored = read(Path(words.pop(0)), *others) if words and words[0].endswith(SUFFIXES) else {}
    except SerbenchError as error:
        parser.error(str(error))
    asked = HfArgumentParser((CorpusArguments, ModelArguments))
    asked.set_defaults(
        **{name: value for name, value in stored.items() if name in _names(CorpusArguments, ModelArguments)}
    )
    try:
        data, model, _ = asked.parse_args_into_dataclasses(
            [word for word in words if word not in ("-h", "--help")], return_remaining_strings=True
        )
        parser.set_defaults(
            output_dir=default_folder(data.corpora, prefix),
            logging_strategy="epoch",
            dataloader_pin_memory=torch.cuda.is_available(),
            disable_tqdm=not sys.stderr.isatty(),
            hub_strategy="end",
            **(PRETRAINED if model.model else SCRATCH),
        )
        parser.set_defaults(**stored)
        return parser.parse_args_into_dataclasses(words)
    except ValueError as error:  # arguments that do not go together
        parser.error(str(error))


def default_folder(corpora: Sequence[str], prefix: str = "") -> str:
    """Return where a model goes if nobody says: a name made of its corpora.

    >>> default_folder(["serbench/urdu:fold1", "serbench/demo:fold1"])
    'runs/urdu-fold1-demo-fold1'
    """
    names = [name.rpartition("/")[2].replace(":", "-").replace("*", "s") for name in corpora]
    return f"runs/{prefix}{'-'.join(names)}"


def read(path: Path, *others: type) -> dict[str, Any]:
    """Return the settings of a YAML or JSON file; `others` as in `parse`.

    Raises:
        ArgumentsError: the file does not exist, is not a mapping, or has a key that is no argument.
    """
    if not path.exists():
        raise ArgumentsError(f"Settings {path}: no such file. Check the path.")
    text = path.read_text(encoding="utf-8")
    try:
        stored = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        raise ArgumentsError(
            f"Settings {path}: must be {path.suffix[1:].upper()}; {error}. Correct the file."
        ) from error
    if not isinstance(stored, dict):
        raise ArgumentsError(f"Settings {path}: must map names to values, as `corpora: [serbench/demo:fold1]`.")
    known = _names(*KINDS, *others)
    for name in stored:
        if name not in known:
            raise ArgumentsError(
                f"Settings {path}: {name!r} is no argument.{near(str(name), known)} --help lists them."
            )
    # one value where a list may stand, as on the command line
    lists = {one.name for kind in (*KINDS, *others) for one in fields(kind) if str(one.type).startswith("list[")}
    return {
        name: [value] if name in lists and not isinstance(value, list | None) else value
        for name, value in stored.items()
    }


def _names(*kinds: type) -> set[str]:
    return {one.name for kind in kinds for one in fields(kind)}
