# The same with its default.
# needs: 5.0
# also: GNB212, GNB213, GNB216
# %%
import time

import torch
from torch import nn

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
layers = [layer for _ in range(60) for layer in (nn.Linear(32, 32), nn.Tanh())]
net = nn.Sequential(*layers).to(device)
inputs = torch.randn(32, 32, device=device)
optimizer = torch.optim.SGD(net.parameters(), lr=0.001, momentum=0.9)
# %%
until = time.monotonic() + (12 if device == "cuda" else 3)
while time.monotonic() < until:
    optimizer.zero_grad()
    loss = net(inputs).square().mean()
    loss.backward()
    optimizer.step()
