"""AESI: clips under made-up names, and the owner's table."""

from functools import partial

from annotated import own_table

plant_examples = partial(own_table.plant_examples, "aesi")
