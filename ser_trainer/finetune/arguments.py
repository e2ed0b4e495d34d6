"""Arguments of fine-tuning: which corpora, which model, and what `SerTrainer` adds to transformers' own."""

from dataclasses import dataclass, field

from transformers import TrainingArguments


@dataclass
class CorpusArguments:
    """Which utterances, and which of their labels."""

    corpora: list[str] = field(
        default_factory=lambda: ["serbench/demo:fold1"],
        metadata={"help": "Corpora with their configs, as serbench/urdu:fold1; several train one model."},
    )
    data_dir: list[str] | None = field(
        default=None,
        metadata={
            "help": "Raw folder of each corpus, in the order of --corpora; '-' where none is needed. "
            "Default: ./serbench/<corpus>, then $SERBENCH_DATA/<corpus>."
        },
    )
    target: str = field(
        default="emotion", metadata={"help": "Label column to learn: emotion, unified8 or arousal_valence."}
    )


@dataclass
class ModelArguments:
    """Which model training starts from."""

    model: str | None = field(
        default=None,
        metadata={"help": "Folder or Hub id of an encoder or classifier; default: a tiny HuBERT, made on the spot."},
    )
    expand: bool = field(
        default=False,
        metadata={"help": "Expand a HuBERT into an ExHuBERT first; the one made on the spot always is."},
    )
    freeze_original: bool = field(
        default=True,
        metadata={"help": "Leave the original layers of an expanded model as they were pre-trained."},
    )
    new_head: bool = field(
        default=False, metadata={"help": "Replace the head of a model that was trained for other classes."}
    )


@dataclass
class SerTrainingArguments(TrainingArguments):
    """`transformers.TrainingArguments` with the defaults that audio and its scores need.

    Args:
        max_seconds: training clips are cut to their middle; evaluation takes whole clips.
    """

    max_seconds: float | None = field(
        default=None, metadata={"help": "Cut longer training clips to their middle; evaluation takes whole clips."}
    )
    # The collator reads columns that the model's forward does not know.
    remove_unused_columns: bool = field(default=False, metadata={"help": "Leave this off: the collator needs them."})
    metric_for_best_model: str | None = field(
        default="uar", metadata={"help": "Score that chooses the best checkpoint: uar, ua, wa, f1 or loss."}
    )
    # With the filter on, a loss that is no number looks like one in the log.
    logging_nan_inf_filter: bool = field(default=False, metadata={"help": "Hide NaN and infinite losses in the log."})

    def __post_init__(self):
        super().__post_init__()
        if self.max_seconds is not None and not self.max_seconds > 0:
            raise ValueError(f"--max_seconds must be above 0; it is {self.max_seconds}. Leave it out for whole clips.")
        if self.remove_unused_columns:
            raise ValueError("--remove_unused_columns must be off: the collator needs the audio column. Leave it out.")


# For the model made on the spot; measured on serbench/demo:fold1 and serbench/urdu:fold1.
SCRATCH = {
    "learning_rate": 1e-3,
    "lr_scheduler_type": "linear",
    "warmup_steps": 0.1,
    "num_train_epochs": 10.0,
    "per_device_train_batch_size": 8,
    "save_strategy": "no",
}
# ExHuBERT paper, section 4.1; everything else is transformers' default.
PRETRAINED = {"learning_rate": 1e-5}
