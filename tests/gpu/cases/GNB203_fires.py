# Large batches are copied to the card from pageable memory.
# also: GNB201, GNB212, GNB213
# %%
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

device = "cuda" if torch.cuda.is_available() else "cpu"
torch.manual_seed(0)
pictures = torch.randn(128, 3, 160, 160)
labels = torch.randint(0, 10, (128,))
loader = DataLoader(TensorDataset(pictures, labels), batch_size=32)
net = nn.Sequential(nn.AvgPool2d(16), nn.Flatten(), nn.Linear(300, 10)).to(device)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
# %%
until = time.monotonic() + (5 if device == "cuda" else 3)
while time.monotonic() < until:
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(inputs.to(device)), targets.to(device))
        loss.backward()
        optimizer.step()
