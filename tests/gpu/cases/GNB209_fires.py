# Convolutions of one input shape, chosen without trying them.
# needs: 5.0
# also: GNB206, GNB210, GNB213
# %%
import time

import torch
from torch import nn

device = "cuda" if torch.cuda.is_available() else "cpu"
side, rows = (64, 64) if device == "cuda" else (16, 8)
torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(3, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU(), nn.Conv2d(64, 128, 5, padding=2), nn.ReLU(),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10),
).to(device)  # fmt: skip
inputs = torch.randn(rows, 3, side, side, device=device)
optimizer = torch.optim.SGD(net.parameters(), lr=0.001)
torch.backends.cudnn.benchmark = False
# %%
until = time.monotonic() + (7 if device == "cuda" else 3)
while time.monotonic() < until:
    for _ in range(10):
        optimizer.zero_grad()
        loss = net(inputs).square().mean()
        loss.backward()
        optimizer.step()
    if device == "cuda":
        torch.cuda.synchronize()
# %%
torch.backends.cudnn.benchmark = False
