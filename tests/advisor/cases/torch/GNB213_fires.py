# Thousands of steps with 8 samples each: the steps' fixed cost is most of the time.
# %%
import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
rows = torch.randn(4000, 64)
labels = (rows[:, 0] * rows[:, 1] > 0).long()
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
# %%
for epoch in range(60):
    for chosen in torch.randperm(4000).split(8):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(rows[chosen]), labels[chosen])
        loss.backward()
        optimizer.step()
