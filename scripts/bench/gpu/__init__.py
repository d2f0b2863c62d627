"""Stages of scripts/bench/gpu.py."""
