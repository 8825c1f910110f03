"""Sentences into sentences: an encoder, a decoder, attention between them, as tutorials train them."""

import random

import pytest

from torch_programs import compare, run

PAIRS = [
    ("je suis ici", "i am here"),
    ("tu es ici", "you are here"),
    ("je suis grand", "i am tall"),
    ("tu es grand", "you are tall"),
    ("il est petit", "he is small"),
    ("il est ici", "he is here"),
]
SOS, EOS, LENGTH = 0, 1, 5


class Lang:
    def __init__(self, sentences):
        self.word2index, self.index2word = {}, {SOS: "SOS", EOS: "EOS"}
        for word in " ".join(sentences).split():
            if word not in self.word2index:
                self.index2word[len(self.word2index) + 2] = word
                self.word2index[word] = len(self.word2index) + 2
        self.n_words = len(self.index2word)


def attention_word_by_word(steps, ratio):
    """One pair at a time: outputs stored into zeros, weights over a fixed length, the best word fed back."""
    import torch
    import torch.nn as nn
    import torch.nn.functional as F  # noqa: N812
    from torch import optim

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    source, target = Lang([a for a, _ in PAIRS]), Lang([b for _, b in PAIRS])

    class EncoderRNN(nn.Module):
        def __init__(self, input_size, hidden_size):
            super().__init__()
            self.hidden_size = hidden_size
            self.embedding = nn.Embedding(input_size, hidden_size)
            self.gru = nn.GRU(hidden_size, hidden_size)

        def forward(self, input, hidden):
            embedded = self.embedding(input).view(1, 1, -1)
            output, hidden = self.gru(embedded, hidden)
            return output, hidden

        def init_hidden(self):
            return torch.zeros(1, 1, self.hidden_size, device=device)

    class AttnDecoderRNN(nn.Module):
        def __init__(self, hidden_size, output_size, dropout_p=0.0):
            super().__init__()
            self.embedding = nn.Embedding(output_size, hidden_size)
            self.attn = nn.Linear(hidden_size * 2, LENGTH)
            self.attn_combine = nn.Linear(hidden_size * 2, hidden_size)
            self.dropout = nn.Dropout(dropout_p)
            self.gru = nn.GRU(hidden_size, hidden_size)
            self.out = nn.Linear(hidden_size, output_size)

        def forward(self, input, hidden, encoder_outputs):
            embedded = self.dropout(self.embedding(input).view(1, 1, -1))
            attn_weights = F.softmax(self.attn(torch.cat((embedded[0], hidden[0]), 1)), dim=1)
            attn_applied = torch.bmm(attn_weights.unsqueeze(0), encoder_outputs.unsqueeze(0))
            output = torch.cat((embedded[0], attn_applied[0]), 1)
            output = F.relu(self.attn_combine(output).unsqueeze(0))
            output, hidden = self.gru(output, hidden)
            return F.log_softmax(self.out(output[0]), dim=1), hidden, attn_weights

    def tensor_from(lang, sentence):
        indexes = [lang.word2index[word] for word in sentence.split(" ")] + [EOS]
        return torch.tensor(indexes, dtype=torch.long, device=device).view(-1, 1)

    random.seed(0)
    torch.manual_seed(0)
    encoder = EncoderRNN(source.n_words, 24).to(device)
    decoder = AttnDecoderRNN(24, target.n_words).to(device)
    encoder_optimizer = optim.SGD(encoder.parameters(), lr=0.05)
    decoder_optimizer = optim.SGD(decoder.parameters(), lr=0.05)
    criterion = nn.NLLLoss()

    def encode(input_tensor):
        encoder_hidden = encoder.init_hidden()
        encoder_outputs = torch.zeros(LENGTH, encoder.hidden_size, device=device)
        for ei in range(input_tensor.size(0)):
            encoder_output, encoder_hidden = encoder(input_tensor[ei], encoder_hidden)
            encoder_outputs[ei] = encoder_output[0, 0]
        return encoder_outputs, encoder_hidden

    losses = []
    for _ in range(steps):
        pair = random.choice(PAIRS)
        input_tensor, target_tensor = tensor_from(source, pair[0]), tensor_from(target, pair[1])
        encoder_optimizer.zero_grad()
        decoder_optimizer.zero_grad()
        loss = 0
        encoder_outputs, decoder_hidden = encode(input_tensor)
        decoder_input = torch.tensor([[SOS]], device=device)
        teacher = random.random() < ratio
        for di in range(target_tensor.size(0)):
            decoder_output, decoder_hidden, _ = decoder(decoder_input, decoder_hidden, encoder_outputs)
            _topv, topi = decoder_output.topk(1)
            decoder_input = target_tensor[di] if teacher else topi.squeeze().detach()
            loss += criterion(decoder_output, target_tensor[di])
            if not teacher and decoder_input.item() == EOS:
                break
        loss.backward()
        encoder_optimizer.step()
        decoder_optimizer.step()
        losses.append(loss.item() / target_tensor.size(0))

    with torch.no_grad():
        for a, b in PAIRS:
            encoder_outputs, hidden = encode(tensor_from(source, a))
            decoder_input, words, attentions = torch.tensor([[SOS]]), [], torch.zeros(LENGTH, LENGTH)
            for di in range(LENGTH):
                output, hidden, weights = decoder(decoder_input, hidden, encoder_outputs)
                attentions[di] = weights.data
                _topv, topi = output.data.topk(1)
                if topi.item() == EOS:
                    words.append("<EOS>")
                    break
                words.append(target.index2word[topi.item()])
                decoder_input = topi.squeeze().detach()
            assert attentions[: di + 1].numpy().sum() == pytest.approx(di + 1, rel=1e-5)
            print(">", a, "=", b, "<", " ".join(words))
    return losses


