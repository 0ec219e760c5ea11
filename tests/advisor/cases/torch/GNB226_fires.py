# Many more threads than CPUs: they wait for each other.
# also: GNB105
# %%
import os

import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(4 * len(os.sched_getaffinity(0)))
net = nn.Sequential(nn.Linear(512, 1024), nn.ReLU(), nn.Linear(1024, 10))
rows = torch.randn(256, 512)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
# %%
for step in range(1400):
    optimizer.zero_grad()
    loss = net(rows).square().mean()
    loss.backward()
    optimizer.step()
