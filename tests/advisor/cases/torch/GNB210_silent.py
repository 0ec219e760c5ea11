# The same net and pictures with the channels last.
# also: GNB226, for its one thread, which a busy machine disturbs less
# %%
import torch
from torch import nn

torch.manual_seed(0)
torch.set_num_threads(1)
net = nn.Sequential(
    nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10),
)
net = net.to(memory_format=torch.channels_last)
pictures = torch.randn(256, 3, 32, 32).to(memory_format=torch.channels_last)
labels = torch.randint(0, 10, (256,))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
# %%
for step in range(120):
    chosen = torch.randint(0, 256, (24,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(net(pictures[chosen]), labels[chosen])
    loss.backward()
    optimizer.step()
