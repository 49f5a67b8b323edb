"""Selecting a thing in a photo by a click or a box: its outline becomes the mask."""
