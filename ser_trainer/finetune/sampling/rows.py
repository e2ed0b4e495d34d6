"""Training rows: what the collator gets for each pick of a schedule."""

from collections.abc import Mapping, Sequence
from typing import Any

from torch.utils.data import Dataset

from .plan import Plan
from .schedule import Pick


class TrainingRows(Dataset):
    """The entries of a plan, looked up by picks; can be sent to worker processes.

    Args:
        dataset: rows as dicts, for example a `datasets.Dataset` from `labelled`.
        plan: which of them are the entries.
        seed: of everything random about a row; the first number of its `draw`.
    """

    def __init__(self, dataset: Sequence[Mapping[str, Any]], plan: Plan, seed: int):
        self.dataset = dataset
        self.plan = plan
        self.seed = seed

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, pick: Pick) -> dict[str, Any]:
        """Return the row of an entry with `draw`: (seed, entry, turn), which is never the same twice in a training.

        A mixture has `other`, the row that is mixed in, and `share`, how much of it, in (0, 1).
        """
        entry, turn = pick
        row = {**self.dataset[int(self.plan.rows[entry])], "draw": (self.seed, entry, turn)}
        share = float(self.plan.shares[entry])
        if share > 0:
            row |= {"other": self.dataset[int(self.plan.others[entry])], "share": share}
        return row
