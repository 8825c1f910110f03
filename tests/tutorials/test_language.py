"""Language models: words and letters, one after the other, as tutorials predict and sample them."""

import math
import os

import pytest

from torch_programs import compare, run

TEXT = "the cat sat on the mat . the dog sat on the log . the cat saw the dog and the dog saw the cat . " * 6


def truncated(epochs, directory):
    """Words through an LSTM in windows: carried state, tied weights, clipped gradients, a falling learning rate."""
    import torch
    from torch import nn

    class Corpus:
        def __init__(self, words):
            self.word2idx, self.idx2word = {}, {}
            for word in words:
                if word not in self.word2idx:
                    self.idx2word[len(self.word2idx)] = word
                    self.word2idx[word] = len(self.word2idx)

        def batches(self, words, batch_size):
            ids = torch.LongTensor(len(words))
            for i, word in enumerate(words):
                ids[i] = self.word2idx[word]
            n = ids.size(0) // batch_size
            return ids[: n * batch_size].view(batch_size, -1)

    class RNNLM(nn.Module):
        def __init__(self, vocab, size, layers, tie=True):
            super().__init__()
            self.embed = nn.Embedding(vocab, size)
            self.lstm = nn.LSTM(size, size, layers, batch_first=True)
            self.linear = nn.Linear(size, vocab)
            if tie:
                self.linear.weight = self.embed.weight
            self.init_weights()

        def init_weights(self):
            self.embed.weight.data.uniform_(-0.1, 0.1)
            self.linear.bias.data.zero_()

        def forward(self, x, h):
            out, (h, c) = self.lstm(self.embed(x), h)
            out = out.reshape(out.size(0) * out.size(1), out.size(2))
            return self.linear(out), (h, c)

    def detach(states):
        return [state.detach() for state in states]

    torch.manual_seed(0)
    words = TEXT.split()
    corpus = Corpus(words)
    ids = corpus.batches(words, 4)
    vocab, seq_length = len(corpus.word2idx), 6
    model = RNNLM(vocab, 16, 2)
    assert len(list(model.parameters())) == 10  # the tied one is counted once
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=4, gamma=0.5)
    losses = []
    for epoch in range(epochs):
        states = (torch.zeros(2, 4, 16), torch.zeros(2, 4, 16))
        for i in range(0, ids.size(1) - seq_length, seq_length):
            inputs = ids[:, i : i + seq_length]
            targets = ids[:, (i + 1) : (i + 1) + seq_length]
            states = detach(states)
            outputs, states = model(inputs, states)
            loss = criterion(outputs, targets.reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            norm = nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            losses += [loss.item(), norm.item()]
        scheduler.step()
        print(f"Epoch [{epoch + 1}/{epochs}], Loss: {loss.item():.4f}, Perplexity: {math.exp(loss.item()):5.2f}")
        print(scheduler.get_last_lr(), optimizer.param_groups[0]["lr"])

    with torch.no_grad():
        state = (torch.zeros(2, 1, 16), torch.zeros(2, 1, 16))
        prob = torch.ones(vocab)
        word = torch.multinomial(prob, num_samples=1).unsqueeze(1)
        sampled = []
        for _ in range(10):
            output, state = model(word, state)
            word_id = torch.multinomial(output.exp().reshape(-1), num_samples=1).item()
            word.fill_(word_id)
            sampled.append(corpus.idx2word[word_id])
        print(" ".join(sampled))

    path = os.path.join(directory, "model.ckpt")
    torch.save(model.state_dict(), path)
    again = RNNLM(vocab, 16, 2)
    again.load_state_dict(torch.load(path))
    x = ids[:, :5]
    zeros = (torch.zeros(2, 4, 16), torch.zeros(2, 4, 16))
    assert torch.equal(model(x, zeros)[0], again(x, zeros)[0])
    return losses


def letters_ahead(steps, kind):
    """Letters through a deep GRU with dropout, the state made by new(), a temperature when it writes."""
    import torch
    import torch.nn as nn
    from torch.autograd import Variable

    letters = sorted(set(TEXT))

    class CharRNN(nn.Module):
        def __init__(self, size, model=kind, n_layers=2):
            super(CharRNN, self).__init__()  # noqa: UP008
            self.model, self.size, self.n_layers = model, size, n_layers
            self.encoder = nn.Embedding(len(letters), size)
            layer = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}[model]
            self.rnn = layer(size, size, n_layers)
            self.decoder = nn.Linear(size, len(letters))

        def forward(self, input, hidden):
            batch_size = input.size(0)
            encoded = self.encoder(input)
            output, hidden = self.rnn(encoded.view(1, batch_size, -1), hidden)
            return self.decoder(output.view(batch_size, -1)), hidden

        def init_hidden(self, batch_size):
            weight = next(self.parameters()).data
            shape = self.n_layers, batch_size, self.size
            if self.model == "lstm":
                return (Variable(weight.new(*shape).zero_()), Variable(weight.new_zeros(*shape)))
            return Variable(torch.zeros(*shape))

    def char_tensor(string):
        tensor = torch.zeros(len(string)).long()
        for c in range(len(string)):
            tensor[c] = letters.index(string[c])
        return tensor

    torch.manual_seed(7)
    model = CharRNN(20)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss()
    losses = []
    for step in range(steps):
        start = 13 * step % 200
        chunks = [TEXT[start + i : start + i + 13] for i in (0, 40, 80)]
        inp, target = (
            torch.stack([char_tensor(chunk[part]) for chunk in chunks]) for part in (slice(0, -1), slice(1, None))
        )
        hidden = model.init_hidden(3)
        model.zero_grad()
        loss = 0
        for c in range(12):
            output, hidden = model(inp[:, c], hidden)
            loss += criterion(output.view(3, -1), target[:, c])
        loss.backward()
        optimizer.step()
        losses.append(loss.data.item() / 12)

    hidden, text = model.init_hidden(1), "th"
    for c in char_tensor("t"):
        _, hidden = model(c.unsqueeze(0), hidden)
    inp = char_tensor("h")
    for _ in range(20):
        output, hidden = model(inp, hidden)
        weights = output.data.view(-1).div(0.8).exp()
        top = torch.multinomial(weights, 1)[0]
        text += letters[top]
        inp = char_tensor(text[-1])
    print(text)
    return losses


