"""What proves the evidence: the Merkle tree over its leaves, and signed notes of the tree's heads. Pure."""
