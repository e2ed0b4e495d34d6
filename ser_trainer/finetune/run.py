"""One training, from the names of corpora to a folder with model, scores and card."""

import json
import logging
import shutil
from copy import copy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from datasets import Dataset
from transformers import set_seed

from loading_scripts import registry
from model_cards.model_scores import SplitScores

from .. import calibration
from . import checkpoints
from .arguments import CorpusArguments, ModelArguments, SerTrainingArguments, decisive
from .card import calibrated_on, new_card
from .corpora import Fold, load_folds
from .finish import below_adapters, merged, shift_logits
from .lora import is_adapted
from .push import push
from .scoring import score_split
from .sources import base_model_source, check_commercial, training_corpus
from .start import start
from .targets import TargetError, class_counts, class_names, is_rated, pooled, targeted
from .trainer import SerTrainer

logger = logging.getLogger(__name__)

RESULTS = "results.json"
"""Test scores of a finished run, and what it was started with."""


@dataclass(frozen=True)
class Splits:
    """Rows of one corpus that have the target.

    Args:
        fold: where they come from.
        train, test: rows.
        valid: rows, None if none were asked for.
    """

    fold: Fold
    train: Dataset
    test: Dataset
    valid: Dataset | None


def fine_tune(data: CorpusArguments, model_args: ModelArguments, args: SerTrainingArguments) -> list[SplitScores]:
    """Train, score, save; return the scores of every test split. All processes take part.

    A run that was killed goes on where its last whole checkpoint left it, if it is started with the same arguments.

    Raises:
        SerbenchError: what is wrong with corpora, model, arguments or checkpoints, and what mends it.
    """
    set_seed(args.seed)
    output = Path(args.output_dir)
    validate = args.eval_strategy != "no"
    with args.main_process_first(desc="loading the corpora"):
        folds = load_folds(data.corpora, data.data_dir, validate)
        splits = {name: _targeted(fold, data) for name, fold in short_names(folds).items()}
    train = pooled({name: one.train for name, one in splits.items()})
    valid = pooled({name: one.valid for name, one in splits.items() if one.valid}) if validate else None
    _check_training_rows(train, folds)

    corpora = [training_corpus(one.fold.dataset, one.fold.config, one.train) for one in splits.values()]
    base = base_model_source(model_args.model) if model_args.model else None
    if data.only_commercial:
        check_commercial([*corpora, *([base] if base else [])])
    dimensions = data.target if is_rated(train) else []
    if dimensions and args.metric_for_best_model == "uar":
        args.metric_for_best_model = "ccc"
    model, extractor = start(model_args, train, dimensions)
    others = {"exclude": data.exclude} | {name: value for name, value in asdict(model_args).items() if name != "model"}
    card = new_card(args.output_dir, model, base, data.target, corpora, args, others)
    trainer = SerTrainer(
        model,
        args,
        train_dataset=train,
        eval_dataset=valid,
        processing_class=extractor,
        card=card,
        started_with=started_with(data, model_args),
    )
    checkpoint = _checkpoint(trainer, output)
    trainer.train(resume_from_checkpoint=checkpoint)

    temperature = _finish(trainer, valid)
    if temperature is not None:
        heard = {one.fold.name: one.valid for one in splits.values()}
        card.calibration = calibrated_on(temperature, heard)
    card.results += [_score(trainer, one, temperature) for one in splits.values()]
    _save(trainer)
    if trainer.is_world_process_zero():
        trainer.create_model_card()
        _write(output / RESULTS, run_record(data, model_args, args) | {"results": list(map(asdict, card.results))})
    trainer.accelerator.wait_for_everyone()
    if args.push_to_hub and trainer.is_world_process_zero():
        push(trainer.hub_model_id, output, args.hub_token)
    return card.results


def fine_tune_once(
    data: CorpusArguments, model_args: ModelArguments, args: SerTrainingArguments, folder: Path
) -> list[SplitScores]:
    """Return the test scores of a training in `folder`; one that is there with the same arguments is not repeated."""
    own = copy(args)
    own.output_dir = str(folder)
    return finished(folder, data, model_args, own) or fine_tune(data, model_args, own)


def short_names(folds: list[Fold]) -> dict[str, Fold]:
    """Return the folds by the names that scores and columns call them: the corpus, with its config where needed."""
    corpora = [fold.dataset.rpartition("/")[2] for fold in folds]
    return {
        name if corpora.count(name) == 1 else f"{name}-{fold.config}": fold
        for name, fold in zip(corpora, folds, strict=True)
    }


def _targeted(fold: Fold, data: CorpusArguments) -> Splits:
    train, test, valid = (
        None if rows is None else targeted(rows, data.target, f"{fold.name}, {split}", data.exclude)
        for split, rows in (("train", fold.train), ("test", fold.test), ("validation", fold.valid))
    )
    return Splits(fold, train, test, valid)


