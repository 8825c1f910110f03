"""Short programs of the kinds that this project grew from, written for torch, run with their import lines changed.

Where nothing is random, the same is printed; from one seed, the same losses come. Without torch: the program ends as it
should.
"""

import re

import numpy as np
import pytest

from torch_programs import compare, run


def by_cell_and_by_layer():
    """A network of two units whose weights are all one: first step by step, then as a layer."""
    import torch

    def ones_and_zeros(module):
        for name, p in module.named_parameters():
            fill = torch.nn.init.ones_ if name.startswith("weight") else torch.nn.init.zeros_
            fill(p)

    readout = torch.nn.Linear(2, 2)
    readout.weight.data = torch.Tensor([[1, 1], [1, 1]])
    readout.bias.data = torch.Tensor([0.0])
    sequence = torch.Tensor([[[1, 1]], [[0.5, -1]], [[2, 2]]])

    cell = torch.nn.RNNCell(input_size=2, hidden_size=2)
    ones_and_zeros(cell)
    h = torch.zeros(1, 2)
    for t, x in enumerate(sequence):
        print("-" * 10, t, "input :", x, "before :", h)
        h = cell(x, h)
        print("output :", readout(h))

    layer = torch.nn.RNN(input_size=2, hidden_size=2, num_layers=1)
    ones_and_zeros(layer)
    out, last = layer(sequence, torch.zeros(1, 1, 2))
    for t in range(3):
        print(t, sequence[t], out[t], readout(out[t]))
    print(last, out.shape, last.size())
    return [*out.flatten().tolist(), *h.flatten().tolist()]


def shapes_of_everything():
    """Layers and cells, one and several layers deep: what they print and the shapes that they give."""
    import torch
    from torch import nn
    from torch.nn import functional as F  # noqa: N812

    x = F.relu(torch.randn(6, 3, 10))
    for layers in (1, 4):
        rnn = nn.RNN(input_size=10, hidden_size=5, num_layers=layers)
        out, h = rnn(x, torch.zeros(layers, 3, 5))
        print(rnn, out.shape, h.shape)
        lstm = nn.LSTM(input_size=10, hidden_size=5, num_layers=layers)
        out, (h, c) = lstm(x)
        print(lstm, out.shape, h.shape, c.shape)

    first, second = nn.RNNCell(10, 7), nn.RNNCell(7, 5)
    h1, h2 = torch.zeros(3, 7), torch.zeros(3, 5)
    for xt in x:
        h1 = first(xt, h1)
        h2 = second(h1, h2)
    print(first, h1.shape, h2.shape)

    first, second = nn.LSTMCell(input_size=10, hidden_size=7), nn.LSTMCell(input_size=7, hidden_size=5)
    h1, c1, h2, c2 = torch.zeros(3, 7), torch.zeros(3, 7), torch.zeros(3, 5), torch.zeros(3, 5)
    for xt in x:
        h1, c1 = first(xt, [h1, c1])
        h2, c2 = second(h1, [h2, c2])
    print(first, h1.shape, c1.shape, h2.shape, c2.shape)
    return list(h2.shape)


def a_wave_that_runs_free(steps):
    """A network learns the next value of a sine, and then continues on its own values."""
    import torch
    import torch.optim as optim
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.RNN(input_size=1, hidden_size=16, num_layers=1, batch_first=True)
            for p in self.rnn.parameters():
                nn.init.normal_(p, mean=0.0, std=0.001)
            self.linear = nn.Linear(16, 1)

        def forward(self, x, h):
            out, h = self.rnn(x, h)
            out = self.linear(out.view(-1, 16))
            return out.unsqueeze(dim=0), h

    np.random.seed(0)
    torch.manual_seed(0)
    model = Net()
    criterion = nn.MSELoss()
    optimizer = optim.Adam(model.parameters(), 0.01)
    h = torch.zeros(1, 1, 16)

    def window():
        start = np.random.randint(3, size=1)[0]
        times = np.linspace(start, start + 10, 50)
        data = np.sin(times).reshape(50, 1)
        return torch.tensor(data[:-1]).float().view(1, 49, 1), torch.tensor(data[1:]).float().view(1, 49, 1)

    losses = []
    for i in range(steps):
        x, y = window()
        output, h = model(x, h)
        h = h.detach()
        loss = criterion(output, y)
        model.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if i % 10 == 0:
            print("Iteration: {} loss {}".format(i, loss.item()))  # noqa: UP032

    x, y = window()
    predictions = []
    value = x[:, 0, :]
    for _ in range(x.shape[1]):
        value = value.view(1, 1, 1)
        value, h = model(value, h)
        predictions.append(value.detach().numpy().ravel()[0])
    shown = x.data.numpy().ravel(), y.data.numpy().ravel(), np.array(predictions)
    assert all(v.shape == (49,) and v.dtype == np.float32 for v in shown)
    return losses


