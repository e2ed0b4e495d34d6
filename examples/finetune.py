"""Fine-tune an audio classifier on corpora of emotional speech; without arguments, a tiny one on the demo corpus.

    accelerate launch examples/finetune.py
    accelerate launch examples/finetune.py --corpora serbench/urdu:fold1 --data_dir URDU-Dataset
    accelerate launch examples/finetune.py --corpora serbench/urdu:fold1 --model facebook/hubert-large-ls960-ft --expand

All arguments of transformers' TrainingArguments work too. Model, feature extractor and card go to --output_dir.
"""

import logging
import os
import sys
from argparse import RawDescriptionHelpFormatter

import torch
from datasets import disable_progress_bars
from transformers import HfArgumentParser, set_seed
from transformers.utils.logging import disable_progress_bar

from loading_scripts.errors import SerbenchError
from model_cards.card import SplitScores
from ser_metrics import scores
from ser_trainer.finetune.arguments import PRETRAINED, SCRATCH, CorpusArguments, ModelArguments, SerTrainingArguments
from ser_trainer.finetune.card import new_card, shared_speakers, training_corpus
from ser_trainer.finetune.corpora import Fold, load_folds
from ser_trainer.finetune.start import start
from ser_trainer.finetune.targets import class_names, labelled, pooled
from ser_trainer.finetune.trainer import SerTrainer


def main() -> None:
    """Load, train, score, save."""
    data, model_args, args = parse()
    logging.basicConfig(format="%(message)s")
    logging.getLogger("ser_trainer").setLevel(logging.INFO if args.process_index == 0 else logging.ERROR)
    if args.disable_tqdm:
        disable_progress_bar()
        disable_progress_bars()
    set_seed(args.seed)

    validate = args.eval_strategy != "no"
    with args.main_process_first(desc="loading the corpora"):
        folds = load_folds(data.corpora, data.data_dir, validate)
        train = {fold.name: labelled(fold.train, data.target, f"{fold.name}, train") for fold in folds}
        test = {fold.name: labelled(fold.test, data.target, f"{fold.name}, test") for fold in folds}
        valid = {one.name: labelled(one.valid, data.target, f"{one.name}, valid") for one in folds if one.valid}
    rows = pooled(train)
    model, extractor = start(model_args, class_names(rows))

    corpora = [training_corpus(fold.dataset, fold.config, train[fold.name]) for fold in folds]
    trainer = SerTrainer(
        model,
        args,
        train_dataset=rows,
        eval_dataset=pooled(valid) if valid else None,
        processing_class=extractor,
        card=new_card(args.output_dir, model, model_args.model, data.target, corpora, args),
    )
    trainer.train(resume_from_checkpoint=args.resume_from_checkpoint)
    for fold in folds:
        trainer.card.results.append(score(trainer, fold, test[fold.name]))
    trainer.save_model()
    if trainer.is_world_process_zero():
        trainer.create_model_card()
        print(table(trainer.card.results))
        print(f"\nModel and card: {args.output_dir}")


def parse() -> tuple[CorpusArguments, ModelArguments, SerTrainingArguments]:
    """Return the arguments; how to train by default depends on whether the model is pre-trained."""
    parser = HfArgumentParser(
        (CorpusArguments, ModelArguments, SerTrainingArguments),
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    data, model, _ = HfArgumentParser((CorpusArguments, ModelArguments)).parse_args_into_dataclasses(
        [word for word in sys.argv[1:] if word not in ("-h", "--help")], return_remaining_strings=True
    )
    folder = "-".join(name.rpartition("/")[2].replace(":", "-") for name in data.corpora)
    parser.set_defaults(
        output_dir=f"runs/{folder}",
        logging_strategy="epoch",
        dataloader_pin_memory=torch.cuda.is_available(),
        disable_tqdm=not sys.stderr.isatty(),
        **(PRETRAINED if model.model else SCRATCH),
    )
    try:
        return parser.parse_args_into_dataclasses()
    except ValueError as error:  # arguments that do not go together
        parser.error(str(error))


def score(trainer: SerTrainer, fold: Fold, rows) -> SplitScores:
    """Return the scores on a test split; all processes take part."""
    output = trainer.predict(rows)
    return SplitScores(
        dataset=fold.dataset,
        config=fold.config,
        split="test",
        name=next(one.name for one in trainer.card.corpora if one.dataset == fold.dataset),
        scores=scores(
            output.predictions.argmax(-1),
            output.label_ids,
            labels=class_names(rows),
            per_class=True,
            confusion_matrix=True,
        ),
        shared_speakers=shared_speakers(fold.train, fold.test),
    )


def table(results: list[SplitScores]) -> str:
    """Return the test scores in percent, a line for each corpus."""
    names = [f"{one.dataset}:{one.config}" for one in results]
    width = max(len("test, %"), *map(len, names))
    lines = [f"{'test, %':{width}}     n     UA     WA     F1    UAR"]
    for name, one in zip(names, results, strict=True):
        rates = "".join(f"{100 * one.scores[metric]:7.1f}" for metric in ("ua", "wa", "f1", "uar"))
        lines.append(f"{name:{width}} {one.scores['n']:5d}{rates}")
    return "\n".join(lines)


if __name__ == "__main__":
    try:
        main()
    except SerbenchError as error:
        if os.environ.get("RANK", "0") == "0":
            print(f"finetune: {error}", file=sys.stderr)
        sys.exit(2)
