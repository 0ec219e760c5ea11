# Layers whose sizes do not suit the sparse kernels.
# needs: 8.0
# also: GNB211
# %%
import time

import torch
from torch import nn

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
net = nn.Sequential(*(layer for _ in range(6) for layer in (nn.Linear(2044, 2044), nn.ReLU())))
net = net.to(device, torch.bfloat16).eval()
rows = torch.randn(4096 if device == "cuda" else 16, 2044, device=device, dtype=torch.bfloat16)
# %%
until = time.monotonic() + (12 if device == "cuda" else 3)
with torch.inference_mode():
    while time.monotonic() < until:
        scores = net(rows)
        if device == "cuda":
            torch.cuda.synchronize()
