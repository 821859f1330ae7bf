"""Dumps small golden cases from a bundle (docs/BUNDLE.md): what the reference libraries compute with its weights.

    python dump_bundle.py BUNDLE OUT

See README.md beside this file for the format.
"""
import argparse
import importlib.metadata
import json
import os
import pathlib
import sys

import torch
from diffusers import AutoencoderKLMiniMaxH3, AutoencoderKLMiniMaxH3Audio, MiniMaxH3Scheduler, MiniMaxH3Transformer3DModel
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import Qwen3ForCausalLM

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "train"))
from networks import layout  # noqa: E402

VELOCITY_FLOOR = 0.05  # least 1 - t when a velocity is computed from a clean sample
LATENT_SIZE = (4, 8)  # rows x columns of latents in the video cases
SEED = 20261124


def made_with() -> dict:
    return {name: importlib.metadata.version(name) for name in ("diffusers", "transformers", "tokenizers", "torch")}


def read(path: pathlib.Path) -> dict:
    return json.loads(path.read_text())


def load(model_class, folder: pathlib.Path) -> torch.nn.Module:
    """A part in float32, whatever the type of its stored weights."""
    return model_class.from_pretrained(folder).float().eval()


def write(path: pathlib.Path, case: dict, **tensors: torch.Tensor) -> None:
    """Writes one case. The keyword `in__x` becomes the tensor "in.x"."""
    path.parent.mkdir(parents=True, exist_ok=True)
    named = {name.replace("__", "."): value.detach().contiguous().clone() for name, value in tensors.items()}
    save_file(named, path, metadata={"case": json.dumps(case | {"made_with": made_with()})})


def refer(folder: pathlib.Path, weights: pathlib.Path) -> None:
    """Writes weights.json, which says where the configuration and the weights of this folder's cases are."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.json").write_text(json.dumps({"folder": os.path.relpath(weights, folder)}) + "\n")


def noise(*shape: int, seed: int) -> torch.Tensor:
    """Standard normal values, the same in every run for the same `seed`."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(SEED + seed))


class Taps:
    """Records the outputs of the named modules during a forward."""

    def __init__(self, model: torch.nn.Module, names: tuple[str, ...]):
        self.found, modules = {}, dict(model.named_modules())
        self.hooks = [modules[name].register_forward_hook(lambda _, __, out, name=name: self.found.update({f"tap__{name}": out})) for name in names]

    def take(self) -> dict:
        """Removes the hooks and returns {tap__NAME: output}."""
        for hook in self.hooks:
            hook.remove()
        return self.found


# ---- the parts

