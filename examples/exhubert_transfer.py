r"""Compare ways to transfer a HuBERT to one corpus, as table 2 of the ExHuBERT paper does.

    python examples/exhubert_transfer.py --model facebook/hubert-large-ls960-ft --corpora serbench/ravdess:fold1
    accelerate launch examples/exhubert_transfer.py --source serbench/demo:fold1 --corpora serbench/urdu:fold1 \
        --data_dir URDU-Dataset --seeds 1 2 3

plain: the HuBERT itself; frozen: one gated copy of each layer, the originals frozen (ExHuBERT); non_frozen: the same
with trainable originals; two_copies: two copies of each, the originals frozen (the paper's XLarge). With --source the
HuBERT is fine-tuned on these corpora first, as the paper does with EmoSet++; without --model it starts from random
weights. All arguments of examples/finetune.py work too. What is finished is not done again.
"""

import logging
import os
import sys
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

from loading_scripts.errors import SerbenchError
from model_cards.model_scores import SplitScores
from ser_trainer.finetune.arguments import ArgumentsError, CorpusArguments, ModelArguments, SerTrainingArguments
from ser_trainer.finetune.run import fine_tune, finished
from ser_trainer.finetune.settings import parse
from ser_trainer.finetune.tables import variant_table

VARIANTS = {
    "plain": {"expand": False},
    "frozen": {"expand": True, "copies": 1, "freeze_original": True},
    "non_frozen": {"expand": True, "copies": 1, "freeze_original": False},
    "two_copies": {"expand": True, "copies": 2, "freeze_original": True},
}


@dataclass
class TransferArguments:
    """Which transfers are compared."""

    source: list[str] = field(
        default_factory=list, metadata={"help": "Corpora that the HuBERT is fine-tuned on before it is expanded."}
    )
    source_data_dir: list[str] | None = field(default=None, metadata={"help": "Raw folder of each source."})
    variants: list[str] = field(
        default_factory=lambda: list(VARIANTS), metadata={"help": f"Which of {', '.join(VARIANTS)}."}
    )
    seeds: list[int] = field(default_factory=lambda: [42], metadata={"help": "One transfer of each variant per seed."})

    def __post_init__(self):
        for name in self.variants:
            if name not in VARIANTS:
                raise ArgumentsError(f"--variants are among {', '.join(VARIANTS)}; {name!r} is not.")


def main() -> None:
    """Fine-tune on the sources, expand, transfer, compare; once for each seed."""
    data, model, args, transfer = parse(sys.argv[1:], __doc__, TransferArguments, prefix="transfer-")
    logging.basicConfig(format="%(message)s")
    logging.getLogger("ser_trainer").setLevel(logging.INFO if args.process_index == 0 else logging.ERROR)
    if not model.model and not transfer.source:
        raise ArgumentsError("A transfer needs something to start from: add --model, --source, or both.")
    results: dict[str, list[SplitScores]] = {}
    for seed in transfer.seeds:
        base = model.model
        if transfer.source:
            base = str(Path(args.output_dir) / f"source-seed{seed}")
            known = replace(data, corpora=transfer.source, data_dir=transfer.source_data_dir)
            run(known, replace(model, expand=False), args, base, seed)
        for name in transfer.variants:
            start = replace(model, model=base, new_head=True, **VARIANTS[name])
            folder = str(Path(args.output_dir) / f"{name}-seed{seed}")
            results.setdefault(name, []).extend(run(data, start, args, folder, seed))
    if args.process_index == 0:
        print(variant_table(results))
        print(f"\nModels and cards: {args.output_dir}")


def run(
    data: CorpusArguments, model: ModelArguments, args: SerTrainingArguments, folder: str, seed: int
) -> list[SplitScores]:
    """Return the test scores of one training, which is not repeated if its folder has them."""
    own = copy(args)
    own.output_dir, own.seed = folder, seed
    return finished(Path(folder), data, model, own) or fine_tune(data, model, own)


if __name__ == "__main__":
    try:
        main()
    except SerbenchError as error:
        if os.environ.get("RANK", "0") == "0":
            print(f"exhubert_transfer: {error}", file=sys.stderr)
        sys.exit(2)
