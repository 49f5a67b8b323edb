"""Networks that come without weights: what a user should know who brings the authors' file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """A network that `fill --model FILE` knows by the keys of its weights.

    Attributes:
        name: as `create_model` takes it.
        title: what it is, in a line.
        paper: authors, title, venue and year.
        files: the weights that load, as they are released.
        licence: of those weights.
    """

    name: str
    title: str
    paper: str
    files: str
    licence: str


NETWORKS = (
    Network(
        "aotgan",
        "blocks that look at four distances at once; made for 512 px",
        "Zeng et al., Aggregated Contextual Transformations for High-Resolution Image Inpainting, "
        "TVCG 2022",
        "G*.pt",
        "Apache-2.0",
    ),
    Network(
        "deepfillv1",
        "contextual attention (CA): patches of the known region are pasted into the hole",
        "Yu et al., Generative Image Inpainting with Contextual Attention, CVPR 2018",
        "gen_XXXXXXXX.pt or torch_model.p of a PyTorch port; variables as .npz",
        "port: MIT; the authors' (TensorFlow): CC BY-NC",
    ),
    Network(
        "deepfillv2",
        "gated convolutions (GC) and contextual attention",
        "Yu et al., Free-Form Image Inpainting with Gated Convolution, ICCV 2019",
        "states_tf_*.pth or states_pt_*.pth of a PyTorch port; variables as .npz",
        "the authors' (TensorFlow): CC BY-NC; port: none named",
    ),
    Network(
        "edgeconnect",
        "edges first, then the picture along them (EC)",
        "Nazeri et al., EdgeConnect: Generative Image Inpainting with Adversarial Edge Learning, "
        "2019",
        "folder of EdgeModel_gen.pth and InpaintingModel_gen.pth",
        "CC BY-NC 4.0",
    ),
    Network(
        "glcic",
        "dilated convolutions, globally and locally consistent; for --blend poisson",
        "Iizuka et al., Globally and Locally Consistent Image Completion, SIGGRAPH 2017",
        "the completion network of an unofficial PyTorch program",
        "MIT",
    ),
    Network(
        "lbam",
        "maps learnt from the known region and from the hole weigh the features",
        "Xie et al., Image Inpainting with Learnable Bidirectional Attention Maps, ICCV 2019",
        "LBAM_N.pth",
        "MIT",
    ),
    Network(
        "pconv",
        "partial convolutions (PC): over known pixels alone",
        "Liu et al., Image Inpainting for Irregular Holes Using Partial Convolutions, ECCV 2018",
        "the checkpoint of an unofficial PyTorch program",
        "MIT",
    ),
    Network(
        "pennet",
        "a pyramid of attention, from deep to shallow",
        "Zeng et al., Learning Pyramid-Context Encoder Network for High-Quality Image Inpainting, "
        "CVPR 2019",
        "gen_N.pth",
        "MIT",
    ),
    Network(
        "pic",
        "several answers for one hole, with --count",
        "Zheng et al., Pluralistic Image Completion, CVPR 2019",
        "folder of latest_net_E.pth and latest_net_G.pth",
        "CC BY-NC",
    ),
    Network(
        "structureflow",
        "structure first, then texture fetched along a flow",
        "Ren et al., StructureFlow: Image Inpainting via Structure-aware Appearance Flow, "
        "ICCV 2019",
        "folder of latest_net_s_gen.pth and latest_net_f_gen.pth",
        "CC BY-NC",
    ),
)
"""Those that the papers compare with, and AOT-GAN; the papers' own have pages under docs/."""
