"""Series of numbers: waves continued, sums over time, and cells of one's own, as tutorials train them."""

import math

import numpy as np
import pytest

from torch_programs import compare, run


def waves_with_lbfgs(steps):
    """Two LSTM cells in double precision learn sine waves with LBFGS, then continue them."""
    import torch
    import torch.nn as nn
    import torch.optim as optim

    class Sequence(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm1 = nn.LSTMCell(1, 11)
            self.lstm2 = nn.LSTMCell(11, 11)
            self.linear = nn.Linear(11, 1)

        def forward(self, input, future=0):
            outputs = []
            h_t = torch.zeros(input.size(0), 11, dtype=torch.double)
            c_t = torch.zeros(input.size(0), 11, dtype=torch.double)
            h_t2 = torch.zeros(input.size(0), 11, dtype=torch.double)
            c_t2 = torch.zeros(input.size(0), 11, dtype=torch.double)
            for input_t in input.split(1, dim=1):
                h_t, c_t = self.lstm1(input_t, (h_t, c_t))
                h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
                output = self.linear(h_t2)
                outputs += [output]
            for _ in range(future):
                h_t, c_t = self.lstm1(output, (h_t, c_t))
                h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
                output = self.linear(h_t2)
                outputs += [output]
            return torch.cat(outputs, dim=1)

    np.random.seed(0)
    torch.manual_seed(0)
    x = np.arange(25)[None] + np.random.randint(-40, 40, 8).reshape(8, 1)
    data = np.sin(x / 5.0).astype("float64")
    input, target = torch.from_numpy(data[3:, :-1]), torch.from_numpy(data[3:, 1:])
    test_input, test_target = torch.from_numpy(data[:3, :-1]), torch.from_numpy(data[:3, 1:])
    seq = Sequence()
    seq.double()
    criterion = nn.MSELoss()
    optimizer = optim.LBFGS(seq.parameters(), lr=0.8, max_iter=5)
    losses = []
    for i in range(steps):

        def closure():
            optimizer.zero_grad()
            out = seq(input)
            loss = criterion(out, target)
            losses.append(loss.item())
            loss.backward()
            return loss

        optimizer.step(closure)
        with torch.no_grad():
            pred = seq(test_input, future=10)
            loss = criterion(pred[:, :-10], test_target)
            y = pred.detach().numpy()
        print("STEP:", i, "test loss:", loss.item(), y.shape)
    return losses


def windows(epochs):
    """A series cut into windows, split in two, loaded in batches; the last output of an LSTM; predictions as arrays."""
    import torch
    from torch import nn
    from torch.utils.data import DataLoader, TensorDataset, random_split

    series = np.sin(np.arange(120) * 0.3) + 0.5 * np.cos(np.arange(120) * 0.11)
    series = (series - series.min()) / (series.max() - series.min())
    x = np.stack([series[i : i + 8] for i in range(len(series) - 8)])[..., None]
    y = series[8:, None]

    class LSTM(nn.Module):
        def __init__(self, input_size=1, hidden_layer_size=16, num_layers=2, output_size=1):
            super().__init__()
            self.num_layers, self.hidden = num_layers, hidden_layer_size
            self.lstm = nn.LSTM(input_size, hidden_layer_size, num_layers, batch_first=True)
            self.fc = nn.Linear(hidden_layer_size, output_size)

        def forward(self, x):
            h0 = torch.zeros(self.num_layers, x.size(0), self.hidden).requires_grad_()
            c0 = torch.zeros(self.num_layers, x.size(0), self.hidden).requires_grad_()
            out, (_hn, _cn) = self.lstm(x, (h0.detach(), c0.detach()))
            return self.fc(out[:, -1, :])

    torch.manual_seed(42)
    data = TensorDataset(torch.from_numpy(x).type(torch.Tensor), torch.from_numpy(y).float())
    train, test = random_split(data, [90, len(data) - 90], generator=torch.Generator().manual_seed(1))
    loader = DataLoader(train, batch_size=16, shuffle=True, drop_last=True)
    model = LSTM()
    criterion, optimizer = nn.MSELoss(reduction="mean"), torch.optim.RMSprop(model.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)
    losses = []
    for _ in range(epochs):
        model.train()
        for xb, yb in loader:
            loss = criterion(model(xb), yb)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
    model.eval()
    with torch.no_grad():
        predicted = torch.cat([model(xb) for xb, _ in DataLoader(test, batch_size=8)]).squeeze().numpy()
    truth = np.array([float(yb) for _, yb in test])
    print("RMSE", math.sqrt(((predicted - truth) ** 2).mean()))
    return losses


def cells_of_ones_own(steps, kind):
    """An LSTM and a GRU written out gate by gate with nn.Parameter, trained to add the marked numbers of a sequence."""
    import torch
    import torch.nn as nn

    class CustomLSTM(nn.Module):
        def __init__(self, input_sz, hidden_sz):
            super().__init__()
            self.hidden_size = hidden_sz
            self.W = nn.Parameter(torch.Tensor(input_sz, hidden_sz * 4))
            self.U = nn.Parameter(torch.Tensor(hidden_sz, hidden_sz * 4))
            self.bias = nn.Parameter(torch.Tensor(hidden_sz * 4))
            self.init_weights()

        def init_weights(self):
            stdv = 1.0 / math.sqrt(self.hidden_size)
            for weight in self.parameters():
                weight.data.uniform_(-stdv, stdv)

        def forward(self, x, init_states=None):
            bs, seq_sz, _ = x.size()
            hidden_seq, hs = [], self.hidden_size
            if init_states is None:
                h_t, c_t = (torch.zeros(bs, hs).to(x.device), torch.zeros(bs, hs).to(x.device))
            else:
                h_t, c_t = init_states
            for t in range(seq_sz):
                gates = x[:, t, :] @ self.W + h_t @ self.U + self.bias
                i_t, f_t, g_t, o_t = (
                    torch.sigmoid(gates[:, :hs]),
                    torch.sigmoid(gates[:, hs : hs * 2]),
                    torch.tanh(gates[:, hs * 2 : hs * 3]),
                    torch.sigmoid(gates[:, hs * 3 :]),
                )
                c_t = f_t * c_t + i_t * g_t
                h_t = o_t * torch.tanh(c_t)
                hidden_seq.append(h_t.unsqueeze(0))
            hidden_seq = torch.cat(hidden_seq, dim=0)
            hidden_seq = hidden_seq.transpose(0, 1).contiguous()
            return hidden_seq, (h_t, c_t)

    class GRUCell(nn.Module):
        def __init__(self, input_size, hidden_size, bias=True):
            super().__init__()
            self.x2h = nn.Linear(input_size, 3 * hidden_size, bias=bias)
            self.h2h = nn.Linear(hidden_size, 3 * hidden_size, bias=bias)
            for w in self.parameters():
                w.data.uniform_(-0.3, 0.3)

        def forward(self, x, hidden):
            i_r, i_i, i_n = self.x2h(x).chunk(3, 1)
            h_r, h_i, h_n = self.h2h(hidden).chunk(3, 1)
            resetgate, inputgate = torch.sigmoid(i_r + h_r), torch.sigmoid(i_i + h_i)
            newgate = torch.tanh(i_n + (resetgate * h_n))
            return newgate + inputgate * (hidden - newgate)

    class CustomGRU(nn.Module):
        def __init__(self, input_size, hidden_size):
            super().__init__()
            self.hidden_size = hidden_size
            self.cells = nn.ModuleList([GRUCell(input_size, hidden_size), GRUCell(hidden_size, hidden_size)])

        def forward(self, x):
            states = [torch.zeros(x.shape[0], self.hidden_size) for _ in self.cells]
            outs = []
            for t in range(x.shape[1]):
                h = x[:, t]
                for layer, cell in enumerate(self.cells):
                    h = states[layer] = cell(h, states[layer])
                outs.append(h)
            return torch.stack(outs, 1), states

    torch.manual_seed(9)
    net = CustomLSTM(2, 12) if kind == "lstm" else CustomGRU(2, 12)
    head = nn.Linear(12, 1)
    optimizer = torch.optim.Adam([{"params": net.parameters()}, {"params": head.parameters(), "lr": 0.02}], lr=0.01)
    losses = []
    for _ in range(steps):
        values = torch.rand(16, 10, 1)
        marks = torch.zeros(16, 10, 1)
        marks.scatter_(1, torch.randint(0, 5, (16, 1, 1)), 1.0)
        marks.scatter_(1, torch.randint(5, 10, (16, 1, 1)), 1.0)
        target = (values * marks).sum(1)
        out, _ = net(torch.cat([values, marks], dim=2))
        loss = ((head(out[:, -1]) - target) ** 2).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(net.parameters(), 0.5)
        optimizer.step()
        losses.append(loss.item())
    return losses


def by_autograd_alone(steps):
    """Five matrices with requires_grad, a loop over time, and updates under no_grad, in place."""
    import torch

    torch.manual_seed(6)
    text = "hello hello hello "
    chars = sorted(set(text))
    index = {c: i for i, c in enumerate(chars)}
    n, size = len(chars), 10
    Wxh = torch.randn(n, size) * 0.1
    Whh = torch.randn((size, size)) * 0.1
    Why = torch.normal(0, 0.1, (size, n))
    bh, by = torch.zeros(1, size), torch.zeros(1, n)
    params = [Wxh, Whh, Why, bh, by]
    for p in params:
        p.requires_grad_(True)
    memory = [torch.zeros_like(p) for p in params]
    eye, losses = torch.eye(n), []
    hprev = torch.zeros(1, size)
    for step in range(steps):
        start = (6 * step) % 12
        xs = [index[c] for c in text[start : start + 6]]
        ys = [index[c] for c in text[start + 1 : start + 7]]
        h, loss = hprev.clone().detach(), 0.0
        for x, y in zip(xs, ys, strict=False):
            h = (eye[x].unsqueeze(0).mm(Wxh) + h.mm(Whh) + bh).tanh()
            logits = h @ Why + by
            loss = loss - (logits - logits.logsumexp(1, keepdim=True))[0, y]
        loss.backward()
        hprev = h.data
        with torch.no_grad():
            for p, m in zip(params, memory, strict=True):
                p.grad.clamp_(-5, 5)
                m += p.grad * p.grad
                p -= 0.1 * p.grad / torch.sqrt(m + 1e-8)
                p.grad = None
        losses.append(float(loss.detach()))
    return losses


def an_autoencoder(steps):
    """An LSTM encodes a sequence into one vector, which another unrolls: repeat, flip, Sequential, SmoothL1."""
    import torch
    from torch import nn

    class AutoEncoder(nn.Module):
        def __init__(self, features=3, size=8):
            super().__init__()
            self.encoder = nn.LSTM(features, size, batch_first=True)
            self.decoder = nn.LSTM(size, size, batch_first=True)
            self.readout = nn.Sequential(nn.Linear(size, size), nn.Tanh(), nn.Linear(size, features))

        def forward(self, x):
            _, (h, _) = self.encoder(x)
            repeated = h[-1].unsqueeze(1).repeat(1, x.shape[1], 1)
            out, _ = self.decoder(repeated)
            return torch.flip(self.readout(out), dims=[1])

    def init_weights(m):
        if isinstance(m, nn.LSTM):
            for name, param in m.named_parameters():
                if "weight_ih" in name:
                    nn.init.xavier_uniform_(param.data)
                elif "weight_hh" in name:
                    nn.init.orthogonal_(param.data)
                else:
                    param.data.fill_(0)
                    param.data[8:16] = 1.0
        elif type(m) is nn.Linear:
            nn.init.kaiming_uniform_(m.weight, nonlinearity="relu")

    torch.manual_seed(8)
    model = AutoEncoder()
    model.apply(init_weights)
    times = torch.linspace(0, 3, 9).view(1, -1, 1)
    phases = torch.arange(12).float().view(-1, 1, 1) / 4
    x = torch.sin(times + phases) * torch.tensor([1.0, 0.5, -1.0])
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.1)
    losses = []
    for _ in range(steps):
        loss = nn.functional.smooth_l1_loss(model(x), x, reduction="sum") / len(x)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        (waves_with_lbfgs, (3,)),
        (windows, (3,)),
        (cells_of_ones_own, (12, "lstm")),
        (cells_of_ones_own, (12, "gru")),
        (by_autograd_alone, (40,)),
        (an_autoencoder, (15,)),
    ],
)
def test_the_losses_are_torchs(torch, program, arguments):
    compare(program, *arguments, rel=2e-3)


@pytest.mark.parametrize(
    ("program", "arguments", "least"),
    [
        (waves_with_lbfgs, (6,), 0.05),
        (windows, (15,), 0.02),
        (cells_of_ones_own, (80, "lstm"), 0.3),
        (cells_of_ones_own, (80, "gru"), 0.3),
        (by_autograd_alone, (120,), 1.5),
        (an_autoencoder, (120,), 0.5),
    ],
)
def test_the_loss_falls(program, arguments, least):
    losses, _ = run(program, "tinyrnn", *arguments)
    assert min(losses[-10:]) < least < losses[0]
