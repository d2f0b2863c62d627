"""The parts of scripts/train_demo.py: corpus, vocabulary, network, training, acceptance and GGUF writing."""
