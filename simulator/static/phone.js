// The phone in the browser: shows what each handset got, lets it text back, and moves the demo's clock.
"use strict";

const POLL = 700;
const QUARTER = 15 * 60 * 1000;
const DAY = 24 * 60 * 60 * 1000;
const E164 = /^\+[1-9]\d{6,14}$/;
const WORDS = { delivered: "Delivered", undelivered: "Not delivered", failed: "Failed", canceled: "Canceled" };
const OWN_WORDS = { sent: "Sent", answered: "Received by the clinic", failed: "Sent, but the clinic did not answer" };
const GLYPHS = { sent: "✓", delivered: "✓✓", answered: "✓✓", failed: "!", undelivered: "!", canceled: "!" };

const $ = (id) => document.getElementById(id);
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const state = { epoch: null, version: 0, messages: new Map(), numbers: [], added: new Set(), phone: null, number: null, zone: "UTC", following: true };

// ---- words for moments -------------------------------------------------------------------------------------------
const formats = new Map();
function parts(moment, zone) {
  if (!formats.has(zone)) {
    formats.set(zone, new Intl.DateTimeFormat("en-US", {
      timeZone: zone, weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "numeric", minute: "2-digit", hour12: true,
    }));
  }
  return Object.fromEntries(formats.get(zone).formatToParts(new Date(moment)).map((part) => [part.type, part.value]));
}
function hour(moment) {
  const p = parts(moment, state.zone);
  return `${p.hour}:${p.minute} ${p.dayPeriod.toLowerCase()}`;
}
function day(moment) {
  const p = parts(moment, state.zone);
  return `${p.weekday} ${p.day} ${p.month} ${p.year}`;
}
const words = (moment) => `${day(moment).replace(/ \d{4}$/, "")}, ${hour(moment)}`;

// ---- the thread --------------------------------------------------------------------------------------------------
const ON_ITS_WAY = new Set(["accepted", "queued", "sending", "sent"]);
const here = (message) => message.direction === "out" || !ON_ITS_WAY.has(message.status);
const inThread = (message) => here(message) && message.phone === state.phone && message.number === state.number;
const thread = () => [...state.messages.values()].filter(inThread);

function bubble(message) {
  const item = make("li", "bubble");
  item.dataset.testid = "bubble";
  item.dataset.sid = message.sid;
  item.dataset.direction = message.direction;
  item.append(make("p", "text", message.body || (message.media ? "Picture" : "")), make("p", "meta"));
  dress(item, message);
  return item;
}

function dress(item, message) {
  const own = message.direction === "out";
  const said = (own ? OWN_WORDS : WORDS)[message.status] || message.status;
  const bad = ["failed", "undelivered", "canceled"].includes(message.status);
  const full = message.error ? `${said} (error ${message.error})` : said;
  item.dataset.status = message.status;
  const meta = item.lastElementChild;
  const tick = make("span", "tick", GLYPHS[message.status] || "…");
  tick.setAttribute("aria-hidden", "true");
  meta.title = full;
  meta.replaceChildren(tick, ` ${hour(message.at)}`, make("span", bad ? "" : "unseen", ` · ${full}`));
}

function separator(message, before) {
  const gap = before ? Date.parse(message.at) - Date.parse(before.at) : Infinity;
  if (before && day(before.at) === day(message.at) && gap < 3 * 60 * 60 * 1000) return null;
  return make("li", "when", words(message.at));
}

function drawThread() {
  const list = $("thread");
  list.setAttribute("aria-busy", "true");
  list.replaceChildren();
  let before = null;
  for (const message of thread()) {
    append(list, message, before);
    before = message;
  }
  if (!before) list.append(make("li", "empty", state.phone ? "No texts yet" : "Add a phone number to begin"));
  list.removeAttribute("aria-busy");
  toNewest();
}

function append(list, message, before) {
  const line = separator(message, before);
  if (line) list.append(line);
  list.append(bubble(message));
}

function toNewest() {
  $("thread").scrollTop = $("thread").scrollHeight;
  state.following = true;
}

function updateThread(changed) {
  const list = $("thread");
  const shown = new Map([...list.querySelectorAll(".bubble")].map((item) => [item.dataset.sid, item]));
  const fresh = changed.filter((message) => inThread(message) && !shown.has(message.sid));
  for (const message of changed) {
    if (shown.has(message.sid)) dress(shown.get(message.sid), message);
  }
  if (!fresh.length) return;
  const late = thread().findIndex((message) => fresh.includes(message)) < shown.size;
  if (!shown.size || late) return drawThread();
  const last = list.querySelector(".bubble:last-child");
  let before = state.messages.get(last.dataset.sid);
  for (const message of fresh) {
    append(list, message, before);
    before = message;
  }
  if (state.following || fresh.some((message) => message.direction === "out")) toNewest();
}

// ---- phones ------------------------------------------------------------------------------------------------------
function phones() {
  const latest = new Map();
  for (const message of [...state.messages.values()].filter(here)) {
    latest.delete(message.phone);
    latest.set(message.phone, message);
  }
  const known = [...latest.keys()].reverse();
  return { latest, all: [...[...state.added].filter((phone) => !latest.has(phone)), ...known] };
}

