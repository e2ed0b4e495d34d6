"""Print which printed averages recompute: ``python -m ser_metrics.published``."""

from ser_metrics.published import recomputed

averages = recomputed()
for one in averages:
    if not one.agrees:
        value = "no value" if one.value is None else f"{one.value:.2f}"
        print(f"{one.table:18s} {one.of:24s} printed {one.printed:>6s}, cells give {value:>8s}  {one.note}")
print(f"{sum(one.agrees for one in averages)} of {len(averages)} printed averages and totals recompute.")