def dump_tokenizer(bundle: pathlib.Path, out: pathlib.Path, prompt: str) -> None:
    """Ids and decoded texts of special tokens, plan fragments, contractions, digits, white space, decomposed and rare characters, and a long run."""
    refer(out / "tokenizer", bundle / "planner")
    tokenizer = Tokenizer.from_file(str(bundle / "planner/tokenizer.json"))
    texts = ("", " ", prompt, '{"version":"fabula.plan/1","treatment":"', '"}],"shots":[{"id":"s010","place":"forest"', "I'll we've DON'T 12345 3.14",
             "  spaces \n\n\ttabs \r\n ", "naïve café, “quotes” — 한국어 日本 ☾🦊", "e\u0301 = \u00e9", "<|im_start|>user\nhello<|im_end|>\n",
             "<|score|><|snd:step|><|ph:hh|><|ph:ax|><|/score|>", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
    cases = []
    for text in texts:
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        cases.append({"text": text, "ids": ids, "decoded": tokenizer.decode(ids, skip_special_tokens=False), "decoded_skip_special": tokenizer.decode(ids)})
    content = {"what": "ids from tokenizers.encode(add_special_tokens=False)", "cases": cases}
    (out / "tokenizer/cases.json").write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def dump_planner(bundle: pathlib.Path, out: pathlib.Path, prompt: str) -> None:
    """A prefill of the first 12 tokens of a prompt, 8 greedy tokens after it, and the tap layer's states of both."""
    refer(out / "planner", bundle / "planner")
    model, tap = load(Qwen3ForCausalLM, bundle / "planner"), read(bundle / "fabula.json")["tap_layer"]
    tokenizer = Tokenizer.from_file(str(bundle / "planner/tokenizer.json"))
    prefix = "<|im_start|>user\n" + prompt
    ids = torch.tensor([tokenizer.encode(prefix, add_special_tokens=False).ids[:12]])
    result, sequence = model(ids, output_hidden_states=True), ids
    for _ in range(8):
        sequence = torch.cat([sequence, model(sequence).logits[:, -1:].argmax(-1)], 1)
    states = model(sequence, output_hidden_states=True).hidden_states[tap]
    case = {"part": "qwen3", "tap_layer": tap, "vocab_size": model.config.vocab_size,
            "what": "hidden_states.i = after layer i, the last one is after the final norm; greedy = 8 argmax tokens after the prompt; "
                    "tap_states = hidden_states[tap_layer] of prompt + greedy tokens"}
    taps = {f"tap__hidden_states.{i}": result.hidden_states[i] for i in (0, 1, tap, model.config.num_hidden_layers)}
    write(out / "planner/case_prefill_and_greedy.safetensors", case, in__input_ids=ids, out__logits=result.logits,
          out__greedy=sequence[:, ids.shape[1]:], out__tap_states=states, **taps)


def packed(num_untimed: int, starts: list[float], frames: int, audio: int, fps: int) -> dict:
    """The structural arguments of the transformer's forward for one shot: token_tags [rows], position_ids [rows, 3], and the rows of each modality.

    num_untimed: text rows before the score. starts: of the score's rows, in seconds. frames: latent frames. audio: audio rows."""
    text, video = num_untimed + len(starts), frames * (LATENT_SIZE[0] // layout.PATCH) * (LATENT_SIZE[1] // layout.PATCH)
    tags = torch.tensor([layout.TEXT] * text + [layout.AUDIO] * audio + [layout.VIDEO] * video)
    index = torch.arange(len(tags))
    return {"position_ids": layout.positions(num_untimed, starts, frames, *LATENT_SIZE, audio, fps), "token_tags": tags,
            "text_indices": index[:text], "audio_indices": index[text:text + audio], "video_indices": index[text + audio:]}


def dump_transformer(bundle: pathlib.Path, out: pathlib.Path, states: torch.Tensor, starts: list[float]) -> None:
    """One forward. states [rows, dim]: conditioning of a shot, of which the last len(starts) rows are its score; starts in seconds."""
    refer(out / "transformer", bundle / "transformer")
    model = load(MiniMaxH3Transformer3DModel, bundle / "transformer")
    c, meta = model.config, read(bundle / "fabula.json")
    frames, audio = 7, layout.audio_rows(meta["shot_frames"][0], meta["fps"])
    rows = packed(len(states) - len(starts), starts, frames, audio, meta["fps"])
    timestep = torch.tensor([0.25, 0.55])  # video and text, audio
    inputs = rows | {"hidden_states": noise(1, len(rows["video_indices"]), c.in_channels * layout.PATCH ** 2, seed=1),
                     "audio_hidden_states": noise(1, audio, c.audio_in_channels, seed=2), "encoder_hidden_states": states[None],
                     "timestep": timestep, "timestep_indices": (rows["token_tags"] == layout.AUDIO).long()}
    taps = Taps(model, ("time_embedder", "token_refiner"))
    result = model(**inputs)
    case = {"part": "transformer", "audio_channels": meta["audio_channels"], "what": "one forward on a planned shot's states; its score rows are timed"}
    write(out / "transformer/case_planned_shot.safetensors", case, out__sample=result.sample, out__audio_sample=result.audio_sample,
          **{f"in__{name}": value for name, value in inputs.items()}, **taps.take())


def dump_vae(bundle: pathlib.Path, out: pathlib.Path) -> None:
    """Decodes latents [1, c, 7, 3, 4] without tiling, and encodes the decoded pixels."""
    refer(out / "vae", bundle / "vae")
    model = load(AutoencoderKLMiniMaxH3, bundle / "vae")
    model.disable_tiling()
    c, frames = model.config, read(bundle / "fabula.json")["shot_frames"][0]
    mean, std = (torch.tensor(v).view(1, -1, 1, 1, 1) for v in (c.latents_mean, c.latents_std))
    latents = noise(1, c.latent_channels, 7, 3, 4, seed=3) * std + mean
    pixels = model.decode(latents).sample[:, :, :frames]
    case = {"part": "vae", "tiling": False, "what": "pixels are ImageNet-normalised; moments = [mean | logvar]"}
    write(out / "vae/case_decode.safetensors", case | {"op": "decode"}, in__latents=latents, out__pixels=pixels)
    posterior = model.encode(pixels).latent_dist
    write(out / "vae/case_encode.safetensors", case | {"op": "encode"}, in__pixels=pixels, out__moments=torch.cat([posterior.mean, posterior.logvar], 1))


def dump_audio_vae(bundle: pathlib.Path, out: pathlib.Path) -> None:
    """Decodes 13 latents, and a batch of two with one latent each; encodes a wave that is 93 samples short of 7 whole hops."""
    refer(out / "audio_vae", bundle / "audio_vae")
    model = load(AutoencoderKLMiniMaxH3Audio, bundle / "audio_vae")
    c = model.config
    mean, std = (torch.tensor(v).view(1, -1, 1) for v in (c.latents_mean, c.latents_std))
    for count, batch in ((13, 1), (1, 2)):
        latents = noise(batch, c.latent_channels, count, seed=4) * std + mean
        wave = model.decode(latents).sample
        case = {"part": "audio_vae", "op": "decode", "hop_length": model.hop_length, "peak": wave.abs().max().item()}
        write(out / f"audio_vae/case_decode_{count}_latents.safetensors", case, in__latents=latents, out__wave=wave)
    wave = 0.1 * noise(1, 1, 7 * model.hop_length - 93, seed=5)
    posterior = model.encode(wave).latent_dist
    write(out / "audio_vae/case_encode_padded.safetensors", {"part": "audio_vae", "op": "encode", "hop_length": model.hop_length},
          in__wave=wave, out__mean=posterior.mean, out__logs=posterior.logs)


def dump_sampler(bundle: pathlib.Path, out: pathlib.Path, states: torch.Tensor, starts: list[float], num_inference_steps: int = 4) -> None:
    """From noise to latents to pixels and samples, with the reference's forward, schedulers and decoders. states, starts: as in `dump_transformer`."""
    meta = read(bundle / "fabula.json")
    model = load(MiniMaxH3Transformer3DModel, bundle / "transformer")
    schedules = [MiniMaxH3Scheduler.from_pretrained(bundle / name) for name in ("scheduler", "audio_scheduler")]
    for schedule in schedules:
        schedule.set_timesteps(num_inference_steps)
    frames, audio = 7, layout.audio_rows(meta["shot_frames"][0], meta["fps"])
    rows = packed(len(states) - len(starts), starts, frames, audio, meta["fps"])
    start = noise(1, model.config.in_channels, frames, *LATENT_SIZE, seed=6)
    audio_start = noise(1, model.config.audio_in_channels, audio, seed=7)
    video_rows, audio_rows = layout.patchify(start), audio_start.transpose(1, 2)

    def velocity(output, sample, timestep):
        """The velocity at `timestep` from a model's output, which may be the clean sample instead."""
        if meta["prediction_type"] == "velocity":
            return output
        return (output - sample) / max(1 - float(timestep), VELOCITY_FLOOR)

    for t, audio_t in zip(schedules[0].timesteps, schedules[1].timesteps):
        timestep, indices = torch.unique(torch.where(rows["token_tags"] == layout.AUDIO, audio_t, t), return_inverse=True)
        result = model(hidden_states=video_rows, audio_hidden_states=audio_rows, encoder_hidden_states=states[None], timestep=timestep,
                       timestep_indices=indices, **rows)
        video_rows = schedules[0].step(velocity(result.sample, video_rows, t), t, video_rows).prev_sample
        audio_rows = schedules[1].step(velocity(result.audio_sample, audio_rows, audio_t), audio_t, audio_rows).prev_sample
    latents = layout.unpatchify(video_rows, model.config.in_channels, frames, *LATENT_SIZE)
    audio_latents = audio_rows.transpose(1, 2)
    pixels, wave = decode_both(bundle, latents, audio_latents, meta["shot_frames"][0])
    case = {"part": "sampler", "num_inference_steps": num_inference_steps, "shift": schedules[0].shift, "audio_shift": schedules[1].shift,
            "keyframe_anchors": [], "prediction_type": meta["prediction_type"], "velocity_floor": VELOCITY_FLOOR, "fps": meta["fps"],
            "audio_channels": meta["audio_channels"], "patch_size": list(model.config.patch_size),
            "what": "weights: ../transformer, ../vae (tiling off), ../audio_vae; pixels in [0,1]; wave (1, channels, samples); the last rows of "
                    "prompt_embeds are timed by score_start"}
    write(out / "sampler/case_planned_shot.safetensors", case, in__prompt_embeds=states[None], in__score_start=torch.tensor(starts, dtype=torch.float64),
          in__noise=start, in__audio_noise=audio_start, out__latents=latents, out__audio_latents=audio_latents, out__pixels=pixels.half(), out__wave=wave)


def decode_both(bundle: pathlib.Path, latents: torch.Tensor, audio_latents: torch.Tensor, frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(pixels [1, 3, frames, H, W] in [0, 1], samples [1, channels, n]) of normalised latents."""
    vae = load(AutoencoderKLMiniMaxH3, bundle / "vae")
    audio_vae = load(AutoencoderKLMiniMaxH3Audio, bundle / "audio_vae")
    vae.disable_tiling()
    mean, std = (torch.tensor(v).view(1, -1, 1, 1, 1) for v in (vae.config.latents_mean, vae.config.latents_std))
    pixels = vae.decode(latents * std + mean).sample[:, :, :frames]
    pixel_mean, pixel_std = (torch.tensor(v).view(1, 3, 1, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    mean, std = (torch.tensor(v).view(1, -1, 1) for v in (audio_vae.config.latents_mean, audio_vae.config.latents_std))
    return (pixels * pixel_std + pixel_mean).clamp(0, 1), audio_vae.decode(audio_latents * std + mean).sample.permute(1, 0, 2)


def planned_shot(bundle: pathlib.Path, seed: int) -> tuple[str, torch.Tensor, list[float]]:
    """(prompt, conditioning rows [n, dim], score starts in seconds) of a shot with one actor and a line, from a plan that the grammar draws."""
    import numpy as np

    from prompts import grammar_prompts, tokens
    for attempt in range(1000):
        prompt, plan = grammar_prompts.sample_plan(np.random.default_rng([SEED, seed, attempt]))
        spoken = [i for i, shot in enumerate(plan["shots"]) if shot["dialogue"] and len(shot["cast"]) == 1]
        if spoken:
            break
    encoded = tokens.encode_plan(tokens.Vocabulary(bundle / "planner/tokenizer.json"), prompt, plan)
    model, tap = load(Qwen3ForCausalLM, bundle / "planner"), read(bundle / "fabula.json")["tap_layer"]
    states = model(torch.tensor([encoded.ids]), output_hidden_states=True).hidden_states[tap][0]
    untimed, sounds, starts = encoded.shots[spoken[0]]
    return prompt, states[untimed + sounds], starts


@torch.no_grad()
def dump(bundle: pathlib.Path, out: pathlib.Path) -> None:
    """Dumps the cases of every part. One thread, so that repeated runs sum in the same order."""
    torch.set_num_threads(1)
    prompt, states, starts = planned_shot(bundle, 0)
    dump_tokenizer(bundle, out, prompt)
    dump_planner(bundle, out, prompt)
    dump_transformer(bundle, out, states, starts)
    dump_vae(bundle, out)
    dump_audio_vae(bundle, out)
    dump_sampler(bundle, out, states, starts)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{out}: {len(list(out.rglob('*.safetensors')))} cases, {size / 1e6:.2f} MB; prompt: {prompt}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    dump(arguments.bundle.resolve(), arguments.out.resolve())
