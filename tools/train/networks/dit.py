"""Training of the transformer (`MiniMaxH3Transformer3DModel`) on a pool of shots, and the sampling loop to check it with.

The model predicts the clean sample (x0); the loss is the error of the velocity that follows from it. Video and audio have separate noise levels: usually
those of the same step of the two schedules, independent in a fifth of the samples. In a tenth the video is clean, so that sound can be generated for given
pictures.
"""

import os

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import MiniMaxH3Scheduler, MiniMaxH3Transformer3DModel

from common.training import CACHE, DEVICE, EMA, MODEL, WORLD, Budget, Log, Optimizer, autocast, save
from networks import audio_vae, latents, layout, video_vae

VIDEO_SHIFT, AUDIO_SHIFT = 5.0, 3.0  # timestep shifts of the two schedules
NOISY_SHIFT = 9.0  # shift of the high-noise half of training samples: the layout of a picture is decided at high noise
SIGMA_FLOOR = 0.05  # least 1 - t in velocities, as in the engine
ACTOR_WEIGHT = 2.5  # loss weight of rows that show an actor
AUDIO_WEIGHT = 0.7  # weight of the audio loss; the video's is 1
# Loss weight of a channel: its share of the picture's (log mel's) energy to this power. 1 gives the error of pixels, 0 that of normalised latents.
VIDEO_WEIGHT_POWER, AUDIO_WEIGHT_POWER = 0.7, 0.3
IMAGE_SHARE = 0.15  # share of batches of single frames, after the first phase
FIRST_IMAGE_SHARE = 0.9  # the same in the first phase (`image_share` of the budget)
MUON_RATE, ADAM_RATE, WEIGHT_DECAY, WARMUP_STEPS = 3e-3, 1.5e-3, 0.01, 40  # peak learning rates; a budget may be only a few hundred steps
EMA_DECAY = 0.998  # averages about the last 500 steps
RESUMED_EMA_STEPS = 2000  # step count given to a resumed EMA: past most of its warm-up (EMA.update)
LOG_SECONDS, LOAD_SECONDS, SAVE_SECONDS = (30, 2, 60) if DEVICE == "cuda" else (600, 60, 300)  # on a CPU an evaluation takes as long as many steps
CLEAN_VIDEO_SHARE = 0.1  # share of samples whose video is clean
EVALUATIONS = 12  # per shot, when sampling
CHECKPOINT = CACHE / "dit.pt"
HELD_OUT_LEVELS = (0.3, 0.6, 0.9)  # noise levels of the evaluation
EVALUATED_PER_LENGTH = 16  # held-out shots per text length: one batch each
BATCH, IMAGE_BATCH = (64, 96) if DEVICE == "cuda" else (8, 12)  # shots per batch; in an image batch each gives three single frames
HELD_OUT_SHOTS = 96 if DEVICE == "cuda" else 8  # held-out shots for evaluation
CAPACITY = 48_000 if DEVICE == "cuda" else 4_000  # shots in memory, 1.2 MB each


def config(text_dim, audio_channels, video_channels, **sizes):
    """The transformer's config; `sizes` override those of MODEL."""
    return dict(**MODEL["transformer"], num_refiner_layers=1,
                in_channels=video_channels, audio_in_channels=audio_channels, patch_size=(1, layout.PATCH, layout.PATCH),
                text_dim=text_dim, freq_dim=128, rope_freq_dim=20) | sizes


def build(text_dim, audio_channels, video_channels, **sizes):
    """A new transformer. The gates of its blocks start small, its output layers near zero."""
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

def apply_rotary(x, cos, sin):
    """Rotary embedding of x [b, rows, heads, head_dim]; cos, sin [b, rows, 1, rotary_dim]."""
    n = cos.shape[-1]
    head, tail = x[..., :n], x[..., n:]
    a, b = head.chunk(2, -1)
    return torch.cat([head * cos + torch.cat([-b, a], -1) * sin, tail], -1)


def attend(attention, x, rotary=None):
    """Self-attention of the reference's module over x [b, rows, d], with batched rotary tables."""
    q, k, v = (proj(x).unflatten(-1, (attention.heads, -1)) for proj in (attention.to_q, attention.to_k, attention.to_v))
    q, k = attention.norm_q(q), attention.norm_k(k)
    if rotary is not None:
        q, k = apply_rotary(q, *rotary), apply_rotary(k, *rotary)
    q, k, v = (y.to(v.dtype).transpose(1, 2) for y in (q, k, v))
    y = F.scaled_dot_product_attention(q, k, v)
    return attention.to_out[0](y.transpose(1, 2).flatten(2))


