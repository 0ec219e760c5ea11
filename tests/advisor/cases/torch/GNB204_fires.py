# Pictures are made from their coefficients by matrix products, on all cores, in each epoch again: more workers can't help.
# %%
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Coefficients(Dataset):
    """Pictures stored as the coefficients of a transform; the same in each epoch."""

    def __init__(self, count):
        self.basis = torch.linalg.qr(torch.randn(512, 512))[0]
        self.coefficients = torch.randn(8, 3, 512, 512)
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        picture = self.basis @ self.coefficients[index % 8] @ self.basis.T
        return picture[:, ::16, ::16].clone(), index % 10


torch.manual_seed(0)
net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 128), nn.ReLU(), nn.Linear(128, 10))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
loader = DataLoader(Coefficients(80), batch_size=8)
# %%
for epoch in range(2):
    for inputs, targets in loader:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(inputs), targets)
        loss.backward()
        optimizer.step()
