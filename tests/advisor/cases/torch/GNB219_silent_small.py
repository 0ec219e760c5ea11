# float64, but for some milliseconds.
# %%
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
x = torch.from_numpy(rng.normal(size=(256, 8)))
y = torch.from_numpy(rng.normal(size=(256, 1)))
model = nn.Linear(8, 1).double()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
# %%
for step in range(50):
    loss = nn.functional.mse_loss(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
