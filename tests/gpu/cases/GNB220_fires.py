# A small net whose loss is read in every step: the queue runs empty each time.
# needs: 5.0
# also: GNB212, GNB213
# %%
import time

import torch
from torch import nn

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1)).to(device)
inputs = torch.randn(64, 32, device=device)
targets = torch.randn(64, 1, device=device)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, fused=True)
# %%
until = time.monotonic() + (12 if device == "cuda" else 3)
total = 0.0
while time.monotonic() < until:
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(net(inputs), targets)
    loss.backward()
    optimizer.step()
    total += loss.item()
