"""The planner: a small Qwen3 trained on prompts and plans. The loss covers only tokens at which the constrained decoder has a choice.

`run.py planner` trains it and writes config.json, model.safetensors and tokenizer.json; it can be stopped and resumed.
"""

import collections
import pathlib
import shutil
import time

import numpy as np
import torch
from transformers import AttentionInterface, Qwen3Config, Qwen3ForCausalLM

from common.training import CACHE, DEVICE, EVAL_SEED, MODEL, WORKERS, Budget, Log, Optimizer, autocast, save, start_process
from prompts import common_words, grammar_prompts, tokens
from world import speech

FOLDER = CACHE / "planner"
TOKENIZER = FOLDER / "tokenizer.json"
TAP_LAYER = MODEL["tap_layer"]
BATCH_TOKENS = 49_152 if DEVICE == "cuda" else 3072  # padded tokens per step
CURRICULUM = [(0.25, 256, 96), (0.45, 512, 200)]  # (share of the budget, most tokens of a plan, most tokens of its prompt); whole plans after the last
POOL = 480 if DEVICE == "cuda" else 128  # plans sorted by length and batched together
PLANS, PLANS_OF = CACHE / "plans", 500  # folder of the shards, and plans per shard
QUERY_BLOCK = 160  # queries per block of `blocked_attention`
TOKENIZER_PLANS = 2000  # drawn plans that the tokenizer is trained on
MUON_RATE, ADAM_RATE = 6e-3, 3e-3  # peak learning rates
EVALUATED_PLANS = 40
LOG_SECONDS = 40 if DEVICE == "cuda" else 300  # on a CPU an evaluation takes as long as many steps
COPY_GAIN = 2.0  # initial scale of the query norm: sharper attention, so that copying is learnt sooner


def build(vocabulary):
    """A new planner on DEVICE: 6.5 million parameters."""
    model = Qwen3ForCausalLM(Qwen3Config(
        **MODEL["planner"], vocab_size=vocabulary, max_position_embeddings=4096, rope_parameters={"rope_theta": 10000.0, "rope_type": "default"},
        tie_word_embeddings=True,
        bos_token_id=None, eos_token_id=None, pad_token_id=None))
    for layer in model.model.layers:
        torch.nn.init.constant_(layer.self_attn.q_norm.weight, COPY_GAIN)
    return model.to(DEVICE)


def load(folder):
    """(model in evaluation mode on DEVICE, vocabulary) of an exported planner."""
    folder = pathlib.Path(folder)
    return Qwen3ForCausalLM.from_pretrained(folder, dtype=torch.float32).to(DEVICE).eval(), tokens.Vocabulary(folder / "tokenizer.json")


def export(model, folder):
    """Writes the planner as a transformers folder with its tokenizer."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model.float().save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    shutil.copy(TOKENIZER, folder / "tokenizer.json")


def make_tokenizer():
    """Trains the tokenizer unless it exists; all later runs use the same file."""
    if TOKENIZER.exists():
        return
    rng, texts, exact = np.random.default_rng(7), [" ".join(common_words.WORDS)] * 300, speech.phones_of
    speech.phones_of = common_words.rough_phones  # only the numbers differ, and those are tokenized digit by digit
    for _ in range(TOKENIZER_PLANS):
        prompt, plan = grammar_prompts.sample_plan(rng)
        texts += [s.text for s in tokens.segments(prompt, plan, [[]] * len(plan["shots"])) if s.kind != "special"]
    speech.phones_of = exact
    FOLDER.mkdir(parents=True, exist_ok=True)
    tokens.train_tokenizer(texts, TOKENIZER)


def blocked_attention(module, query, key, value, mask, scaling, **_):
    """Causal attention over blocks of QUERY_BLOCK queries: on a CPU, training is about twice as fast as with PyTorch's. [b, heads, n, d] -> [b, n, heads, d].
    """
    key, value = (x.repeat_interleave(module.num_key_value_groups, dim=1) for x in (key, value))
    query, count, out = query * scaling, query.shape[2], []
    for begin in range(0, count, QUERY_BLOCK):
        end = min(count, begin + QUERY_BLOCK)
        scores = query[:, :, begin:end] @ key[:, :, :end].transpose(2, 3)
        future = torch.full((end - begin, end), float("-inf"), dtype=scores.dtype, device=scores.device).triu(begin + 1)
        out.append(torch.softmax(scores + future, -1, dtype=scores.dtype) @ value[:, :, :end])
    return torch.cat(out, 2).transpose(1, 2), None


AttentionInterface.register("blocked", blocked_attention)


# --- data ---
def write_shard(name, seed):
    """Draws PLANS_OF plans into plans/NAME.npz: token ids (int16) and packed bits of the loss mask, both concatenated, and the plans' lengths."""
    speech.phones_of = common_words.rough_phones
    vocabulary, rng = tokens.Vocabulary(TOKENIZER), np.random.default_rng(seed)
    drawn = [tokens.encode_plan(vocabulary, *grammar_prompts.sample_plan(rng)) for _ in range(PLANS_OF)]
    PLANS.mkdir(parents=True, exist_ok=True)
    np.savez(PLANS / f"{name}.part.npz", ids=np.concatenate([np.array(e.ids, np.int16) for e in drawn]),
             loss=np.packbits(np.concatenate([np.array(e.loss) for e in drawn])),
             lengths=[len(e.ids) for e in drawn])
    (PLANS / f"{name}.part.npz").rename(PLANS / f"{name}.npz")


