"""Generation that stays on a GPU: captured passes, and steps that run ahead of the host. Torch only."""
