"""Parts of a network, written once as operations on the rows of a pass (kernels.protocol).

Legend for shapes: N rows, W wanted rows, V vocabulary, D embedding, H heads, K kv heads, G = H/K, C context cells,
S slots, E experts, F feed-forward width, head = one head's width.
"""
