"""Adversarial losses, one a file: what generator and discriminator lower against each other.

Each is an `AdversarialLoss` (see `adversarial_loss`), which `registry` makes by name. Imports
without torch.
"""