def one_word_from_four(epochs):
    """The next word from a window of words: view(len, 1, -1), a hidden pair as an attribute, log-softmax and NLL."""
    import torch
    import torch.nn.functional as F  # noqa: N812
    from torch import nn, optim

    words = TEXT.split()[:26]
    numbers = {word: i for i, word in enumerate(sorted(set(words)))}
    data = [(words[i : i + 4], words[i + 4]) for i in range(len(words) - 4)]

    class Next(nn.Module):
        def __init__(self):
            super().__init__()
            self.embeddings = nn.Embedding(len(numbers), 10)
            self.lstm = nn.LSTM(10, 12, num_layers=2, dropout=0.0)
            self.linear1 = nn.Linear(12, 24)
            self.linear2 = nn.Linear(24, len(numbers))
            self.hidden = self.init_hidden()

        def init_hidden(self):
            return (torch.zeros(2, 1, 12), torch.zeros(2, 1, 12))

        def forward(self, sentence):
            embeds = self.embeddings(sentence)
            out, self.hidden = self.lstm(embeds.view(len(sentence), 1, -1), self.hidden)
            out = F.relu(self.linear1(out[-1].view(1, -1)))
            return F.log_softmax(self.linear2(out), dim=1)

    torch.manual_seed(11)
    model, loss_function = Next(), nn.NLLLoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True)
    scheduler = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, epochs=epochs, steps_per_epoch=len(data))
    losses = []
    for _ in range(epochs):
        total = torch.Tensor([0])
        for context, target in data:
            model.hidden = model.init_hidden()
            model.zero_grad()
            log_probs = model(torch.tensor([numbers[w] for w in context], dtype=torch.long))
            loss = loss_function(log_probs, torch.tensor([numbers[target]], dtype=torch.long))
            loss.backward()
            optimizer.step()
            scheduler.step()
            total += loss.item()
        losses.append((total / len(data)).item())
    print(model, "{:.3f}".format(total[0]))  # noqa: UP032
    return losses


@pytest.mark.parametrize("kind", ["gru", "lstm", "rnn"])
def test_letters_ahead(torch, kind):
    compare(letters_ahead, 12, kind, rel=2e-3)


def test_one_word_from_four(torch):
    compare(one_word_from_four, 3, rel=2e-3)


def test_truncated(torch, tmp_path):
    compare(truncated, 3, str(tmp_path), rel=5e-3)


def test_the_loss_falls(tmp_path):
    losses, _ = run(letters_ahead, "tinyrnn", 60, "gru")
    assert min(losses[-10:]) < 1.7 < losses[0]
    losses, printed = run(one_word_from_four, "tinyrnn", 40)
    assert losses[-1] < 1 < losses[0]
    assert "(lstm): LSTM(10, 12, num_layers=2)" in printed
    losses, printed = run(truncated, "tinyrnn", 16, str(tmp_path))
    assert losses[-2] < 1.2 < losses[0]
    assert "[0.0025] 0.0025" in printed
