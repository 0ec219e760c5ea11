# Two workers, started anew in each of many short epochs, read their archive each time.
# %%
import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

folder = tempfile.TemporaryDirectory()
archive = Path(folder.name) / "rows.npz"
np.savez_compressed(archive, rows=np.random.default_rng(0).standard_normal((400, 2000)).astype(np.float32))


class Archive(Dataset):
    """Rows of an archive that each process opens when it first needs it."""

    def __init__(self, path):
        self.path, self.rows = path, None

    def __len__(self):
        return 400

    def __getitem__(self, index):
        if self.rows is None:
            with np.load(self.path) as archive:
                self.rows = archive["rows"]
        return torch.from_numpy(self.rows[index])


torch.manual_seed(0)
torch.set_num_threads(1)
net = nn.Linear(2000, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=1e-4)
loader = DataLoader(Archive(archive), batch_size=10, num_workers=2)
# %%
for epoch in range(28):
    for inputs in loader:
        optimizer.zero_grad()
        loss = net(inputs).square().mean()
        loss.backward()
        optimizer.step()
# %%
folder.cleanup()
