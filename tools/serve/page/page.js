// The page of `fabula serve`. It knows films as the API tells them (GET /v1/videos) and follows their changes (GET /v1/events).
"use strict";

const $ = (id) => document.getElementById(id);
const films = new Map();  // id -> video
let chosen = null;        // id of the film that is shown
let plan = null;          // its plan, once there is one
let planOf = null;        // the film whose plan that is
let hasMore = false;

// ---- the service

class ServiceError extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

async function ask(path, method = "GET", body = undefined, headers = {}) {
  const request = { method, headers: { ...headers } };
  if (body !== undefined) {
    request.headers["Content-Type"] = "application/json";
    request.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(path, request);
  } catch {
    throw new ServiceError(0, "The service does not answer.");
  }
  const text = await answer.text();
  let json = {};
  try { json = text ? JSON.parse(text) : {}; } catch { /* an error in other words than JSON */ }
  if (answer.status === 401) askForToken();
  if (!answer.ok) throw new ServiceError(answer.status, json.error ? json.error.message : `The service answered ${answer.status}.`);
  return json;
}

let silence = 0;
function say(text) {
  $("said").textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => { $("said").textContent = ""; }, 8000);
}

// Runs what a button asks for; what goes wrong is said.
async function tryTo(work, button) {
  if (button) button.disabled = true;
  try { return await work(); } catch (error) { say(error.message); return undefined; } finally { if (button) button.disabled = false; }
}

function askForToken() {
  $("token-form").hidden = false;
  $("work").hidden = true;
  $("token").focus();
}

const content = (id, variant, more = "") => `/v1/videos/${id}/content?variant=${variant}${more}`;

// ---- words

const clock = (ms) => `${Math.floor(ms / 60000)}:${String(Math.floor(ms / 1000) % 60).padStart(2, "0")}.${Math.floor(ms / 100) % 10}`;

function statusOf(film) {
  const own = film.fabula;
  if (film.status === "queued") return own.ahead > 0 ? `Waiting, ${own.ahead} before it` : "Waiting";
  if (film.status === "in_progress") {
    const left = own.seconds_left > 0 ? `, about ${Math.ceil(own.seconds_left)} s left` : "";
    const what = own.stage === "shots" ? `shot ${own.shot} of ${own.shots}` + (own.attempt ? `, attempt ${own.attempt}` : "") : own.stage || "beginning";
    return `${film.progress} %, ${what}${left}`;
  }
  if (film.status === "failed") return film.error.code === "cancelled" ? "Stopped" : `Failed: ${film.error.message}`;
  return `${Math.round(film.fabula.total_ms / 100) / 10} s, ${film.size.replace("x", " × ")}`;
}

const nameOf = (film) => film.fabula.title || film.prompt;

function characterName(id) {
  const found = (plan.characters || []).find((one) => one.id === id);
  return found && found.name ? found.name : id;
}

// What is to be seen in a shot, in words.
function wordsOf(shot) {
  const place = (plan.places || []).find((one) => one.id === shot.place) || {};
  const acts = shot.action_beats.map((beat) => `${characterName(beat.who)} ${beat.what}`);
  const who = acts.length ? acts : shot.cast.map((one) => characterName(one.id));
  const where = `${shot.place}${place.time_of_day ? `, ${place.time_of_day}` : ""}`;
  const camera = shot.camera.move === "static" ? shot.camera.size : `${shot.camera.size}, ${shot.camera.move.replaceAll("_", " ")}`;
  return `${who.join(", ")}${who.length ? " · " : ""}${where} · ${camera}`;
}

// ---- the list of films

const sorted = () => [...films.values()].sort((a, b) => b.fabula.number - a.fabula.number);

function drawItem(film) {
  let item = document.querySelector(`[data-film="${film.id}"]`);
  if (!item) {
    item = $("film-item").content.firstElementChild.cloneNode(true);
    item.dataset.film = film.id;
    item.firstElementChild.href = `#${film.id}`;
  }
  const link = item.firstElementChild;
  link.setAttribute("aria-current", String(film.id === chosen));
  link.querySelector(".name").textContent = nameOf(film);
  link.querySelector(".quiet").textContent = statusOf(film);
  const bar = link.querySelector("progress");
  bar.hidden = film.status !== "in_progress";
  bar.value = film.progress;
  const picture = link.querySelector("img");
  if (film.fabula.posters.length && picture.hidden) {
    picture.src = content(film.id, "thumbnail");
    picture.hidden = false;
  }
  return item;
}

function drawList() {
  const list = $("films");
  const items = sorted().map(drawItem);
  if (items.length !== list.children.length || items.some((item, i) => list.children[i] !== item)) list.replaceChildren(...items);
  $("no-films").hidden = items.length > 0;
  $("more").hidden = !hasMore;
}

// ---- the film that is shown