def modulation_rows(table, text, audio, video):
    """Expands a modulation table [b, 2 timesteps, 3 tags, hidden] to rows [b, rows, hidden]. Text takes the video's timestep."""
    parts = ((0, layout.TEXT, text), (1, layout.AUDIO, audio), (0, layout.VIDEO, video))
    return torch.cat([table[:, t, tag, None].expand(-1, n, -1) for t, tag, n in parts if n], 1)


def block_forward(block, x, time, cos, sin, text, audio, video):
    """One block over x [b, rows, d]. time: embedded timesteps [2 b, d'], video's and audio's of each sample in turn."""
    tables = [m.view(len(x), 2, 3, -1) for m in block.adaln_proj(time)]
    shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = (modulation_rows(m, text, audio, video) for m in tables)
    x = x + gate_a * attend(block.attn, block.norm1(x) * (1 + scale_a) + shift_a, (cos, sin))
    return x + gate_f * block.ff(block.norm2(x) * (1 + scale_f) + shift_f)


def forward(model, video, audio, text, position, t_video, t_audio, block_of=block_forward):
    """(video [b,nv,c], audio [b,na,c]) predictions given text [b,nt,d], position [b,rows,3], and one timestep per sample and modality, t_video and t_audio
    [b]. Equals the reference's forward sample by sample."""
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


def compiled_forward():
    """`forward` with one compiled block for all layers and text lengths; not compiled if FABULA_TRAIN_EAGER is set."""
    if os.environ.get("FABULA_TRAIN_EAGER"):
        return forward
    block = torch.compile(block_forward, dynamic=True)
    return lambda *arguments: forward(*arguments, block_of=block)


# ---- training

def channel_weights():
    """Loss weights of a video row's components [c*4] and an audio row's [c], 1 on average, by the share of picture (log mel) energy that each channel
    carries. Latents are normalised, so without weights the loss treats all channels alike, and errors in the first ones show as patch edges."""
    linear, features = torch.load(video_vae.LINEAR), audio_vae.Features.load()
    energy = (linear["deviation"] * torch.tensor(linear["statistics"][1])).square() ** VIDEO_WEIGHT_POWER
    heard = torch.cat([(features.share / features.share[0]) ** AUDIO_WEIGHT_POWER, torch.tensor([0.6, 0.6])])  # the last two: periodicity and pitch
    return (energy / energy.mean()).repeat_interleave(layout.PATCH**2).to(DEVICE), (heard / heard.mean()).to(DEVICE)


def shift_sigma(u, shift):
    """The scheduler's timestep shift (Esser et al., 2024): sigma u in 0 … 1 -> shifted sigma."""
    return shift * u / (1 + (shift - 1) * u)


def sample_noise_levels(rng, b):
    """(video sigma, audio sigma), each float [b].

    Half are uniform along the schedule, as in sampling: otherwise the last evaluation, which settles all detail, would get one sample in thirty. The other half
    are logit-normal (Esser et al., "Scaling Rectified Flow Transformers", 2024) and shifted towards high noise."""
    def along():
        """(levels before the shift, which of them are uniform), each [b]."""
        even = rng.random(b) < 0.5
        return np.where(even, rng.uniform(0.01, 1, b), 1 / (1 + np.exp(-rng.normal(0, 1.1, b)))), even
    u, even = along()
    other = np.where(rng.random(b) < 0.2, along()[0], u)
    video = np.where(even, shift_sigma(u, VIDEO_SHIFT), shift_sigma(u, NOISY_SHIFT))
    video = np.where(rng.random(b) < CLEAN_VIDEO_SHARE, 0.001, video)
    return (torch.tensor(v, dtype=torch.float32, device=DEVICE) for v in (video, shift_sigma(other, AUDIO_SHIFT)))