def write_shards(minutes, first=0, step=1):
    """Writes the shards `first`, `first + step` … that do not exist yet, until `minutes` have passed."""
    make_tokenizer()
    end = time.time() + 60 * minutes
    for number in range(first, 10**5, step):
        if time.time() > end:
            return
        if not (PLANS / f"{number:05d}.npz").exists():
            write_shard(f"{number:05d}", [1, number])


def write_all_shards(minutes):
    """`write_shards` in WORKERS processes, this one included."""
    others = [start_process(write_shards, minutes, i, WORKERS) for i in range(1, WORKERS)]
    write_shards(minutes, 0, max(1, WORKERS))
    for process in others:
        process.join()


class Plans:
    """The plans of all shards as a list of (ids, loss mask). `refresh` adds new shards."""

    def __init__(self):
        self.known, self.plans = set(), []
        self.refresh()

    def refresh(self):
        """Loads shards that appeared since the last call."""
        for path in sorted(p for p in PLANS.glob("*.npz") if ".part" not in p.name and p.name not in self.known):
            self.known.add(path.name)
            with np.load(path) as shard:
                ends = np.cumsum(shard["lengths"])
                loss = np.unpackbits(shard["loss"])[:ends[-1]].astype(bool)
                self.plans += list(zip(np.split(shard["ids"], ends[:-1]), np.split(loss, ends[:-1])))


def batches(plans, budget, stages, rng):
    """Yields batches of plans of similar length (`collate`) without end. stages: (share of the budget, most tokens of a plan, most tokens of its prompt)
    while elapsed; after the last one, whole plans."""
    while True:
        longest, prompt = next(((n, p) for part, n, p in stages if budget.elapsed() < part * budget.seconds), (None, None))
        chosen = [plans.plans[i] for i in rng.integers(len(plans.plans), size=POOL)]
        pool = sorted(((ids[:longest], loss[:longest]) for ids, loss in chosen if not prompt or loss[:prompt].any()), key=lambda s: len(s[0]))
        groups, group = [], []
        for sample in pool:
            if group and (len(group) + 1) * len(sample[0]) > BATCH_TOKENS:
                groups.append(group)
                group = []
            group.append(sample)
        if group:
            groups.append(group)
        for i in rng.permutation(len(groups)):
            yield collate(groups[i])


def collate(group):
    """Right-padded (ids [b, n], targets [b, n]) on DEVICE; a target is -1 where there is no choice."""
    width = max(len(ids) for ids, _ in group)
    ids, targets = torch.zeros(len(group), width, dtype=torch.long), torch.full((len(group), width), -1)
    for i, (row, loss) in enumerate(group):
        row = torch.from_numpy(row.astype(np.int64))
        ids[i, :len(row)] = row
        targets[i, :len(row) - 1] = torch.where(torch.from_numpy(loss[1:]), row[1:], -1)
    return ids.to(DEVICE), targets.to(DEVICE)


# --- training ---
def choice_logits(model, ids, targets):
    """(logits, targets) at the positions with a choice. Padding is on the right, so the causal mask suffices."""
    states = model.model(input_ids=ids, use_cache=False).last_hidden_state
    chosen = targets >= 0
    return model.lm_head(states[chosen]), targets[chosen]


