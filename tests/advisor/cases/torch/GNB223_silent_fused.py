# The net of the other case after fusing: no batch norm is left.
# %%
import torch
from torch import nn
from torch.nn.utils import fuse_conv_bn_eval

torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(3, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
    nn.Conv2d(32, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    nn.Linear(64, 10),
)  # fmt: skip
model.eval()
model[0], model[1] = fuse_conv_bn_eval(model[0], model[1]), nn.Identity()
model[3], model[4] = fuse_conv_bn_eval(model[3], model[4]), nn.Identity()
pictures = torch.randn(64, 3, 32, 32)
# %%
with torch.inference_mode():
    for _ in range(140):
        scores = model(pictures)
