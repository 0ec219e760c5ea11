# NumPy's float64 came in with the data, and the model was made to fit.
# %%
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(0)
x = torch.from_numpy(rng.normal(size=(4096, 64)))
y = torch.from_numpy(rng.normal(size=(4096, 1)))
model = nn.Sequential(nn.Linear(64, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 1)).double()
optimizer = torch.optim.Adam(model.parameters(), fused=True)
# %%
for epoch in range(20):
    for rows in torch.randperm(len(x)).split(64):
        loss = nn.functional.mse_loss(model(x[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
