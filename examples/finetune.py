"""Fine-tune an audio classifier on corpora of emotional speech; without arguments, a tiny one on the demo corpus.

    accelerate launch examples/finetune.py
    accelerate launch examples/finetune.py --corpora serbench/urdu:fold1 --data_dir URDU-Dataset
    accelerate launch examples/finetune.py --corpora serbench/urdu:fold1 --model facebook/hubert-large-ls960-ft --expand
    accelerate launch examples/finetune.py settings.yaml --learning_rate 2e-5

A YAML or JSON file of settings may come first; its keys are the names below. All arguments of transformers'
TrainingArguments work too. Model, feature extractor, scores and card go to --output_dir; the same command goes on after
a kill.
"""

import logging
import os
import sys
from copy import copy
from pathlib import Path

from datasets import disable_progress_bars
from transformers.utils.logging import disable_progress_bar

from loading_scripts.errors import SerbenchError
from model_cards.card import write_cross_validation
from ser_trainer.finetune import cross_validation
from ser_trainer.finetune.run import fine_tune, finished
from ser_trainer.finetune.scoring import across_folds
from ser_trainer.finetune.settings import parse
from ser_trainer.finetune.tables import score_table


def main() -> None:
    """Train one model, or one for each fold."""
    data, model, args = parse(sys.argv[1:], __doc__)
    logging.basicConfig(format="%(message)s")
    logging.getLogger("ser_trainer").setLevel(logging.INFO if args.process_index == 0 else logging.ERROR)
    if args.disable_tqdm:
        disable_progress_bar()
        disable_progress_bars()
    folds = cross_validation.folds(data)
    results = []
    for fold in folds:
        own = copy(args)
        if len(folds) > 1:
            own.output_dir = str(Path(args.output_dir) / fold.corpora[0].rpartition(":")[2])
        known = finished(Path(own.output_dir), fold, model, own) if len(folds) > 1 else None
        results += known or fine_tune(fold, model, own)
    if args.process_index == 0:
        print(score_table(results, folds=len(folds) > 1))
        if len(folds) > 1:
            write_cross_validation(across_folds(results), Path(args.output_dir))
        print(f"\nModel{'s and cards' if len(folds) > 1 else ' and card'}: {args.output_dir}")


if __name__ == "__main__":
    try:
        main()
    except SerbenchError as error:
        if os.environ.get("RANK", "0") == "0":
            print(f"finetune: {error}", file=sys.stderr)
        sys.exit(2)
