"""Heads on frozen features: grids of small networks trained together, and SERAB's classifiers."""
