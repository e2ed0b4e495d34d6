"""Arguments of fine-tuning: which corpora, which model, and what `SerTrainer` adds to transformers' own."""

from dataclasses import dataclass, field, fields
from typing import get_args

from transformers import TrainingArguments

from loading_scripts.errors import SerbenchError, near

from .sampling.balance import How

BALANCES = get_args(How)
CROPS = ("random", "centre")
EVAL_CROPS = ("full", "centre", "chunks")
PRIORS = ("none", "train", "eval", "both")


class ArgumentsError(SerbenchError, ValueError):
    """An argument has a value that it cannot have, or does not go with another."""


@dataclass
class CorpusArguments:
    """Which utterances, and which of their labels."""

    corpora: list[str] = field(
        default_factory=lambda: ["serbench/demo:fold1"],
        metadata={
            "help": "Corpora with their configs, as serbench/urdu:fold1; several train one model. "
            "serbench/urdu:fold* trains one model for each fold and reports mean and standard deviation."
        },
    )
    data_dir: list[str] | None = field(
        default=None,
        metadata={
            "help": "Raw folder of each corpus, in the order of --corpora; '-' where none is needed. "
            "Default: ./serbench/<corpus>, then $SERBENCH_DATA/<corpus>."
        },
    )
    target: list[str] = field(
        default_factory=lambda: ["emotion"],
        metadata={
            "help": "What to learn: emotion, unified8 or arousal_valence (classes), or the ratings arousal, valence, "
            "dominance (one or more of them)."
        },
    )
    exclude: list[str] = field(
        default_factory=list, metadata={"help": "Classes to leave out of training and scores, as other."}
    )
    only_commercial: bool = field(
        default=False,
        metadata={"help": "Refuse corpora and base models that do not clearly allow commercial use."},
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
        metadata={
            "help": "Insert gated copies after every layer (ExHuBERT); the default for a model made on the spot."
        },
    )
    copies: int = field(
        default=1, metadata={"help": "Copies of each layer when expanding: 1, or 2 (the paper's XLarge)."}
    )
    freeze_original: bool = field(
        default=True,
        metadata={"help": "Leave the original layers of an expanded model as they were pre-trained."},
    )
    new_head: bool = field(
        default=False, metadata={"help": "Replace the head of a model that was trained for other classes."}
    )
    lora_rank: int = field(
        default=0, metadata={"help": "Train low-rank adapters of this rank instead of the encoder; merged at the end."}
    )
    lora_alpha: float | None = field(default=None, metadata={"help": "Scale of the adapters; default: twice the rank."})

    def __post_init__(self):
        if self.copies < 1:
            raise ArgumentsError(f"--copies must be at least 1; it is {self.copies}. Leave --expand out for none.")
        if self.lora_rank < 0:
            raise ArgumentsError(f"--lora_rank must be 0 (off) or more; it is {self.lora_rank}.")


