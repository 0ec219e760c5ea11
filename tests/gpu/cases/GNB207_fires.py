# Wide linear layers in float32 on a card whose tensor cores take float16 only.
# needs: 7.0 to 7.5
# %%
import time

import torch
from torch import nn

device = "cuda" if torch.cuda.is_available() else "cpu"
width, rows = (8192, 4096) if device == "cuda" else (1024, 128)
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 16))
net = net.to(device)
inputs = torch.randn(rows, width, device=device)
optimizer = torch.optim.SGD(net.parameters(), lr=0.001)
# %%
until = time.monotonic() + (12 if device == "cuda" else 3)
while time.monotonic() < until:
    for _ in range(10):
        optimizer.zero_grad()
        loss = net(inputs).square().mean()
        loss.backward()
        optimizer.step()
    if device == "cuda":
        torch.cuda.synchronize()