@torch.no_grad()
def evaluate(model, vocabulary, samples):
    """Teacher-forced accuracy on `samples`: share of correct choices per kind of segment, and under "whole" the share of plans without a wrong choice."""
    model.eval()
    right, total, whole = collections.Counter(), collections.Counter(), 0
    for prompt, plan in samples:
        encoded = tokens.encode_plan(vocabulary, prompt, plan)
        ids, targets = collate([(np.array(encoded.ids), np.array(encoded.loss))])
        with autocast():
            logits, wanted = choice_logits(model, ids, targets)
        hits = (logits.argmax(-1) == wanted).tolist()
        for kind, hit in zip((k for k, loss in zip(encoded.kinds, encoded.loss) if loss), hits):
            right[kind] += hit
            total[kind] += 1
        whole += all(hits)
    model.train()
    return {"whole": whole / len(samples), **{k: right[k] / total[k] for k in sorted(total)}}


def held_out_plans(count, seed=EVAL_SEED):
    """`count` (prompt, plan) pairs of a seed that is never trained on."""
    rng = np.random.default_rng(seed)
    return [grammar_prompts.sample_plan(rng) for _ in range(count)]


def freeze_below_tap(model):
    """Freezes the embeddings and the layers below the tap, which the transformer's conditioning depends on. The rest can keep learning beside the
    transformer."""
    for part in (model.model.embed_tokens, *model.model.layers[:TAP_LAYER]):
        part.requires_grad_(False)


def train(budget_minutes=45, resume=None, out=None, whole=False):
    """Trains on the shards of `write_shards` for `budget_minutes`, exports to `out` and returns the checkpoint's path.

    resume: checkpoint to continue from. Then only layers above the tap are trained, because transformers learn from the states below; `whole` trains
    everything."""
    torch.manual_seed(1)
    state = torch.load(resume, map_location=DEVICE, weights_only=False) if resume else {}
    whole = whole or not state  # a first run trains every layer; the checkpoint says so, because its optimizer state fits no other choice
    if "tokenizer" in state and not TOKENIZER.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        TOKENIZER.write_text(state["tokenizer"])
    vocabulary, plans = tokens.Vocabulary(TOKENIZER), Plans()
    model = build(vocabulary.size)
    model.set_attn_implementation("sdpa" if DEVICE == "cuda" else "blocked")
    if state:
        model.load_state_dict(state["model"], strict=False)  # the checkpoint lacks the tied head
        if not whole:
            freeze_below_tap(model)
    optimizer = Optimizer(model, lambda name: "proj" in name, MUON_RATE, ADAM_RATE)
    if "optimizer" in state and state.get("whole", True) == whole:
        optimizer.load(state["optimizer"])
    step, checkpoint = state.get("step", 0), FOLDER / "checkpoint.pt"
    log, budget, first, rng = Log("planner"), Budget(budget_minutes), step, np.random.default_rng([1, step])
    test, seen, drawn, last, losses, checked = held_out_plans(EVALUATED_PLANS), 0, 0, time.time(), [], 0.0
    for ids, targets in batches(plans, budget, [] if state else CURRICULUM, rng):  # a resumed run is past the short ones
        with autocast():
            logits, wanted = choice_logits(model, ids, targets)
        loss = torch.nn.functional.cross_entropy(logits.float(), wanted)
        loss.backward()
        optimizer.step(budget.lr_factor(step - first))
        step, seen, drawn = step + 1, seen + ids.numel(), drawn + len(ids)
        losses.append(loss.detach())
        done = budget.spent()  # asked once: a run that ends must have written its checkpoint
        if budget.elapsed() - checked > LOG_SECONDS or done:
            checked, seconds = budget.elapsed(), time.time() - last
            log(stage="planner", step=step, minutes=budget.elapsed() / 60, loss=float(torch.stack(losses).mean()), tokens_per_second=round(seen / seconds),
                samples_per_second=drawn / seconds, plans=len(plans.plans), **evaluate(model, vocabulary, test))
            save(checkpoint, model={k: v for k, v in model.state_dict().items() if k != "lm_head.weight"}, optimizer=optimizer.state(), step=step, whole=whole,
                 tokenizer=TOKENIZER.read_text())
            plans.refresh()
            seen, drawn, losses, last = 0, 0, [], time.time()
        if done:
            break
    if out:
        export(model, out)
    return checkpoint


# --- conditioning of the transformer ---
@torch.no_grad()
def tap_states(model, vocabulary, prompt, plan):
    """The tap layer's states for each shot, from one prefill of the plan: [(states float32 [n, d], starts)], where a start is None for an untimed row and
    seconds for a sound's row."""
    encoded = tokens.encode_plan(vocabulary, prompt, plan)
    ids = torch.tensor([encoded.ids], device=next(model.parameters()).device)
    states = model.model(input_ids=ids, use_cache=False, output_hidden_states=True).hidden_states[TAP_LAYER][0].float().cpu()
    return [(states[rows + sounds], [None] * len(rows) + starts) for rows, sounds, starts in encoded.shots]