def velocity_losses(model, batch, sigma_video, sigma_audio, noise_video, noise_audio, weights, run=forward):
    """Squared velocity errors of a batch: (video weighted by actors and channels, plain video, audio weighted by channels). weights: `channel_weights`."""
    sv, sa = sigma_video.view(-1, 1, 1), sigma_audio.view(-1, 1, 1)
    noisy_video = (1 - sv) * batch["video"] + sv * noise_video
    noisy_audio = (1 - sa) * batch["audio"] + sa * noise_audio
    with autocast():
        video, audio = run(model, noisy_video, noisy_audio, batch["text"], batch["position"], 1 - sigma_video, 1 - sigma_audio)
    squared = ((video.float() - batch["video"]) / sv.clamp_min(SIGMA_FLOOR)).square() * (sv > 0.01)  # a clean video has no error to learn from
    error = (squared * weights[0]).mean(-1)
    weight = 1 + (ACTOR_WEIGHT - 1) * batch["actor"]
    sound = (((audio.float() - batch["audio"]) / sa.clamp_min(SIGMA_FLOOR)).square() * weights[1]).mean()
    return (weight * error).sum() / weight.sum(), squared.mean(), sound


@torch.no_grad()
def evaluate_held_out(model, pool, weights):
    """{"seen_0.3": …, "video_0.3": …, "audio_0.3": …}: velocity errors over held-out shots at HELD_OUT_LEVELS, always with the same noise. "seen_" is the
    weighted error of the video."""
    generator, out = torch.Generator().manual_seed(5), {}
    for sigma in HELD_OUT_LEVELS:
        sums, sizes = [], []
        for bucket in pool.buckets.values():
            batch = pool.batch(bucket[:EVALUATED_PER_LENGTH])
            level = torch.full((len(batch["video"]),), sigma, device=DEVICE)
            noise = [torch.randn(batch[k].shape, generator=generator).to(DEVICE) for k in ("video", "audio")]
            sums.append(torch.stack([loss.float() for loss in velocity_losses(model, batch, level, level, *noise, weights)]))
            sizes.append(len(level))
        mean = (torch.stack(sums) * torch.tensor(sizes, device=DEVICE)[:, None]).sum(0) / sum(sizes)
        out |= {f"{name}_{sigma}": float(v) for name, v in zip(("seen", "video", "audio"), mean)}
    return out


def is_muon_matrix(name):
    """Whether Muon trains this matrix: those of the blocks, without modulation."""
    return "_blocks" in name and "adaln" not in name


def train(budget_minutes, resume=None, out=CHECKPOINT, planner=latents.BUNDLE / "planner", image_share=0.0):
    """Trains until the budget is spent and returns `out`. Trains mostly on single frames during the first `image_share` of the budget, then mostly on whole
    shots."""
    state = torch.load(resume, map_location=DEVICE, weights_only=False) if resume else {}
    pool, judged, weights = latents.Pool(planner, CAPACITY), latents.Pool(planner, HELD_OUT_SHOTS, "held_out"), channel_weights()
    shape = state.get("shape") or (pool.model.config.hidden_size, audio_vae.CONFIG["latent_channels"], video_vae.LATENT_CHANNELS)
    model = build(*shape)
    average = EMA(model, EMA_DECAY)
    optimizer = Optimizer(model, is_muon_matrix, MUON_RATE, ADAM_RATE, weight_decay=WEIGHT_DECAY)
    if state:
        model.load_state_dict(state["model"])
        average.values, average.steps = {n: state["average"][n].clone() for n in average.values}, RESUMED_EMA_STEPS
        if "optimizer" in state:  # absent after `unpack`
            optimizer.load(state["optimizer"])
    step, log, budget = state.get("step", 0), Log("dit"), Budget(budget_minutes, WARMUP_STEPS)
    first, rng, checked, saved, looked, seen = step, np.random.default_rng([2, step]), 0.0, 0.0, 0.0, []
    samples, run = 0, compiled_forward()

    def write():
        save(out, model=model.state_dict(), average={**model.state_dict(), **average.values}, optimizer=optimizer.state(), step=step, shape=shape)

    pool.follow()
    while not budget.spent():
        images = rng.random() < (FIRST_IMAGE_SHARE if budget.elapsed() < image_share * budget.seconds else IMAGE_SHARE)
        batch = pool.batch(pool.draw(rng, IMAGE_BATCH if images else BATCH), images)
        noise = torch.randn_like(batch["video"]), torch.randn_like(batch["audio"])
        weighted, plain, sound = velocity_losses(model, batch, *sample_noise_levels(rng, len(batch["video"])), *noise, weights, run)
        (weighted + AUDIO_WEIGHT * sound).backward()
        optimizer.step(budget.lr_factor(step - first))
        average.update(model)
        seen.append((images, plain.detach(), sound.detach()))
        step, samples = step + 1, samples + len(noise[0])
        if budget.elapsed() - checked > LOG_SECONDS or budget.spent():
            checked = budget.elapsed()
            average.swap(model)
            errors = evaluate_held_out(model, judged, weights)
            average.swap(model)
            of = lambda image, column: float(np.mean([float(s[column]) for s in seen if s[0] == image] or [0]))
            log(step=step, minutes=budget.elapsed() / 60, samples_per_second=samples / budget.elapsed(), images=of(True, 1), video=of(False, 1),
                audio=of(False, 2),
                shots=pool.count, **errors)
            seen = []
        if budget.elapsed() - looked > LOAD_SECONDS:
            looked = budget.elapsed()
            pool.catch_up()
        if budget.elapsed() - saved > SAVE_SECONDS:
            saved = budget.elapsed()
            write()
    write()
    return out