function download(film, variant, words, ending) {
  const link = document.createElement("a");
  link.className = "button";
  link.href = content(film.id, variant, "&download");
  link.download = `${nameOf(film).slice(0, 60).replace(/[^\p{L}\p{N}]+/gu, "_").replace(/^_|_$/g, "").toLowerCase() || "film"}${ending}`;
  link.textContent = words;
  return link;
}

const DOWNLOADS = [["video", "Film", ".mp4"], ["srt", "Subtitles (SRT)", ".srt"], ["subtitles", "Subtitles (VTT)", ".vtt"], ["timeline", "Timeline (OTIO)", ".otio"],
                   ["spritesheet", "Contact sheet", ".jpg"], ["plan", "Plan", ".json"], ["receipt", "Receipt", ".fabula.json"]];

function drawPlayer(film) {
  const player = $("player"), isDone = film.status === "completed";
  player.hidden = !isDone;
  if (!isDone || player.dataset.film === film.id) return;
  player.dataset.film = film.id;
  player.replaceChildren();
  player.src = content(film.id, "video");
  if (film.fabula.posters.length) player.poster = content(film.id, "thumbnail");
  if (film.fabula.files.includes("subtitles")) {
    const track = document.createElement("track");
    Object.assign(track, { kind: "subtitles", label: "Subtitles", srclang: "en", default: true, src: content(film.id, "subtitles") });
    player.append(track);
  }
}

function drawFilm() {
  const film = films.get(chosen);
  $("shown").hidden = !film;
  $("welcome").hidden = Boolean(film);
  if (!film) return;
  const isEnding = film.status === "completed" || film.status === "failed";
  $("title").textContent = nameOf(film);
  $("asked").textContent = film.remixed_from_video_id ? `${film.prompt} (from another film)` : film.prompt;
  $("status").textContent = statusOf(film);
  $("bar").hidden = isEnding;
  $("bar").value = film.progress;
  $("cancel").hidden = isEnding;
  const missing = film.fabula.unsupported || [];
  $("notes").hidden = missing.length === 0;
  $("notes").textContent = `Not shown, because the model does not know it: ${missing.join(", ")}.`;
  const wanted = DOWNLOADS.filter(([variant]) => film.fabula.files.includes(variant));
  if ($("downloads").dataset.of !== `${film.id} ${wanted.length}`) {
    $("downloads").dataset.of = `${film.id} ${wanted.length}`;
    $("downloads").replaceChildren(...wanted.map(([variant, words, ending]) => download(film, variant, words, ending)));
  }
  drawPlayer(film);
  drawBoard(film);
  if (film.fabula.files.includes("plan") && planOf !== film.id) loadPlan(film.id);
}

async function loadPlan(id) {
  planOf = id;
  const loaded = await tryTo(() => ask(content(id, "plan")));
  if (chosen !== id) return;
  plan = loaded || null;
  if (!loaded) planOf = null;
  $("board").replaceChildren();
  drawFilm();
}

// ---- the storyboard

function lineField(line, number) {
  const label = document.createElement("label");
  label.textContent = `${characterName(line.speaker)} says `;
  const input = document.createElement("input");
  input.className = "line";
  input.maxLength = 500;
  input.value = line.text;
  input.dataset.number = String(number);
  label.append(input);
  return label;
}

function newCard(shot, number) {
  const card = $("card").content.firstElementChild.cloneNode(true);
  card.dataset.shot = shot.id;
  card.querySelector("h4").textContent = `Shot ${number}`;
  card.querySelector(".when").textContent = `${clock(shot.start_ms)} – ${clock(shot.start_ms + shot.duration_ms)}`;
  card.querySelector(".what").textContent = wordsOf(shot);
  card.querySelector("img").alt = `Shot ${number}: ${wordsOf(shot)}`;
  for (const line of shot.dialogue) {
    const quote = document.createElement("blockquote"), who = document.createElement("cite");
    who.textContent = characterName(line.speaker);
    quote.append(who, line.text);
    card.querySelector(".lines").append(quote);
  }
  card.querySelector(".line-fields").append(...shot.dialogue.map(lineField));
  for (const [name, words] of [["play", "Watch"], ["remake", "Remake"], ["edit", "Edit"]]) card.querySelector(`.${name}`).setAttribute("aria-label", `${words} shot ${number}`);
  card.querySelector(".play").addEventListener("click", () => {
    const player = $("player");
    player.currentTime = shot.start_ms / 1000;
    player.play().catch(() => {});
    player.scrollIntoView({ block: "center" });
  });
  card.querySelector(".remake").addEventListener("click", (event) => remix({ shot: shot.id, seed: -1 }, event.currentTarget));
  const form = card.querySelector("form"), opener = card.querySelector(".edit");
  const open = (isOpen) => {
    form.hidden = !isOpen;
    opener.setAttribute("aria-expanded", String(isOpen));
    (isOpen ? form.querySelector("input") : opener).focus();
  };
  opener.addEventListener("click", () => open(form.hidden));
  card.querySelector(".close").addEventListener("click", () => open(false));
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") open(false); });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    film_change(form, shot);
  });
  return card;
}

