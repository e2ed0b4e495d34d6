"""P5: optimizer steps of an expanded HuBERT with frozen originals, SerTrainer against transformers' own Trainer.

Both train the same model on the same clips; the stock Trainer takes them in the order of the files and pads each batch
to its longest clip. Goals: seconds per second of speech at least 1.5 times better with IEMOCAP's lengths, no worse at
fixed length. On a GPU also samples per second and the share of the peak that the model's operations reach (MFU).

    python tests/bench/p5_step.py                                              # a small model, two cores will do
    python tests/bench/p5_step.py --size large --clips 512 --batch 16 --bf16   # on a GPU
    python tests/bench/p5_step.py --size large --clips 512 --batch 16 --bf16 --checkpointing --compile
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from timing import environment

SIZES = {
    "small": {
        "hidden_size": 192,
        "num_hidden_layers": 3,
        "num_attention_heads": 3,
        "intermediate_size": 768,
        "conv_dim": (64,) * 7,
    },
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
    "large": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096},
}
# Dense bfloat16 operations per second, from the makers' data sheets.
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12}


def main() -> None:
    """Run both trainers in turn, each time in a process of its own, and print medians and ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--clips", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--lengths", choices=("iemocap", "fixed"), help="only these")
    parser.add_argument("--trainer", choices=("stock", "ours"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.trainer:
        print(json.dumps(measure(arguments)))
        return
    for lengths in [arguments.lengths] if arguments.lengths else ["iemocap", "fixed"]:
        found: dict[str, list[dict]] = {"stock": [], "ours": []}
        for _ in range(arguments.runs):
            for trainer, runs in found.items():
                command = [sys.executable, __file__, *sys.argv[1:], "--lengths", lengths, "--trainer", trainer]
                done = subprocess.run(command, check=True, env=environment({}), capture_output=True, text=True)
                runs.append(json.loads(done.stdout.splitlines()[-1]))
        print(f"\n{lengths}: {found['ours'][0]['device']}, {arguments.size}, {arguments.clips} clips, "
              f"batches of {arguments.batch}, {arguments.runs} runs each, in turn")  # fmt: skip
        for trainer, runs in found.items():
            middle = {name: statistics.median(one[name] for one in runs) for name in runs[0] if name != "device"}
            print(f"  {trainer:6} " + ", ".join(f"{name} {value:,.3f}" for name, value in middle.items()))
        ratio = statistics.median(one["s per s of speech"] for one in found["stock"]) / statistics.median(
            one["s per s of speech"] for one in found["ours"]
        )
        print(f"  ratio  {ratio:.2f}")


def measure(arguments: argparse.Namespace) -> dict[str, float | str]:
    """Train one epoch to warm up and one that is timed; return seconds per second of speech, memory and MFU."""
    import datasets
    import numpy as np
    import pyarrow as pa
    import torch
    from datasets import Audio, ClassLabel, Dataset, Features, Value
    from p4_batches import simulated
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import (
        HubertConfig,
        HubertForSequenceClassification,
        Trainer,
        TrainerCallback,
        TrainingArguments,
        Wav2Vec2FeatureExtractor,
    )

    from loading_scripts import audio
    from ser_trainer.finetune.arguments import SerTrainingArguments
    from ser_trainer.finetune.targets import labelled
    from ser_trainer.finetune.trainer import SerTrainer
    from ser_trainer.models import expand

    datasets.disable_progress_bars()
    generator = np.random.default_rng(0)
    seconds = (
        simulated("iemocap")[: arguments.clips] if arguments.lengths == "iemocap" else np.full(arguments.clips, 3.0)
    )
    clips = [generator.normal(0, 0.1, round(16_000 * one)) for one in seconds]
    rows = [
        {
            "id": str(number),
            "audio": {"bytes": audio.flac((clip * 32_767).clip(-32_768, 32_767).astype(np.int16)), "path": None},
            "emotion": number % 4,
            "duration": len(clip) / 16_000,
        }
        for number, clip in enumerate(clips)
    ]
    names = ["anger", "happiness", "neutral", "sadness"]
    features = Features(
        {
            "id": Value("string"),
            "audio": Audio(16_000),
            "emotion": ClassLabel(names=names),
            "duration": Value("float32"),
        }
    )
    data = labelled(Dataset(pa.Table.from_pylist(rows, schema=features.arrow_schema)), "emotion")

    torch.manual_seed(0)
    config = HubertConfig(
        **SIZES[arguments.size], do_stable_layer_norm=True, feat_extract_norm="layer", conv_bias=True, layerdrop=0.0,
        apply_spec_augment=False, id2label=dict(enumerate(names)), label2id={one: i for i, one in enumerate(names)},
    )  # fmt: skip
    model = expand(HubertForSequenceClassification(config))
    model.freeze_feature_encoder()
    extractor = Wav2Vec2FeatureExtractor(return_attention_mask=True)
    settings = {
        "output_dir": tempfile.mkdtemp(),
        "num_train_epochs": 2,
        "per_device_train_batch_size": arguments.batch,
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "bf16": arguments.bf16,
        "activation_checkpointing": arguments.checkpointing,
        "torch_compile": arguments.compile,
        "dataloader_num_workers": 8 if torch.cuda.is_available() else 0,
        "dataloader_pin_memory": torch.cuda.is_available(),
        "dataloader_persistent_workers": torch.cuda.is_available(),
        "report_to": "none",
    }

    class Clock(TrainerCallback):
        """Times the second epoch, and counts the operations of one step of the first."""

        epochs: list[float] = []

        def on_epoch_begin(self, args, state, control, **kwargs):
            self._now()

        def on_epoch_end(self, args, state, control, **kwargs):
            self._now()

        def _now(self):
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            self.epochs.append(time.perf_counter())

    if arguments.trainer == "ours":
        trainer = SerTrainer(model, SerTrainingArguments(**settings), train_dataset=data, processing_class=extractor)
    else:

        def collate(batch):
            waves = [audio.as_float(audio.load(one["audio"])) for one in batch]
            inputs = extractor(waves, sampling_rate=16_000, padding=True, return_tensors="pt")
            return dict(inputs) | {"labels": torch.tensor([one["labels"] for one in batch])}

        plain = {"remove_unused_columns": False, "train_sampling_strategy": "sequential"}
        trainer = Trainer(model, TrainingArguments(**settings, **plain), train_dataset=data, data_collator=collate)
    trainer.add_callback(Clock())
    trainer.train()
    taken = Clock.epochs[3] - Clock.epochs[2]
    speech = float(sum(map(len, clips)) / 16_000)
    found = {"s per s of speech": taken / speech, "clips/s": arguments.clips / taken}
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name()
        found["peak GiB"] = torch.cuda.max_memory_allocated() / 2**30
        batch = {key: one.to(model.device) for key, one in trainer.data_collator([data[i] for i in range(4)]).items()
                 if isinstance(one, torch.Tensor)}  # fmt: skip
        with FlopCounterMode(display=False) as counter:
            model.train()(**batch).loss.backward()
        samples = float(batch["attention_mask"].sum()) if "attention_mask" in batch else 1.0
        operations = counter.get_total_flops() / (samples / 16_000) * speech
        peak = next((value for key, value in PEAKS.items() if key in name), None)
        if peak:
            found["MFU, %"] = 100 * operations / taken / peak
        return found | {"device": name}
    import resource

    found["peak GiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return found | {"device": f"CPU, {torch.get_num_threads()} threads"}


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
