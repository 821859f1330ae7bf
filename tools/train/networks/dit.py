"""Training of the transformer (`MiniMaxH3Transformer3DModel`) on the shots of a pool, and the sampling loop for checking it.

The model puts out the clean sample (x0); the loss is the error of the velocity that follows from it. Video and audio have their
own noise levels: most often those of the same step of the two schedules, in a fifth of the samples independent ones, and in some the picture is clean, so
that sound can be made for a given one.
"""

import os

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import MiniMaxH3Scheduler, MiniMaxH3Transformer3DModel

from common.training import CACHE, DEVICE, MODEL, WORLD, Average, Budget, Log, Optimizer, autocast, save
from networks import audio_vae, latents, layout, video_vae

SHIFT, AUDIO_SHIFT = 5.0, 3.0  # of the two schedules
NOISY_SHIFT = 9.0  # of the levels that half of the samples are drawn at: the layout of so many rows is settled where there is most noise
SIGMA_FLOOR = 0.05  # 1 - t never counts as less in velocities
ACTOR_WEIGHT = 2.5  # of a row that shows an actor
AUDIO_WEIGHT = 0.7
VISIBLE, AUDIBLE = 0.7, 0.3  # the power of a channel's share of the picture, and of the log mel, in the loss: 1 is the error of pixels, 0 of normalised latents
IMAGE_SHARE = 0.15  # of the batches, once shots are the main fare
GIVEN_SHARE = 0.1  # of the samples in which the picture is clean
EVALUATIONS = 12
CHECKPOINT = CACHE / "dit.pt"
HELD_OUT_LEVELS = (0.3, 0.6, 0.9)
BATCH, IMAGE_BATCH = (64, 96) if DEVICE == "cuda" else (8, 12)  # of shots; three single frames of each in a batch of these
JUDGED = 96 if DEVICE == "cuda" else 8  # held-out shots that training looks at
CAPACITY = 48_000 if DEVICE == "cuda" else 4_000  # shots in memory: 1.2 MB each


def config(text_dim, audio_channels, video_channels, **sizes):
    """The transformer's config; `sizes` replace those of the model that is trained."""
    return dict(**MODEL["transformer"], num_refiner_layers=1,
                in_channels=video_channels, audio_in_channels=audio_channels, patch_size=(1, layout.PATCH, layout.PATCH),
                text_dim=text_dim, freq_dim=128, rope_freq_dim=20) | sizes


def build(text_dim, audio_channels, video_channels, **sizes):
    """A new transformer; the gates of its blocks start near zero, its heads at zero."""
    model = MiniMaxH3Transformer3DModel(**config(text_dim, audio_channels, video_channels, **sizes))
    for block in model.transformer_blocks:
        torch.nn.init.normal_(block.adaln_proj.linear.weight, std=0.02)
        bias = block.adaln_proj.linear.bias.data.zero_().view(3, 6, -1)
        bias[:, (2, 5)] = 0.5  # the two gates
    torch.nn.init.zeros_(model.norm_out.linear.weight)
    torch.nn.init.zeros_(model.norm_out.linear.bias)
    for head in (model.proj_out, model.audio_proj_out):
        torch.nn.init.normal_(head.weight, std=0.01)
        torch.nn.init.zeros_(head.bias)
    return model.to(DEVICE)


# ---- the training forward: the reference's modules over a batch in which each sample has its own timesteps

def rotate(x, cos, sin):
    """Rotary embedding of x [b, rows, heads, head_dim]; cos, sin [b, rows, 1, rotary_dim]."""
    n = cos.shape[-1]
    head, tail = x[..., :n], x[..., n:]
    a, b = head.chunk(2, -1)
    return torch.cat([head * cos + torch.cat([-b, a], -1) * sin, tail], -1)


def attend(attention, x, rotary=None):
    q, k, v = (proj(x).unflatten(-1, (attention.heads, -1)) for proj in (attention.to_q, attention.to_k, attention.to_v))
    q, k = attention.norm_q(q), attention.norm_k(k)
    if rotary is not None:
        q, k = rotate(q, *rotary), rotate(k, *rotary)
    q, k, v = (y.to(v.dtype).transpose(1, 2) for y in (q, k, v))
    y = F.scaled_dot_product_attention(q, k, v)
    return attention.to_out[0](y.transpose(1, 2).flatten(2))


def spread(table, text, audio, video):
    """Modulation rows of a batch: table [b, 2 timesteps, 3 tags, hidden] -> [b, rows, hidden]; text takes the video's time."""
    parts = ((0, layout.TEXT, text), (1, layout.AUDIO, audio), (0, layout.VIDEO, video))
    return torch.cat([table[:, t, tag, None].expand(-1, n, -1) for t, tag, n in parts if n], 1)


