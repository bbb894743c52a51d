// The time panel: shows the system's own time and moves it forward, to a chosen moment or by a slider.
"use strict";

const clock = { url: document.body.dataset.clockUrl, now: null, moments: [], busy: false, from: null, to: null, sliding: false, timer: 0 };

function slot() {
  return Math.floor(clock.now / QUARTER) * QUARTER;
}

function drawClock() {
  $("clock-now").textContent = words(clock.now);
  $("clock-now").title = `${day(clock.now)}, ${state.zone}`;
  $("clock-now").dateTime = new Date(clock.now).toISOString();
  const body = document.querySelector(".time-body");
  body.classList.toggle("busy", clock.busy);
  for (const control of body.querySelectorAll("button, input")) control.disabled = clock.busy || control.dataset.passed === "true";
  if (clock.busy) {
    say(clock.to ? `Moving to ${words(clock.to)}` : "Moving");
    const done = clock.to > clock.from ? (clock.now - clock.from) / (clock.to - clock.from) : 0;
    $("clock-progress").value = Math.min(1, Math.max(0.03, done));
  } else {
    if (clock.from !== null) say("Ready");
    Object.assign(clock, { from: null, to: null });
  }
  drawSlider();
}

function drawSlider() {
  if (clock.sliding) return;
  const last = Math.max(clock.now, ...clock.moments.map((moment) => Date.parse(moment.at)));
  const end = (clock.moments.length ? last : clock.now + 13 * DAY) + DAY;
  const slider = $("clock-slider");
  slider.max = Math.max(1, Math.ceil((end - slot()) / QUARTER));
  slider.value = clock.to ? Math.round((clock.to - slot()) / QUARTER) : 0;
  showTarget();
  const ahead = clock.moments.filter((moment) => Date.parse(moment.at) > clock.now);
  $("clock-ticks").replaceChildren(...ahead.map((moment) => {
    const tick = make("span");
    tick.style.left = `${(100 * (Date.parse(moment.at) - slot())) / (slider.max * QUARTER)}%`;
    return tick;
  }));
}

function target() {
  return slot() + Number($("clock-slider").value) * QUARTER;
}

function showTarget() {
  const said = Number($("clock-slider").value) ? words(target()) : "now";
  $("clock-target").textContent = said;
  $("clock-slider").setAttribute("aria-valuetext", said);
}

function drawMoments() {
  $("clock-moments").replaceChildren(...clock.moments.map((moment) => {
    const button = make("button", "", `Jump to ${moment.name}`);
    button.type = "button";
    button.dataset.testid = `clock-jump-${moment.name}`;
    button.dataset.at = moment.at;
    button.append(make("small", "", moment.label));
    button.addEventListener("click", () => jump(Date.parse(moment.at)));
    return make("li").appendChild(button).parentElement;
  }));
}

function markPassed() {
  for (const button of $("clock-moments").querySelectorAll("button")) {
    const passed = Date.parse(button.dataset.at) <= clock.now;
    button.dataset.passed = String(passed);
    button.parentElement.classList.toggle("passed", passed);
  }
}

function say(text, wrong = false) {
  if ($("clock-status").textContent !== text) $("clock-status").textContent = text;
  $("clock-status").classList.toggle("wrong", wrong);
}

async function jump(to) {
  if (clock.busy || to <= clock.now) return;
  Object.assign(clock, { busy: true, from: clock.now, to });
  drawClock();
  const answer = await post(clock.url, { to: new Date(to).toISOString() });
  if (!answer.ok) {
    const told = await answer.json().catch(() => ({}));
    Object.assign(clock, { busy: false, from: null, to: null });
    drawClock();
    say(told.error || "The clock could not be moved.", true);
    return;
  }
  await tell();
}

async function tell() {
  clearTimeout(clock.timer);
  try {
    const answer = await fetch(clock.url, { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    take(await answer.json());
  } catch {
    say("The clock does not answer. Trying again.", true);
  }
  clearTimeout(clock.timer);
  clock.timer = setTimeout(tell, clock.busy ? 300 : POLL);
}

function take(news) {
  const first = clock.now === null;
  const zoned = news.zone && news.zone !== state.zone;
  if (zoned) state.zone = news.zone;
  clock.now = Date.parse(news.now);
  clock.busy = news.busy;
  if (news.busy && clock.from === null) clock.from = clock.now;
  const moments = news.moments || [];
  if (first || JSON.stringify(moments) !== JSON.stringify(clock.moments)) {
    clock.moments = moments;
    drawMoments();
  }
  markPassed();
  drawClock();
  if (first || (!news.busy && $("clock-status").classList.contains("wrong") && /Trying/.test($("clock-status").textContent))) say("Ready");
  if (zoned) drawThread();
}

function openByWidth(wide) {
  $("time").open = wide.matches;
  document.querySelector("#time summary").tabIndex = wide.matches ? -1 : 0;
}

if (clock.url) {
  const slider = $("clock-slider");
  let settle = 0;
  slider.addEventListener("input", () => { clock.sliding = true; showTarget(); });
  // Arrow keys change the slider step by step; the jump waits until the hand rests.
  slider.addEventListener("change", () => {
    clearTimeout(settle);
    settle = setTimeout(() => { clock.sliding = false; if (Number(slider.value)) jump(Math.max(target(), clock.now + 1)); }, 600);
  });
  for (const button of document.querySelectorAll("[data-minutes]")) {
    button.addEventListener("click", () => jump(clock.now + Number(button.dataset.minutes) * 60 * 1000));
  }
  const wide = matchMedia("(min-width: 900px)");
  wide.addEventListener("change", openByWidth);
  openByWidth(wide);
  tell();
}
