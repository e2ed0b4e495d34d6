"""Fine-tune an audio classifier on corpora of emotional speech; without arguments, a tiny one on the demo corpus.

    accelerate launch examples/finetune.py
    accelerate launch examples/finetune.py --corpora serbench/urdu:fold1 --data_dir URDU-Dataset
    accelerate launch examples/finetune.py --corpora serbench/urdu:fold1 --model facebook/hubert-large-ls960-ft --expand
    accelerate launch examples/finetune.py settings.yaml --learning_rate 2e-5

A YAML or JSON file of settings may come first; its keys are the names below. All arguments of transformers'
TrainingArguments work too. Model, feature extractor, scores and card go to --output_dir; the same command goes on after
a kill.
"""

import sys
from pathlib import Path

from model_cards.card import write_cross_validation
from ser_trainer.finetune import cross_validation
from ser_trainer.finetune.run import fine_tune, fine_tune_once
from ser_trainer.finetune.scoring import across_folds
from ser_trainer.finetune.settings import parse
from ser_trainer.finetune.terminal import listen, run_script, score_table


def main() -> None:
    """Train one model, or one for each fold."""
    data, model, args = parse(sys.argv[1:], __doc__)
    listen(args)
    output, folds = Path(args.output_dir), cross_validation.folds(data)
    if len(folds) == 1:
        results = fine_tune(data, model, args)
    else:
        results = [
            one
            for fold in folds
            for one in fine_tune_once(fold, model, args, output / fold.corpora[0].rpartition(":")[2])
        ]
    if args.process_index == 0:
        print(score_table(results, folds=len(folds) > 1))
        if len(folds) > 1:
            write_cross_validation(across_folds(results), output)
        print(f"\nModel{'s and cards' if len(folds) > 1 else ' and card'}: {output}")


if __name__ == "__main__":
    run_script(main, "finetune")