def transform(block, x, time, cos, sin, text, audio, video):
    """One block over x [b, rows, d]; time: the embedded timesteps, video's and audio's of each sample in turn [2 b, d']."""
    tables = [m.view(len(x), 2, 3, -1) for m in block.adaln_proj(time)]
    shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = (spread(m, text, audio, video) for m in tables)
    x = x + gate_a * attend(block.attn, block.norm1(x) * (1 + scale_a) + shift_a, (cos, sin))
    return x + gate_f * block.ff(block.norm2(x) * (1 + scale_f) + shift_f)


def forward(model, video, audio, text, position, t_video, t_audio, block_of=transform):
    """Outputs for video [b,nv,c], audio [b,na,c] given text [b,nt,d], position [b,rows,3]
    and one timestep a sample and modality, t_video and t_audio [b]. Equals the reference's forward sample by sample."""
    b, nt, na, nv = len(video), text.shape[1], audio.shape[1], video.shape[1]
    cos, sin = (r.view(b, nt + na + nv, 1, -1) for r in model.rope(position.flatten(0, 1)))
    x = model.context_embedder(text)
    for block in model.token_refiner.refiner_blocks:
        x = x + attend(block.attn, block.norm1(x))
        x = x + block.ff(block.norm2(x))
    x = model.token_refiner.final_norm(x)
    x = torch.cat([x.float()] + ([model.audio_proj_in(audio).float()] if na else []) + [model.proj_in(video).float()], 1)
    time = model.time_proj(torch.stack([t_video, t_audio], 1).flatten())
    time = model.time_embedder(time)
    for block in model.transformer_blocks:
        x = block_of(block, x, time, cos, sin, nt, na, nv)
    shift, scale = (m.view(b, 2, -1) for m in model.norm_out.linear(F.silu(time)).chunk(2, -1))
    x = model.norm_out.norm(x)
    sound, picture = x[:, nt:nt + na], x[:, nt + na:]
    picture = model.proj_out(picture * (1 + scale[:, :1]) + shift[:, :1])
    sound = model.audio_proj_out(sound * (1 + scale[:, 1:]) + shift[:, 1:])
    return picture, sound


def compiled():
    """`forward` with one block compiled, for all blocks and all lengths of text; plain where FABULA_TRAIN_EAGER is set."""
    if os.environ.get("FABULA_TRAIN_EAGER"):
        return forward
    block = torch.compile(transform, dynamic=True)
    return lambda *arguments: forward(*arguments, block_of=block)


# ---- training

def channel_weights():
    """How much each component of a row of video [c*4], and of audio [c], counts in the loss, 1 on average: by the share of the picture's energy that its
    channel carries. Latents are normalised, so that all channels look alike to the loss; where the first is wrong, the edges of patches show."""
    linear, features = torch.load(video_vae.LINEAR), audio_vae.Features.load()
    energy = (linear["deviation"] * torch.tensor(linear["statistics"][1])).square() ** VISIBLE
    heard = torch.cat([(features.share / features.share[0]) ** AUDIBLE, torch.tensor([0.6, 0.6])])  # and periodicity and pitch
    return (energy / energy.mean()).repeat_interleave(layout.PATCH**2).to(DEVICE), (heard / heard.mean()).to(DEVICE)


def shifted(u, shift):
    return shift * u / (1 + (shift - 1) * u)


def draw_levels(rng, b):
    """(sigma of video, sigma of audio), each float [b].

    Half of them lie evenly along the schedule, as sampling does: without these the last evaluation, which settles all detail, is one in thirty. The others
    lie where there is more noise."""
    def along():
        even = rng.random(b) < 0.5
        return np.where(even, rng.uniform(0.01, 1, b), 1 / (1 + np.exp(-rng.normal(0, 1.1, b)))), even
    u, even = along()
    other = np.where(rng.random(b) < 0.2, along()[0], u)
    video = np.where(even, shifted(u, SHIFT), shifted(u, NOISY_SHIFT))
    video = np.where(rng.random(b) < GIVEN_SHARE, 0.001, video)
    return (torch.tensor(v, dtype=torch.float32, device=DEVICE) for v in (video, shifted(other, AUDIO_SHIFT)))