function fill(select, values, chosen) {
  if ([...select.options].map((option) => option.value).sort().join() !== [...values].sort().join()) {
    select.replaceChildren(...values.map((value) => new Option(value, value)));
  }
  if (chosen) select.value = chosen;
}

function drawPhones() {
  const { latest, all } = phones();
  if (!state.phone && all.length) choose(all[0]);
  fill($("phone"), all, state.phone);
  const focused = $("contacts").contains(document.activeElement) ? document.activeElement.dataset.phone : null;
  $("contacts").replaceChildren(...all.map((phone) => {
    const button = make("button", "", phone);
    button.type = "button";
    button.dataset.phone = phone;
    button.setAttribute("aria-current", String(phone === state.phone));
    const last = latest.get(phone);
    button.append(make("small", "", last ? last.body.split("\n")[0] : "No texts yet"));
    button.addEventListener("click", () => { choose(phone); $("draft").focus(); });
    return make("li").appendChild(button).parentElement;
  }));
  if (focused) $("contacts").querySelector(`[data-phone="${focused}"]`)?.focus();
}

function drawNumbers() {
  const several = state.numbers.length > 1;
  fill($("number"), state.numbers, state.number);
  $("number").hidden = !several;
  document.querySelector(".for-number").hidden = !several;
}

function choose(phone, number) {
  state.phone = phone;
  const last = [...state.messages.values()].filter((message) => message.phone === phone).pop();
  state.number = number || (last && last.number) || state.numbers[0] || null;
  history.replaceState(null, "", `#${phone}`);
  drawPhones();
  drawNumbers();
  drawThread();
}

// ---- talking to the carrier --------------------------------------------------------------------------------------
async function poll() {
  const answer = await fetch(`messages.json?since=${state.version}`, { cache: "no-store" });
  if (!answer.ok) throw new Error(String(answer.status));
  const news = await answer.json();
  if (state.epoch !== null && news.epoch !== state.epoch) {
    Object.assign(state, { epoch: news.epoch, version: 0, messages: new Map() });
    drawThread();
    return poll();
  }
  const first = state.epoch === null;
  const numbers = news.numbers.join() !== state.numbers.join();
  Object.assign(state, { epoch: news.epoch, version: news.version, numbers: news.numbers });
  for (const message of news.messages) state.messages.set(message.sid, message);
  if (first && state.phone) return choose(state.phone);
  if (!state.number) state.number = state.numbers[0] || null;
  if (numbers) drawNumbers();
  if (news.messages.length || first) drawPhones();
  if (news.messages.length) updateThread(news.messages);
  else if (first) drawThread();
}

let polling = null;
function refresh() {
  polling = polling || poll().then(() => { $("network").textContent = ""; })
    .catch(() => { $("network").textContent = "No connection. Trying again."; })
    .finally(() => { polling = null; });
  return polling;
}

async function send(body) {
  if (!body.trim() || !state.phone || !state.number) return;
  const answer = await post("simulator/text", { from: state.phone, to: state.number, body });
  if (!answer.ok) $("network").textContent = "That text could not be sent.";
  await polling;
  await refresh();
}

function post(url, value) {
  return fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) });
}

function listen() {
  const list = $("thread");
  list.addEventListener("scroll", () => { state.following = list.scrollHeight - list.scrollTop - list.clientHeight < 80; });
  // A panel that opens or a growing draft must not hide the newest text.
  new ResizeObserver(() => { if (state.following) toNewest(); }).observe(list);
  $("phone").addEventListener("change", () => choose($("phone").value));
  $("number").addEventListener("change", () => choose(state.phone, $("number").value));
  const draft = $("draft");
  $("compose").addEventListener("submit", (event) => {
    event.preventDefault();
    const body = draft.value;
    draft.value = "";
    draft.focus();
    send(body);
  });
  draft.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    $("compose").requestSubmit();
  });
  for (const chip of document.querySelectorAll(".chip")) chip.addEventListener("click", () => send(chip.textContent));
  for (const opener of document.querySelectorAll(".opens-new")) opener.addEventListener("click", () => openNew($("new-phone").hidden));
  $("new-phone").addEventListener("submit", (event) => {
    event.preventDefault();
    const phone = $("new-number").value.replace(/[\s().-]/g, "");
    const good = E164.test(phone) && !state.numbers.includes(phone);
    $("new-hint").classList.toggle("wrong", !good);
    if (!good) return $("new-number").focus();
    state.added.add(phone);
    openNew(false);
    choose(phone);
    $("draft").focus();
  });
  addEventListener("hashchange", () => { if (E164.test(location.hash.slice(1))) adopt(location.hash.slice(1)); });
}

function openNew(open) {
  $("new-phone").hidden = !open;
  for (const opener of document.querySelectorAll(".opens-new")) opener.setAttribute("aria-expanded", String(open));
  $("new-number").value = "";
  if (open) $("new-number").focus();
}

function adopt(phone) {
  state.added.add(phone);
  choose(phone);
}

// ---- start -------------------------------------------------------------------------------------------------------
listen();
if (E164.test(location.hash.slice(1))) {
  state.phone = location.hash.slice(1);
  state.added.add(state.phone);
}
refresh();
setInterval(refresh, POLL);
