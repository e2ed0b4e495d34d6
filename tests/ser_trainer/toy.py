"""A toy corpus, a toy model and a run of SerTrainer that logs every step; torchrun starts this file as well."""

import json
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import soundfile
import torch
from datasets import Audio, ClassLabel, Dataset, Features, Value
from transformers import HubertForSequenceClassification, Wav2Vec2FeatureExtractor

from ser_trainer.finetune.arguments import SerTrainingArguments
from ser_trainer.finetune.targets import labelled
from ser_trainer.finetune.trainer import SerTrainer
from ser_trainer.models import tiny_hubert_config

EMOTIONS = ["anger", "neutral", "sadness"]

torch.set_num_threads(1)  # models this small only lose time to more, above all on busy cores


def corpus(folder: Path, labels: list[int | None], column: str = "emotion") -> Dataset:
    """Return rows of noise, 0.25 to 0.6 s, that have these labels; audio is a path, as in the plugin door."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, label in enumerate(labels):
        samples = np.random.default_rng(number).normal(0, 0.1, 4000 + 800 * (number % 8))
        path = folder / f"{number}.wav"
        soundfile.write(path, samples, 16_000, subtype="PCM_16")
        rows.append(
            {
                "id": f"u{number}",
                "audio": {"bytes": None, "path": str(path)},
                column: label,
                "speaker": f"s{number % 4}",
                "duration": len(samples) / 16_000,
                "arousal": None if number % 5 == 4 else 1 + 4 * (number % 7) / 6,
                "valence": 1 + 4 * (number % 3) / 2,
            }
        )
    features = Features(
        {
            "id": Value("string"),
            "audio": Audio(16_000),
            column: ClassLabel(names=EMOTIONS),
            "speaker": Value("string"),
            "duration": Value("float32"),
            "arousal": Value("float32"),
            "valence": Value("float32"),
        }
    )
    return Dataset(pa.Table.from_pylist(rows, schema=features.arrow_schema))


def classifier(seed: int = 0, **fields) -> HubertForSequenceClassification:
    """Return a tiny HuBERT without dropout: its output depends on nothing but weights and input."""
    torch.manual_seed(seed)
    config = tiny_hubert_config(dict(enumerate(EMOTIONS)))
    still = dict.fromkeys(("hidden_dropout", "activation_dropout", "attention_dropout", "final_dropout"), 0.0)
    config.update(still | {"initializer_range": 0.1} | fields)
    return HubertForSequenceClassification(config)


def extractor(**fields) -> Wav2Vec2FeatureExtractor:
    return Wav2Vec2FeatureExtractor(**{"return_attention_mask": True} | fields)


def trainer(folder: Path, rows: Dataset, model: torch.nn.Module | None = None, **arguments) -> SerTrainer:
    """Return a trainer on the CPU whose steps take the rows in their order and are all logged."""
    defaults = {
        "output_dir": str(folder / "out"),
        "use_cpu": True,
        "train_sampling_strategy": "sequential",
        "num_train_epochs": 2,
        "learning_rate": 1e-3,
        "max_grad_norm": 1e9,
        "logging_steps": 1,
        "save_strategy": "no",
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }
    eval_dataset = arguments.pop("eval_dataset", None)
    return SerTrainer(
        model or classifier(),
        SerTrainingArguments(**defaults | arguments),
        train_dataset=rows,
        eval_dataset=eval_dataset,
        processing_class=extractor(),
    )


def losses(folder: Path, rows: int, batch: int, accumulation: int) -> dict[str, list]:
    """Train on a corpus; return loss and gradient norm of every step, then the order of the test predictions."""
    data = labelled(corpus(folder, [number % 3 for number in range(rows)]), "emotion")
    run = trainer(folder, data, per_device_train_batch_size=batch, gradient_accumulation_steps=accumulation)
    run.train()
    output = run.predict(data)
    steps = [entry for entry in run.state.log_history if "grad_norm" in entry]
    return {
        "loss": [entry["loss"] for entry in steps],
        "grad_norm": [entry["grad_norm"] for entry in steps],
        "labels": output.label_ids.tolist(),
        "logits": output.predictions.tolist(),
        "processes": run.args.world_size,
        "rank": run.args.process_index,
    }


if __name__ == "__main__":
    found = losses(Path(sys.argv[1]), *map(int, sys.argv[2:]))
    if found["rank"] == 0:
        print(json.dumps(found))