def losses(model, batch, sigma_video, sigma_audio, noise_video, noise_audio, weights, run=forward):
    """Squared velocity errors (video weighted to actors and channels, video plain, audio weighted to channels) of a batch of a pool. weights:
    `channel_weights`."""
    sv, sa = sigma_video.view(-1, 1, 1), sigma_audio.view(-1, 1, 1)
    noisy_video = (1 - sv) * batch["video"] + sv * noise_video
    noisy_audio = (1 - sa) * batch["audio"] + sa * noise_audio
    with autocast():
        video, audio = run(model, noisy_video, noisy_audio, batch["text"], batch["position"], 1 - sigma_video, 1 - sigma_audio)
    squared = ((video.float() - batch["video"]) / sv.clamp_min(SIGMA_FLOOR)).square() * (sv > 0.01)  # a given picture is no task
    error = (squared * weights[0]).mean(-1)
    weight = 1 + (ACTOR_WEIGHT - 1) * batch["actor"]
    sound = (((audio.float() - batch["audio"]) / sa.clamp_min(SIGMA_FLOOR)).square() * weights[1]).mean()
    return (weight * error).sum() / weight.sum(), squared.mean(), sound


@torch.no_grad()
def held_out(model, pool, weights):
    """{"video_0.3": …}: velocity errors at fixed noise levels over held-out shots, always with the same noise, "seen_" weighted to actors and channels."""
    generator, out = torch.Generator().manual_seed(5), {}
    for sigma in HELD_OUT_LEVELS:
        sums, sizes = [], []
        for bucket in pool.buckets.values():
            batch = pool.batch(bucket[:16])
            level = torch.full((len(batch["video"]),), sigma, device=DEVICE)
            noise = [torch.randn(batch[k].shape, generator=generator).to(DEVICE) for k in ("video", "audio")]
            sums.append(torch.stack([loss.float() for loss in losses(model, batch, level, level, *noise, weights)]))
            sizes.append(len(level))
        mean = (torch.stack(sums) * torch.tensor(sizes, device=DEVICE)[:, None]).sum(0) / sum(sizes)
        out |= {f"{name}_{sigma}": float(v) for name, v in zip(("seen", "video", "audio"), mean)}
    return out


def muon(name):
    """Whether a matrix is one of the blocks' own, which Muon trains; the rest is AdamW's."""
    return "_blocks" in name and "adaln" not in name


def train(budget_minutes, resume=None, out=CHECKPOINT, planner=latents.BUNDLE / "planner", image_share=0.0):
    """Trains until the budget is spent: mostly single frames with the sound of their shots for the first `image_share` of it, mostly whole shots after."""
    state = torch.load(resume, map_location=DEVICE, weights_only=False) if resume else {}
    pool, judged, weights = latents.Pool(planner, CAPACITY), latents.Pool(planner, JUDGED, "held_out"), channel_weights()
    shape = state.get("shape") or (pool.model.config.hidden_size, audio_vae.CONFIG["latent_channels"], video_vae.LATENT_CHANNELS)
    model = build(*shape)
    average = Average(model, 0.998)
    optimizer = Optimizer(model, muon, 3e-3, 1.5e-3, weight_decay=0.01)
    if state:
        model.load_state_dict(state["model"])
        average.values, average.steps = {n: state["average"][n].clone() for n in average.values}, 2000
        if "optimizer" in state:  # not in what came out of a bundle
            optimizer.load(state["optimizer"])
    step, log, budget = state.get("step", 0), Log("dit"), Budget(budget_minutes, 40)
    first, rng, checked, saved, looked, seen = step, np.random.default_rng([2, step]), 0.0, 0.0, 0.0, []
    samples, run = 0, compiled()

    def write():
        save(out, model=model.state_dict(), average={**model.state_dict(), **average.values}, optimizer=optimizer.state(), step=step, shape=shape)

    pool.follow()
    while not budget.spent():
        images = rng.random() < (0.9 if budget.elapsed() < image_share * budget.seconds else IMAGE_SHARE)
        batch = pool.batch(pool.draw(rng, IMAGE_BATCH if images else BATCH), images)
        noise = torch.randn_like(batch["video"]), torch.randn_like(batch["audio"])
        weighted, plain, sound = losses(model, batch, *draw_levels(rng, len(batch["video"])), *noise, weights, run)
        (weighted + AUDIO_WEIGHT * sound).backward()
        optimizer.step(budget.rate(step - first))
        average.update(model)
        seen.append((images, plain.detach(), sound.detach()))
        step, samples = step + 1, samples + len(noise[0])
        if budget.elapsed() - checked > (30 if DEVICE == "cuda" else 600) or budget.spent():
            checked = budget.elapsed()
            average.swap(model)
            errors = held_out(model, judged, weights)
            average.swap(model)
            of = lambda image, column: float(np.mean([float(s[column]) for s in seen if s[0] == image] or [0]))
            log(step=step, minutes=budget.elapsed() / 60, samples_per_second=samples / budget.elapsed(), images=of(True, 1), video=of(False, 1),
                audio=of(False, 2),
                shots=pool.count, **errors)
            seen = []
        if budget.elapsed() - looked > (2 if DEVICE == "cuda" else 60):
            looked = budget.elapsed()
            pool.catch_up()
        if budget.elapsed() - saved > (60 if DEVICE == "cuda" else 300):
            saved = budget.elapsed()
            write()
    write()
    return out


