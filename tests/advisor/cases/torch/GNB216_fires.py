# AdamW updates 4 million numbers in each step, and a small batch leaves little else to do.
# also: GNB226, for its one thread, which a busy machine disturbs less
# %%
import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
net = nn.Sequential(nn.Linear(64, 1400), nn.ReLU(), nn.Linear(1400, 1400), nn.ReLU(), nn.Linear(1400, 1400), nn.ReLU())
rows = torch.randn(512, 64)
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
# %%
for step in range(480):
    optimizer.zero_grad()
    loss = net(rows[torch.randint(0, 512, (24,))]).square().mean()
    loss.backward()
    optimizer.step()