def _check_training_rows(rows: Dataset, folds: list[Fold]) -> None:
    names = ", ".join(fold.name for fold in folds)
    if is_rated(rows):
        scales = {}
        for fold in folds:
            corpus = fold.dataset.rpartition("/")[2]
            if corpus in registry.ids():
                scales[fold.name] = registry.load(corpus).CORPUS.rating_scale
        if len(set(scales.values())) > 1:
            told = "; ".join(f"{name}: {scale}" for name, scale in scales.items())
            raise TargetError(f"{names}: ratings train one model only on one scale; {told}. Train a model for each.")
    elif (class_counts(rows) > 0).sum() < 2:
        only = class_names(rows)[int(class_counts(rows).argmax())]
        raise TargetError(
            f"{names}: a classifier needs two classes or more; all {len(rows)} training rows are {only!r}. Choose "
            "another config or target, or exclude fewer classes."
        )


def started_with(data: CorpusArguments, model_args: ModelArguments) -> dict[str, Any]:
    """Return what decides about a run besides its training arguments; the data may have moved."""
    return {
        "corpora": data.corpora,
        "target": data.target,
        "exclude": data.exclude,
        **asdict(model_args),
    }


def run_record(data: CorpusArguments, model_args: ModelArguments, args: SerTrainingArguments) -> dict[str, Any]:
    """Return everything that decides about the result of a run and is known before it, as JSON holds it."""
    return json.loads(json.dumps({"run": started_with(data, model_args) | decisive(args)}, default=str))


def finished(
    output: Path, data: CorpusArguments, model_args: ModelArguments, args: SerTrainingArguments
) -> list | None:
    """Return the scores in `output` if it holds a finished run with the same arguments, else None."""
    if not (output / RESULTS).exists():
        return None
    stored = json.loads((output / RESULTS).read_text(encoding="utf-8"))
    if stored["run"] != run_record(data, model_args, args)["run"]:
        return None
    return [SplitScores(**one) for one in stored["results"]]


def _checkpoint(trainer: SerTrainer, output: Path) -> str | None:
    """Return the checkpoint to go on from: the one that was named, or the last one that a killed run left here."""
    args = trainer.args
    asked = args.resume_from_checkpoint
    if asked and str(asked).lower() not in ("true", "last"):  # a file of settings gives True itself
        return asked
    over = (output / RESULTS).exists()
    with args.main_process_first(desc="looking at earlier checkpoints"):
        if args.should_save:
            checkpoints.discard_partial(output)
            if over and not asked:  # what lies here belongs to a run that is over
                (output / RESULTS).unlink()
                for path in checkpoints.checkpoints(output):
                    shutil.rmtree(path)
    found = [] if over and not asked else checkpoints.checkpoints(output)
    if not found:
        return None
    logger.info("Going on from %s.", found[-1])
    return str(found[-1])


def _finish(trainer: SerTrainer, valid: Dataset | None) -> float | None:
    """Fit the temperature, then leave a plain model behind; return the temperature, None where there is none."""
    temperature = None
    if valid is not None and not trainer.rated:
        output = trainer.predict(valid, metric_key_prefix="eval")
        try:
            temperature = calibration.fit_temperature(output.predictions, output.label_ids)
        except calibration.CalibrationError as error:
            logger.warning("The probabilities are not calibrated: %s", error)
    plain = below_adapters(trainer.accelerator.unwrap_model(trainer.model))
    if trainer.eval_shift is not None:
        shift_logits(plain, trainer.eval_shift)
        trainer.eval_shift = None
    if temperature is not None:
        setattr(plain.config, calibration.TEMPERATURE, temperature)
    return temperature


def _score(trainer: SerTrainer, splits: Splits, temperature: float | None) -> SplitScores:
    fold = splits.fold
    output = trainer.predict(splits.test)
    speakers = fold.train["speaker"][:] if "speaker" in fold.train.column_names else None
    return score_split(
        dataset=fold.dataset,
        config=fold.config,
        split="test",
        name=training_corpus(fold.dataset, fold.config, splits.train).name,
        outputs=output.predictions,
        rows=splits.test,
        classes=trainer.card.classes,
        train_speakers=None if speakers is None or None in speakers else set(speakers),
        temperature=temperature,
    )


def _save(trainer: SerTrainer) -> None:
    """Save a plain model; adapters also as they are, below ``adapter/``."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if not is_adapted(model):
        trainer.save_model(_internal_call=True)
    elif trainer.args.should_save:
        output = Path(trainer.args.output_dir)
        model.save_pretrained(output / "adapter")
        merged(model).save_pretrained(output)
        trainer.processing_class.save_pretrained(output)


def _write(path: Path, content: Any) -> None:
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_text(json.dumps(content, indent=1, default=_plain), encoding="utf-8")
    unfinished.replace(path)


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