def attention_in_batches(epochs):
    """Whole batches: Bahdanau's attention, masked, with a batch-first GRU; one output tensor filled step by step."""
    import numpy as np
    import torch
    import torch.nn as nn
    import torch.nn.functional as F  # noqa: N812
    from torch.utils.data import DataLoader, RandomSampler, TensorDataset

    source, target = Lang([a for a, _ in PAIRS]), Lang([b for _, b in PAIRS])

    def ids(lang, column):
        table = np.zeros((len(PAIRS), LENGTH), dtype=np.int64)
        for row, pair in zip(table, PAIRS, strict=True):
            numbers = [lang.word2index[word] for word in pair[column].split()] + [EOS]
            row[: len(numbers)] = numbers
        return table

    class BahdanauAttention(nn.Module):
        def __init__(self, hidden_size):
            super().__init__()
            self.Wa = nn.Linear(hidden_size, hidden_size)
            self.Ua = nn.Linear(hidden_size, hidden_size)
            self.Va = nn.Linear(hidden_size, 1)

        def forward(self, query, keys, mask):
            scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys))).squeeze(2).unsqueeze(1)
            scores = scores.masked_fill(mask.unsqueeze(1) == 0, -1e10)
            weights = F.softmax(scores, dim=-1)
            return torch.bmm(weights, keys), weights

    class Decoder(nn.Module):
        def __init__(self, hidden_size):
            super().__init__()
            self.embedding = nn.Embedding(target.n_words, hidden_size)
            self.attention = BahdanauAttention(hidden_size)
            self.gru = nn.GRU(2 * hidden_size, hidden_size, batch_first=True)
            self.out = nn.Linear(hidden_size, target.n_words)

        def forward(self, encoder_outputs, hidden, mask, target_tensor=None):
            batch_size = encoder_outputs.size(0)
            word = torch.empty(batch_size, 1, dtype=torch.long).fill_(SOS)
            outputs, attentions = torch.zeros(batch_size, LENGTH, target.n_words), []
            for i in range(LENGTH):
                query = hidden.permute(1, 0, 2)
                context, weights = self.attention(query, encoder_outputs, mask)
                output, hidden = self.gru(torch.cat((self.embedding(word), context), dim=2), hidden)
                outputs[:, i] = self.out(output)[:, 0]
                attentions.append(weights)
                if target_tensor is not None:
                    word = target_tensor[:, i].unsqueeze(1)
                else:
                    word = outputs[:, i : i + 1].argmax(-1).detach()
            return F.log_softmax(outputs, dim=-1), torch.cat(attentions, dim=1)

    torch.manual_seed(2)
    data = TensorDataset(torch.LongTensor(ids(source, 0)), torch.LongTensor(ids(target, 1)))
    loader = DataLoader(data, sampler=RandomSampler(data), batch_size=3)
    embedding, encoder = nn.Embedding(source.n_words, 20), nn.GRU(20, 20, batch_first=True)
    decoder = Decoder(20)
    modules = nn.ModuleList([embedding, encoder, decoder])
    optimizer = torch.optim.Adam(modules.parameters(), lr=0.02)
    criterion = nn.NLLLoss(ignore_index=0)
    losses = []
    for epoch in range(epochs):
        for source_tensor, target_tensor in loader:
            optimizer.zero_grad()
            encoder_outputs, hidden = encoder(embedding(source_tensor))
            forced = target_tensor if epoch % 2 == 0 else None
            outputs, attentions = decoder(encoder_outputs, hidden, source_tensor.ne(0), forced)
            assert tuple(attentions.shape) == (3, LENGTH, LENGTH)
            assert float(attentions.detach()[0, 0, 4]) < 1e-6
            loss = criterion(outputs.view(-1, outputs.size(-1)), target_tensor.view(-1))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    with torch.no_grad():
        encoder_outputs, hidden = encoder(embedding(data.tensors[0]))
        best = decoder(encoder_outputs, hidden, data.tensors[0] > 0)[0].topk(1)[1].squeeze(-1)
        for row in best:
            print(" ".join(target.index2word[i.item()] for i in row))
    return losses


@pytest.mark.parametrize("ratio", [1.0, 0.5])
def test_attention_word_by_word(torch, ratio):
    compare(attention_word_by_word, 15, ratio, rel=2e-3)


def test_attention_in_batches(torch):
    compare(attention_in_batches, 4, rel=2e-3)


def test_the_sentences_are_learnt():
    _, printed = run(attention_word_by_word, "tinyrnn", 300, 0.8)
    assert sum(f"= {b} < {b} <EOS>" in printed for _, b in PAIRS) >= 4
    losses, printed = run(attention_in_batches, "tinyrnn", 40)
    assert losses[-1] < 0.1 < 1 < losses[0]
    assert sum(f"{b} EOS" in printed for _, b in PAIRS) >= 5
