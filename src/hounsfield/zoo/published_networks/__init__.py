"""Networks of pictures as others publish them: told by the names of their weights, and renamed to ours without loss.

Begin with recognise.py; each family has a file that says which of our networks it is and which name stands for which. A
weight that is missing, left over or of another shape is an error in the publisher's own words. picture_inputs.py says what
the families do with a picture first. Not here: reading files (foreign_weights), writing bundles (formats).
"""

from hounsfield.zoo.published_networks.picture_inputs import PRESETS, input_of_config
from hounsfield.zoo.published_networks.recognise import Recognised, recognise

__all__ = ["PRESETS", "Recognised", "input_of_config", "recognise"]