def load(path=CHECKPOINT):
    state = torch.load(path, map_location=DEVICE, weights_only=False)
    model = build(*state["shape"])
    model.load_state_dict(state["average"])
    return model.eval()


# ---- sampling of a batch in which each sample may be somewhere else on its way

def levels(place):
    """(sigma of video, sigma of audio) at `place` [b] on the way from noise (0) to the clean sample (1)."""
    return shifted(1 - place, SHIFT), shifted(1 - place, AUDIO_SHIFT)


def clean(model, batch, video, audio, place, run=forward):
    """The model's clean samples (float32) of a batch that has come to `place`."""
    sigma_video, sigma_audio = levels(place)
    with autocast():
        outputs = run(model, video, audio, batch["text"], batch["position"], 1 - sigma_video, 1 - sigma_audio)
    return [x.float() for x in outputs]


def moved(sample, target, before, after):
    """A sample at noise level `before` [b] led straight towards a clean `target` until the level is `after` [b]."""
    share = ((before - after) / before.clamp_min(SIGMA_FLOOR)).view(-1, 1, 1)
    return sample + share * (target - sample)


def evaluated(model, batch, video, audio, place, span):
    """A batch's (video rows, audio rows) at `place` [b] led by one evaluation to place + span."""
    for_video, for_audio = clean(model, batch, video, audio, place)
    (a, b), (c, d) = levels(place), levels((place + span).clamp_max(1))
    return moved(video, for_video, a, c), moved(audio, for_audio, b, d)


def led(model, batch, video, audio, first, evaluations):
    """(video rows, audio rows) led from evaluation `first` of a schedule of `evaluations` to its end."""
    for k in range(first, evaluations):
        video, audio = evaluated(model, batch, video, audio, torch.full((len(video),), k / evaluations, device=DEVICE), 1 / evaluations)
    return video, audio


# ---- sampling, with the reference's forward and scheduler

def clean_to_velocity(clean, sample, timestep):
    return (clean - sample) / max(1 - float(timestep), SIGMA_FLOOR)


@torch.no_grad()
def sample(model, rows, seed, evaluations=EVALUATIONS, latent_frames=None):
    """Normalised latents of a shot, video [c,t,h,w] and audio [c,n], from its conditioning rows: `untimed` [n,d], `score` [m,d] and its `starts` in seconds.
    latent_frames: those of a whole shot, unless it is said."""
    latent_frames = latent_frames or len(layout.first_frames())
    c, ca = model.config.in_channels, model.config.audio_in_channels
    width, height = (n // 8 for n in WORLD["canvas"])
    na, generator = layout.audio_rows(), torch.Generator().manual_seed(seed)
    video = layout.patchify(torch.randn(1, c, latent_frames, height, width, generator=generator))
    audio = torch.randn(1, na, ca, generator=generator)
    text = torch.cat([rows.untimed, rows.score]).float()[None]
    position = layout.positions(len(rows.untimed), rows.starts, latent_frames, height, width, na)
    nt, nv = text.shape[1], video.shape[1]
    tags = torch.cat([torch.full((n,), tag) for n, tag in ((nt, layout.TEXT), (na, layout.AUDIO), (nv, layout.VIDEO))])
    index = torch.arange(len(tags))
    schedules = MiniMaxH3Scheduler(SHIFT), MiniMaxH3Scheduler(AUDIO_SHIFT)
    for schedule in schedules:
        schedule.set_timesteps(evaluations + 1)
    for t, ta in zip(schedules[0].timesteps, schedules[1].timesteps):
        row_time = torch.where(tags == layout.AUDIO, ta, t)
        distinct, row = torch.unique(row_time, sorted=True, return_inverse=True)
        x0, a0 = model(video, audio, text, distinct, row, tags, position, index[nt + na:], index[nt:nt + na], index[:nt], return_dict=False)
        video = schedules[0].step(clean_to_velocity(x0, video, t), t, video, return_dict=False)[0]
        audio = schedules[1].step(clean_to_velocity(a0, audio, ta), ta, audio, return_dict=False)[0]
    return layout.unpatchify(video, c, latent_frames, height, width)[0], audio[0].T
