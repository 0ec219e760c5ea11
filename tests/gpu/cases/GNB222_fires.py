# Convolutions with a bias before batch norms.
# needs: 5.0
# also: GNB206, GNB207, GNB209, GNB210, GNB212, GNB213
# %%
import time

import torch
from torch import nn

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
net = nn.Sequential(
    nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
    nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
).to(device)  # fmt: skip
pictures = torch.randn(32, 3, 16, 16, device=device)
labels = torch.randint(0, 10, (32,), device=device)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, fused=True)
# %%
until = time.monotonic() + (14 if device == "cuda" else 3)
while time.monotonic() < until:
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(pictures), labels)
    loss.backward()
    optimizer.step()
