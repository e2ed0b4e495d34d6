r"""Compare ways to transfer a HuBERT to one corpus, as table 2 of the ExHuBERT paper does.

    python examples/exhubert_transfer.py --model facebook/hubert-large-ls960-ft --corpora serbench/ravdess:fold1
    accelerate launch examples/exhubert_transfer.py --source serbench/demo:fold1 --corpora serbench/urdu:fold1 \
        --data_dir URDU-Dataset --seeds 1 2 3

plain: the HuBERT itself; frozen: one gated copy of each layer, the originals frozen (ExHuBERT); non_frozen: the same
with trainable originals; two_copies: two copies of each, the originals frozen (the paper's XLarge). With --source the
HuBERT is fine-tuned on these corpora first, as the paper does with EmoSet++; without --model it starts from random
weights. All arguments of examples/finetune.py work too. What is finished is not done again.
"""

import sys
from copy import copy
from dataclasses import dataclass, field, replace
from pathlib import Path

from model_cards.model_scores import SplitScores
from ser_trainer.finetune.arguments import ArgumentsError
from ser_trainer.finetune.run import fine_tune_once
from ser_trainer.finetune.settings import parse
from ser_trainer.finetune.terminal import listen, run_script, variant_table
from ser_trainer.finetune.transfers import VARIANTS


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
    listen(args)
    if not model.model and not transfer.source:
        raise ArgumentsError("A transfer needs something to start from: add --model, --source, or both.")
    output = Path(args.output_dir)
    source = replace(data, corpora=transfer.source, data_dir=transfer.source_data_dir)
    results: dict[str, list[SplitScores]] = {name: [] for name in transfer.variants}
    for seed in transfer.seeds:
        own, base = copy(args), model.model
        own.seed = seed
        if transfer.source:
            base = str(output / f"source-seed{seed}")
            fine_tune_once(source, replace(model, expand=False), own, Path(base))
        for name, scores in results.items():
            start = replace(model, model=base, new_head=True, **VARIANTS[name])
            scores += fine_tune_once(data, start, own, output / f"{name}-seed{seed}")
    if args.process_index == 0:
        print(variant_table(results))
        print(f"\nModels and cards: {output}")


if __name__ == "__main__":
    run_script(main, "exhubert_transfer")