def load(path=CHECKPOINT):
    """The averaged model of a checkpoint, in evaluation mode."""
    state = torch.load(path, map_location=DEVICE, weights_only=False)
    model = build(*state["shape"])
    model.load_state_dict(state["average"])
    return model.eval()


# ---- sampling of a batch in which each sample has its own place in the schedule

def schedule_sigmas(place):
    """(video sigma, audio sigma) at `place` [b] of the schedule: 0 is noise, 1 the clean sample."""
    return shift_sigma(1 - place, VIDEO_SHIFT), shift_sigma(1 - place, AUDIO_SHIFT)


def predict_clean(model, batch, video, audio, place, run=forward):
    """The model's clean (video rows, audio rows), float32, of a batch that is at `place` [b] of the schedule."""
    sigma_video, sigma_audio = schedule_sigmas(place)
    with autocast():
        outputs = run(model, video, audio, batch["text"], batch["position"], 1 - sigma_video, 1 - sigma_audio)
    return [x.float() for x in outputs]


def euler_step(sample, target, before, after):
    """Moves a sample straight towards a clean `target`, from noise level `before` [b] to `after` [b]."""
    share = ((before - after) / before.clamp_min(SIGMA_FLOOR)).view(-1, 1, 1)
    return sample + share * (target - sample)


def denoise_step(model, batch, video, audio, place, span):
    """One evaluation: moves (video rows, audio rows) from `place` [b] to place + span."""
    for_video, for_audio = predict_clean(model, batch, video, audio, place)
    (a, b), (c, d) = schedule_sigmas(place), schedule_sigmas((place + span).clamp_max(1))
    return euler_step(video, for_video, a, c), euler_step(audio, for_audio, b, d)


def denoise(model, batch, video, audio, first, evaluations):
    """Runs evaluations `first` … `evaluations` - 1 of the schedule on (video rows, audio rows)."""
    for k in range(first, evaluations):
        video, audio = denoise_step(model, batch, video, audio, torch.full((len(video),), k / evaluations, device=DEVICE), 1 / evaluations)
    return video, audio


# ---- sampling with the reference's forward and scheduler

def clean_to_velocity(clean, sample, timestep):
    """The velocity towards `clean` at `timestep` (1 - sigma)."""
    return (clean - sample) / max(1 - float(timestep), SIGMA_FLOOR)


@torch.no_grad()
def sample(model, rows, seed, evaluations=EVALUATIONS, latent_frames=None):
    """Samples a shot with the reference's forward and scheduler: normalised latents video [c,t,h,w] and audio [c,n].

    rows: conditioning, with `untimed` [n,d], `score` [m,d] and the score's `starts` in seconds. latent_frames: default, those of a whole shot."""
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
    schedules = MiniMaxH3Scheduler(VIDEO_SHIFT), MiniMaxH3Scheduler(AUDIO_SHIFT)
    for schedule in schedules:
        schedule.set_timesteps(evaluations + 1)
    for t, ta in zip(schedules[0].timesteps, schedules[1].timesteps):
        row_time = torch.where(tags == layout.AUDIO, ta, t)
        distinct, row = torch.unique(row_time, sorted=True, return_inverse=True)
        x0, a0 = model(video, audio, text, distinct, row, tags, position, index[nt + na:], index[nt:nt + na], index[:nt], return_dict=False)
        video = schedules[0].step(clean_to_velocity(x0, video, t), t, video, return_dict=False)[0]
        audio = schedules[1].step(clean_to_velocity(a0, audio, ta), ta, audio, return_dict=False)[0]
    return layout.unpatchify(video, c, latent_frames, height, width)[0], audio[0].T