@dataclass
class SerTrainingArguments(TrainingArguments):
    """`transformers.TrainingArguments` with what speech emotion recognition adds, and defaults that audio needs.

    Args:
        max_seconds: training clips are cut to this; evaluation as `eval_crop` says.
        crop: where training clips are cut.
        eval_crop: whole clips, their middle, or all of them in chunks of `max_seconds` whose logits are averaged.
        pad_to_max: pad every clip to `max_seconds`, as the published ExHuBERT does with 3 s.
        augment: kinds of `augment.Augmentation`.
        augment_probability: probability of each.
        balance: which training rows are drawn (`sampling.balance`).
        round_robin: one optimizer step of each corpus in turn.
        batch_seconds: padded seconds of a batch of one device.
        class_weights: weigh the loss of an example with n / (classes * n of its class).
        logit_adjustment: Menon et al., "Long-tail learning via logit adjustment", ICLR 2021: in the loss (equation 10),
            or of the finished classifier (equation 9).
        logit_adjustment_tau: its strength.
        ema_decay: score and save an exponential moving average of the weights.
        early_stopping_patience: evaluations without a better score until training stops.
    """

    max_seconds: float | None = field(default=None, metadata={"help": "Cut longer training clips to this length."})
    crop: str = field(default="random", metadata={"help": "Where training clips are cut: random or centre."})
    eval_crop: str = field(
        default="full",
        metadata={
            "help": "Evaluation: full clips, their centre, or chunks of --max_seconds whose logits are averaged."
        },
    )
    pad_to_max: bool = field(
        default=False, metadata={"help": "Pad every clip to --max_seconds, as the published ExHuBERT does with 3."}
    )
    augment: list[str] = field(
        default_factory=list,
        metadata={"help": "Augmentations of training clips: noise, speed, gain, band_limit, reverberation."},
    )
    augment_probability: float = field(default=0.5, metadata={"help": "Probability of each augmentation."})
    balance: str = field(
        default="none", metadata={"help": "Balance the classes of the training rows: none, under, over, smote, adasyn."}
    )
    round_robin: bool = field(
        default=False,
        metadata={"help": "With several corpora: one optimizer step of each in turn (ExHuBERT, section 4.1)."},
    )
    batch_seconds: float | None = field(
        default=None, metadata={"help": "At most this many seconds in a batch of one device, padding included."}
    )
    class_weights: bool = field(
        default=False, metadata={"help": "Weigh the loss by the inverse frequency of the class."}
    )
    logit_adjustment: str = field(
        default="none",
        metadata={"help": "Adjust logits by the class prior: none, train (in the loss), eval (afterwards) or both."},
    )
    logit_adjustment_tau: float = field(default=1.0, metadata={"help": "Strength of the adjustment."})
    ema_decay: float = field(
        default=0.0, metadata={"help": "Decay of a moving average of the weights, as 0.999; 0 is off."}
    )
    early_stopping_patience: int | None = field(
        default=None, metadata={"help": "Stop after this many evaluations without a better score."}
    )
    # Windows of similar length: performance.md, P4.
    train_sampling_strategy: str = field(
        default="group_by_length",
        metadata={"help": "Order of the training rows: group_by_length (little padding), random or sequential."},
    )
    # The collator reads columns that the model's forward does not know.
    remove_unused_columns: bool = field(default=False, metadata={"help": "Leave this off: the collator needs them."})
    metric_for_best_model: str | None = field(
        default="uar", metadata={"help": "Score that chooses the best checkpoint: uar, ua, wa, f1, ccc or loss."}
    )
    # With the filter on, a loss that is no number looks like one in the log.
    logging_nan_inf_filter: bool = field(default=False, metadata={"help": "Hide NaN and infinite losses in the log."})

    def __post_init__(self):
        super().__post_init__()
        for name, known in (
            ("crop", CROPS),
            ("eval_crop", EVAL_CROPS),
            ("balance", BALANCES),
            ("logit_adjustment", PRIORS),
            ("train_sampling_strategy", ("group_by_length", "random", "sequential")),
        ):
            value = getattr(self, name)
            if value not in known:
                raise ArgumentsError(
                    f"--{name} is one of {', '.join(known)}; it is {value!r}.{near(str(value), known)}"
                )
        for name in ("max_seconds", "batch_seconds", "logit_adjustment_tau", "early_stopping_patience"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ArgumentsError(f"--{name} must be above 0; it is {value}. Leave it out to do without.")
        if not 0 <= self.ema_decay < 1:
            raise ArgumentsError(f"--ema_decay lies in [0, 1), as 0.999; it is {self.ema_decay}. 0 is off.")
        if not 0 <= self.augment_probability <= 1:
            raise ArgumentsError(f"--augment_probability lies in [0, 1]; it is {self.augment_probability}.")
        if self.max_seconds is None:
            for name in ("pad_to_max", "eval_crop"):
                if getattr(self, name) not in (False, "full"):
                    raise ArgumentsError(f"--{name} {getattr(self, name)} needs a length: add --max_seconds 3.")
        if self.class_weights and self.balance != "none":
            raise ArgumentsError(f"--class_weights and --balance {self.balance} correct the classes twice. Choose one.")
        if self.early_stopping_patience is not None and not self.load_best_model_at_end:
            raise ArgumentsError(
                "--early_stopping_patience needs scores to compare and a checkpoint to return to: add "
                "--eval_strategy epoch --save_strategy epoch --load_best_model_at_end."
            )
        if self.remove_unused_columns:
            raise ArgumentsError("--remove_unused_columns must be off: the collator needs the audio. Leave it out.")


# Of transformers' arguments, those that decide about the weights; the others say how a machine goes about it.
_DECISIVE = (
    "learning_rate",
    "lr_scheduler_type",
    "lr_scheduler_kwargs",
    "warmup_steps",
    "optim",
    "optim_args",
    "weight_decay",
    "adam_beta1",
    "adam_beta2",
    "adam_epsilon",
    "max_grad_norm",
    "num_train_epochs",
    "max_steps",
    "label_smoothing_factor",
    "bf16",
    "fp16",
    "seed",
    "data_seed",
    "train_sampling_strategy",
)
# Of ours, those that only decide how scores are taken.
_OF_EVALUATION = ("eval_crop", "early_stopping_patience")


def decisive(args: SerTrainingArguments) -> dict[str, object]:
    """Return the arguments that decide about the weights; batch size and processes are not among them."""
    stock = {one.name for one in fields(TrainingArguments)}
    ours = [one.name for one in fields(args) if one.name not in stock and one.name not in _OF_EVALUATION]
    values = {name: getattr(args, name, None) for name in [*_DECISIVE, *ours]}
    idle = {
        "num_train_epochs": args.max_steps > 0,  # overruled
        "crop": args.max_seconds is None,
        "augment_probability": not args.augment,
        "logit_adjustment_tau": args.logit_adjustment == "none",
    }
    values = {name: value for name, value in values.items() if not idle.get(name)}
    return {name: getattr(value, "value", value) for name, value in values.items()}


# For the model made on the spot; measured on serbench/demo:fold1 and serbench/urdu:fold1.
SCRATCH = {
    "expand": True,
    "learning_rate": 1e-3,
    "lr_scheduler_type": "linear",
    "warmup_steps": 0.1,
    "num_train_epochs": 10.0,
    "per_device_train_batch_size": 8,
    "save_strategy": "no",
}
# ExHuBERT paper, section 4.1, and the best epoch by validation UAR; everything else is transformers' default.
PRETRAINED = {
    "learning_rate": 1e-5,
    "eval_strategy": "epoch",
    "save_strategy": "epoch",
    "load_best_model_at_end": True,
    "save_total_limit": 2,
}