def sine_to_cosine(steps):
    """A network follows the cosine to a sine, its state carried from window to window."""
    import torch
    import torch.nn as nn

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.RNN(input_size=1, hidden_size=32, num_layers=1, batch_first=True)
            self.out = nn.Linear(32, 1)

        def forward(self, x, state):
            r_out, state = self.rnn(x, state)
            outs = [self.out(r_out[:, t, :]) for t in range(r_out.size(1))]
            return torch.stack(outs, dim=1), state

    torch.manual_seed(1)
    model, cost, state = Model(), nn.MSELoss(), None
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    losses = []
    for step in range(steps):
        times = np.linspace(step * np.pi, (step + 1) * np.pi, 10, dtype=np.float32)
        x = torch.from_numpy(np.sin(times)[np.newaxis, :, np.newaxis])
        y = torch.from_numpy(np.cos(times)[np.newaxis, :, np.newaxis])
        prediction, state = model(x, state)
        state = state.data
        loss = cost(prediction, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert prediction.data.numpy().flatten().shape == (10,)
    return losses


def two_matrices(epochs):
    """A network of two weight matrices and autograd alone, updated by hand after every step."""
    import torch
    import torch.nn.init as init

    torch.manual_seed(2)
    dtype = torch.FloatTensor
    data = np.sin(np.linspace(2, 10, 21))
    data.resize((21, 1))
    x = torch.Tensor(data[:-1]).type(dtype)
    y = torch.Tensor(data[1:]).type(dtype)
    w1 = torch.FloatTensor(7, 6).type(dtype)
    init.normal_(w1, 0.0, 0.4)
    w1.requires_grad = True
    w2 = torch.FloatTensor(6, 1).type(dtype)
    init.normal_(w2, 0.0, 0.3)
    w2.requires_grad = True

    def forward(value, context):
        context = torch.tanh(torch.cat((value, context), 1).mm(w1))
        return context.mm(w2), context

    losses = []
    for i in range(epochs):
        total = 0
        context = torch.zeros((1, 6)).type(dtype)
        context.requires_grad = True
        for j in range(x.size(0)):
            prediction, context = forward(x[j : (j + 1)], context)
            loss = (prediction - y[j : (j + 1)]).pow(2).sum() / 2
            total += loss
            loss.backward()
            w1.data -= 0.1 * w1.grad.data
            w2.data -= 0.1 * w2.grad.data
            w1.grad.data.zero_()
            w2.grad.data.zero_()
            context = context.data
        losses.append(total.item())
        print("Epoch: {} loss {}".format(i, total.item()))  # noqa: UP032

    context = torch.zeros((1, 6)).type(dtype)
    for j in range(x.size(0)):
        prediction, context = forward(x[j : j + 1], context)
        losses.append(float(prediction.data.numpy().ravel()[0]))
    return losses


def word_for_word(epochs, shuffle=True, dropout=0.5):
    """An encoder and a decoder over one-hot letters learn which word goes with which."""
    import torch
    import torch.nn as nn
    import torch.utils.data as data

    torch.manual_seed(4)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    letters = list("SE?abcdefghijklmnopqrstuvwxyz")
    number = {letter: i for i, letter in enumerate(letters)}
    pairs = [["wet", "dry"], ["hot", "icy"], ["low", "top"], ["up", "on"]]
    length = max(len(word) for pair in pairs for word in pair)

    def encoded(pairs):
        source, entry, target = [], [], []
        for pair in pairs:
            a, b = (word + "?" * (length - len(word)) for word in pair)
            source.append(np.eye(len(letters))[[number[c] for c in a + "E"]])
            entry.append(np.eye(len(letters))[[number[c] for c in "S" + "?" * length]])
            target.append([number[c] for c in b + "E"])
        return torch.Tensor(np.array(source)), torch.Tensor(np.array(entry)), torch.LongTensor(target)

    class Pairs(data.Dataset):
        def __init__(self, *parts):
            self.parts = parts

        def __len__(self):
            return len(self.parts[0])

        def __getitem__(self, i):
            return tuple(part[i] for part in self.parts)

    class Translator(nn.Module):
        def __init__(self):
            super(Translator, self).__init__()  # noqa: UP008
            self.encoder = nn.RNN(input_size=len(letters), hidden_size=48, dropout=dropout)
            self.decoder = nn.RNN(input_size=len(letters), hidden_size=48, dropout=dropout)
            self.fc = nn.Linear(48, len(letters))

        def forward(self, source, h, entry):
            _, h = self.encoder(source.transpose(0, 1), h)
            outputs, _ = self.decoder(entry.transpose(0, 1), h)
            return self.fc(outputs)

    loader = data.DataLoader(Pairs(*encoded(pairs)), 2, shuffle)
    model = Translator().to(device)
    criterion = nn.CrossEntropyLoss().to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    losses = []
    for epoch in range(epochs):
        for batch in loader:
            source, entry, target = (part.to(device) for part in batch)
            h = torch.zeros(1, len(source), 48).to(device)
            prediction = model(source, h, entry).transpose(0, 1)
            loss = 0
            for i in range(len(target)):
                loss += criterion(prediction[i], target[i])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print("Epoch:", "%04d" % (epoch + 1), "cost =", "{:.6f}".format(loss))  # noqa: UP031, UP032

    for word, other in pairs:
        source, entry, _ = encoded([[word, "?" * length]])
        output = model(source.to(device), torch.zeros(1, 1, 48).to(device), entry.to(device))
        best = output.data.max(2, keepdim=True)[1]
        decoded = [letters[i] for i in best]
        end = decoded.index("E") if "E" in decoded else len(decoded)
        print(word, "->", "".join(decoded[:end]).replace("?", ""), "for", other)
    return losses


def test_by_cell_and_by_layer():
    values, printed = run(by_cell_and_by_layer, "tinyrnn")
    h, by_hand = np.zeros(2), []
    for x in [(1, 1), (0.5, -1), (2, 2)]:
        h = np.tanh(sum(x) + h.sum() + np.zeros(2))
        by_hand += [*h]
    assert values == pytest.approx([*by_hand, *h], rel=1e-6)
    assert "output : tensor([[1.9281, 1.9281]]" in printed


def test_shapes_of_everything():
    values, printed = run(shapes_of_everything, "tinyrnn")
    assert values == [3, 5]
    assert "RNN(10, 5, num_layers=4) (6, 3, 5) (4, 3, 5)" in printed


@pytest.mark.parametrize("program", [by_cell_and_by_layer, shapes_of_everything])
def test_the_same_is_printed(torch, program):
    (ours, printed), (theirs, witness) = (run(program, framework) for framework in ("tinyrnn", "torch"))
    hidden = re.compile(r"(?<=grad_fn=)<\w+>")  # the names of operations are each one's own
    witness = re.sub(r"torch\.Size\(\[(.*?)\]\)", r"(\1)", witness)  # a shape prints as the tuple it is
    assert hidden.sub("", printed) == hidden.sub("", witness)
    assert ours == pytest.approx(theirs, rel=1e-6)


@pytest.mark.parametrize(
    ("program", "steps", "begin", "end"),
    [(a_wave_that_runs_free, 120, 0.4, 0.1), (sine_to_cosine, 200, 0.4, 0.01), (two_matrices, 100, 2, 1)],
)
def test_the_loss_falls(program, steps, begin, end):
    losses, _ = run(program, "tinyrnn", steps)
    assert losses[0] > begin
    assert min(losses[steps - 10 : steps]) < end


@pytest.mark.parametrize(("program", "steps"), [(a_wave_that_runs_free, 25), (sine_to_cosine, 60), (two_matrices, 20)])
def test_the_losses_are_torchs(torch, program, steps):
    compare(program, steps, rel=1e-3)


@pytest.mark.filterwarnings("ignore:.*dropout:UserWarning")  # of dropout in one layer, as torch
def test_the_words_are_learnt():
    _, printed = run(word_for_word, "tinyrnn", 60)
    for pair in ("wet -> dry for dry", "hot -> icy for", "low -> top for", "up -> on for"):
        assert pair in printed


def test_the_words_losses_are_torchs(torch):
    compare(word_for_word, 8, False, 0.0)
    compare(word_for_word, 8, True, 0.0)