function film_change(form, shot) {
  const lines = [...form.querySelectorAll(".line")].map((input) => input.value.trim());
  const wish = form.querySelector(".wish").value.trim(), change = { shot: shot.id };
  if (lines.some((text, i) => text !== shot.dialogue[i].text)) change.lines = lines;
  if (wish) change.prompt = wish;
  if (!change.lines && !change.prompt) return say("Change a line, or say what is to change.");
  return remix(change, form.querySelector(".main"));
}

function drawBoard(film) {
  const board = $("board"), has = plan !== null && planOf === film.id;
  $("no-plan").hidden = has || film.status === "failed";
  $("no-plan").textContent = film.status === "queued" ? "The plan follows when the film's turn comes." : "The plan is being written.";
  if (!has) return board.replaceChildren();
  if (board.children.length !== plan.shots.length) board.replaceChildren(...plan.shots.map((shot, i) => newCard(shot, i + 1)));
  plan.shots.forEach((shot, i) => {
    const card = board.children[i], picture = card.querySelector("img");
    card.classList.toggle("now", film.status === "in_progress" && film.fabula.stage === "shots" && film.fabula.shot === i + 1);
    card.querySelector(".play").hidden = film.status !== "completed";
    if (film.fabula.posters.includes(shot.id) && picture.hidden) {
      picture.src = content(film.id, "thumbnail", `&shot=${encodeURIComponent(shot.id)}`);
      picture.hidden = false;
    }
  });
  return undefined;
}

// ---- what a person asks for

const take = (film) => films.set(film.id, film);

function choose(id) {
  if (chosen === id) return;
  chosen = id;
  plan = planOf = null;
  $("player").pause();
  $("board").replaceChildren();
  if (location.hash.slice(1) !== (id || "")) history.replaceState(null, "", id ? `#${id}` : location.pathname);
  drawList();
  drawFilm();
}

async function make(button) {
  const fields = { prompt: $("prompt").value };
  for (const name of ["seconds", "seed"]) if ($(name).value.trim()) fields[name] = $(name).value.trim();
  const film = await tryTo(() => ask("/v1/videos", "POST", fields), button);
  if (!film) return;
  take(film);
  choose(film.id);
  say("The film is in the queue.");
  $("film").focus();
}

async function remix(change, button) {
  const film = await tryTo(() => ask(`/v1/videos/${chosen}/remix`, "POST", change), button);
  if (!film) return;
  take(film);
  choose(film.id);
  say("The changed film is in the queue.");
  $("film").focus();
}

$("prompt-form").addEventListener("submit", (event) => {
  event.preventDefault();
  make(event.submitter || event.target.querySelector(".main"));
});
$("prompt").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    $("prompt-form").requestSubmit();
  }
});
$("token-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const done = await tryTo(() => ask("/session", "POST", {}, { Authorization: `Bearer ${$("token").value}` }));
  if (!done) return;
  $("token-form").hidden = true;
  $("work").hidden = false;
  begin();
});
$("cancel").addEventListener("click", (event) => tryTo(() => ask(`/v1/videos/${chosen}/cancel`, "POST"), event.currentTarget));
$("delete").addEventListener("click", async (event) => {
  const film = films.get(chosen);
  if (!film || !window.confirm(`Delete “${nameOf(film)}” and its files?`)) return;
  if (await tryTo(() => ask(`/v1/videos/${film.id}`, "DELETE"), event.currentTarget)) forget(film.id);
});
$("more").addEventListener("click", (event) => tryTo(() => load(sorted().at(-1).id), event.currentTarget));
window.addEventListener("hashchange", () => {
  const id = location.hash.slice(1);
  if (films.has(id)) choose(id);
});

function forget(id) {
  films.delete(id);
  if (chosen === id) choose(null);
  drawList();
  drawFilm();
}

// ---- what the service tells

async function load(after = "") {
  const list = await ask(`/v1/videos?limit=50${after ? `&after=${after}` : ""}`);
  for (const film of list.data) take(film);
  hasMore = list.has_more;
  drawList();
}

function follow() {
  const events = new EventSource("/v1/events");
  events.addEventListener("open", () => tryTo(load).then(() => drawFilm()));  // also after an interruption: nothing is missed
  events.addEventListener("reload", () => tryTo(load).then(() => drawFilm()));
  events.addEventListener("video", (event) => {
    const film = JSON.parse(event.data);
    take(film);
    drawList();
    if (film.id === chosen) drawFilm();
  });
  events.addEventListener("removed", (event) => forget(JSON.parse(event.data).id));
}

async function begin() {
  const models = await tryTo(() => ask("/v1/models"));
  if (!models) return;
  $("service").textContent = `model ${models.data[0].id}`;
  if (!(await tryTo(async () => { await load(); return true; }))) return;
  const id = location.hash.slice(1);
  if (films.has(id)) choose(id);
  else if (films.size) choose(sorted()[0].id);
  follow();
}

begin();
