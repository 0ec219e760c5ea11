# Noise is made where it is wanted.
# needs: 5.0
# also: GNB212, GNB213
# %%
import time

import torch
from torch import nn

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 64)).to(device)
inputs = torch.randn(256, 64, device=device)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, fused=True)
# %%
until = time.monotonic() + (12 if device == "cuda" else 3)
while time.monotonic() < until:
    noise = torch.randn(256, 64, device=device)
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(net(inputs + noise), inputs)
    loss.backward()
    optimizer.step()
