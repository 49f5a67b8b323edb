"""Training losses, one idea a file, a pure function first.

Each is a function that gives a number to be lowered, a float32 tensor without dimensions (float64
of float64). Three kinds of calls:

- of pictures, `loss(answer, truth, mask, *, …)`: N×3×H×W and N×1×H×W, 1 = missing. `reconstruction`
  (`l1`, `l2`) and `total_variation`. Any stage of a network, raw or composed, may be the answer;
  for a stage of low resolution the caller scales truth and mask.
- of features, `loss(answer, truth, …)`: lists of layers, each N×C×H×W, from a frozen network (see
  `vgg`, `feature_network`). `perceptual`, `style`; `correlation` takes one layer.
- of a discriminator: `adversarial`, see there, and `feature_matching`.

Sums over a picture are means over the pictures, so a batch may be cut into parts; only what
divides by the hole's share needs the whole batch's (`hole_share`). Weights and which stage, picture
and layers are compared belong to the recipe. MADF's incremental supervision (section III-E) is such
a list of stages, and needs no function.
"""
