"""The mean and standard deviation with which networks are trained on ImageNet."""

from __future__ import annotations

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
