"""Weights as other projects store them, read without running anything that they hold.

Begin with read_weights.py: the format is told by content, never by file name. A torch checkpoint is a pickle, and a
pickle is a program: torch_pickle.py follows it with names of ours in place of those that it asks for, so that tensors
come out and nothing else happens. `convert_weights` does it in a process of its own with bounded memory and time, and
leaves safetensors. Not here: bundles of ours (zoo), networks that the weights belong to (networks).
"""

from hounsfield.zoo.foreign_weights.convert_weights import StoredNetwork, convert_weights, stored_network
from hounsfield.zoo.foreign_weights.read_weights import (
    ForeignWeights,
    WeightsFormat,
    read_foreign_weights,
    weights_format,
)
from hounsfield.zoo.foreign_weights.state_dict import state_dict_of, texts_of, without_wrapper_names
from hounsfield.zoo.foreign_weights.torch_pickle import Unread

__all__ = [
    "ForeignWeights",
    "StoredNetwork",
    "Unread",
    "WeightsFormat",
    "convert_weights",
    "read_foreign_weights",
    "state_dict_of",
    "stored_network",
    "texts_of",
    "weights_format",
    "without_wrapper_names",
]
