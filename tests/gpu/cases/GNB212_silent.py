# A net as deep, but wide enough that a kernel takes longer than its launch.
# needs: 5.0
# also: GNB206, GNB208
# %%
import time

import torch
from torch import nn

device = "cuda" if torch.cuda.is_available() else "cpu"
width = 2048 if device == "cuda" else 128
torch.manual_seed(0)
layers = [layer for _ in range(60) for layer in (nn.Linear(width, width), nn.Tanh())]
net = nn.Sequential(*layers).to(device)
inputs = torch.randn(4 * width, width, device=device)
optimizer = torch.optim.SGD(net.parameters(), lr=0.001)
# %%
until = time.monotonic() + (12 if device == "cuda" else 3)
while time.monotonic() < until:
    optimizer.zero_grad()
    loss = net(inputs).square().mean()
    loss.backward()
    optimizer.step()
