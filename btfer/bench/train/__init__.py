"""How a network is trained: the protocol, its phases, augmented batches, checkpoints and devices."""
