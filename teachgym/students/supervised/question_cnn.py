"""A small convolutional network that looks at an image, reads a question, and chooses an answer."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import cross_entropy, relu

from teachgym.data.example import Example
from teachgym.data.task import DataTask
from teachgym.setting_checks import check_positive, check_share, check_whole
from teachgym.students.supervised.choices import Choices
from teachgym.students.supervised.images import seen, sized
from teachgym.students.supervised.student import State, SupervisedStudent
from teachgym.students.supervised.torch_network import chosen_device, load_network_state, making, network_state

_BUCKETS = 512
"""Rows of the table of words, the first of which is for no word."""
_WORD = re.compile(r"\w+|[^\w\s]")
