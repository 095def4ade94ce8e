/**
 * The page in a browser: reads what the server sends each second, by fetch, since an EventSource can't show a token, and
 * draws it. Text of the server's is only ever set as text.
 */

/** Points of a chart: a second each. */
const points = 120;
const tokenKey = "gunicorn-ts-token";
/** So long may nothing come before the page says so. */
const silenceMs = 5000;

const at = (id) => document.getElementById(id);
const unknown = "–";

const charts = [
  chart("Requests/s, failed", (figures) => [figures.all.rate, figures.all.failures], count),
  chart("Latency p50, p99", (figures) => [figures.all.p50, figures.all.p99], duration),
  chart("In flight", (figures) => [figures.all.inFlight], count),
  chart("Memory of workers", (figures) => [figures.all.memoryBytes], bytes),
];
/** The rows of the table by age, which no other worker ever has. */
const rows = new Map();

let token = sessionStorage.getItem(tokenKey);
let watching = null;
let lastAt = 0;
let silence = 0;

at("login").addEventListener("submit", (event) => {
  event.preventDefault();
  token = at("token").value.trim();
  at("token").value = "";
  void watch();
});
for (const button of document.querySelectorAll("[data-command]"))
  button.addEventListener("click", () => void steer(button.dataset.command));
// Nobody sees it: the server has no work with it.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) watching?.abort();
  else void watch();
});
void watch();

/** Follows the server for as long as the page is seen, over restarts. */
async function watch() {
  watching?.abort();
  if (token === null && "guarded" in document.documentElement.dataset) return login();
  const mine = (watching = new AbortController());
  while (!mine.signal.aborted) {
    try {
      const response = await fetch("events", { headers: credentials(), signal: mine.signal });
      if (response.status === 401) return login();
      if (!response.ok) throw new Error(`${response.status}: ${(await response.text()).trim()}`);
      at("login").hidden = true;
      if (token !== null) sessionStorage.setItem(tokenKey, token);
      await follow(response.body);
      say("The connection has ended", "warn");
    } catch (error) {
      if (mine.signal.aborted) return;
      say(error instanceof TypeError ? "The server can't be reached" : error.message, "bad");
    }
    clearTimeout(silence);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

function credentials() {
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}

function login() {
  if (token !== null) at("refusal").textContent = "This isn't the token";
  token = null;
  sessionStorage.removeItem(tokenKey);
  at("figures").hidden = at("steering").hidden = true;
  at("login").hidden = false;
  say("A token is needed", "warn");
}

/** Server-sent events whose only field is `data`. */
async function follow(body) {
  // Safari can't iterate over streams.
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text += value;
    const events = text.split("\n\n");
    text = events.pop();
    for (const event of events) draw(JSON.parse(event.slice("data: ".length)));
  }
}

async function steer(command) {
  const response = await fetch(`commands/${command}`, {
    method: "POST",
    headers: credentials(),
  }).catch(() => null);
  const answer = response === null ? "The server can't be reached" : await response.text();
  at("outcome").textContent = response?.ok ? "" : answer;
}

function say(line, how) {
  at("line").textContent = line;
  at("line").className = how;
}

function draw(figures) {
  // The same may come twice, when another page has asked for it before.
  if (figures.at === lastAt) return;
  lastAt = figures.at;
  clearTimeout(silence);
  silence = setTimeout(() => say("The server is silent", "bad"), silenceMs);
  at("figures").hidden = false;
  at("steering").hidden = !(figures.steered && token !== null);
  at("version").textContent = figures.version;
  say(figures.line, figures.ready >= figures.target ? "good" : figures.ready > 0 ? "warn" : "bad");
  at("facts").textContent = [
    `up ${span(figures.upMs)}`,
    `generation ${figures.generation}`,
    `backlog ${figures.backlog}`,
    `master ${bytes(figures.masterMemoryBytes)}`,
  ].join(", ");
  document.title = `${figures.ready}/${figures.target} gunicorn-ts`;
  for (const each of charts) each(figures);
  drawWorkers(figures.workers);
  drawHistory(figures.history);
}

function drawWorkers(workers) {
  const body = at("workers");
  const alive = new Set(workers.map(({ age }) => age));
  for (const [age, row] of rows) {
    if (alive.has(age)) continue;
    row.remove();
    rows.delete(age);
  }
  for (const [index, worker] of workers.entries()) {
    const row = rows.get(worker.age) ?? newRow(worker.age);
    if (body.children[index] !== row) body.insertBefore(row, body.children[index] ?? null);
    for (const [cell, { read, show, how }] of columns.entries()) {
      const value = read(worker);
      const td = row.children[cell];
      td.textContent = value === null || value === undefined ? unknown : show(value);
      td.dataset.value = JSON.stringify(value ?? null);
      // It may not have the room.
      if (columns[cell].long) td.title = td.textContent;
      td.className = [columns[cell].look ?? "", how?.(value, worker) ?? ""].join(" ").trim();
    }
  }
}

function newRow(age) {
  const row = document.createElement("tr");
  row.append(...columns.map(() => document.createElement("td")));
  rows.set(age, row);
  return row;
}

/** The newest first. */
function drawHistory(history) {
  at("history").replaceChildren(
    ...history.toReversed().map((happening) => {
      const item = document.createElement("li");
      const time = document.createElement("time");
      const when = new Date(happening.at);
      time.dateTime = when.toISOString();
      time.textContent = when.toLocaleTimeString();
      item.className = happening.bad ? "bad" : "";
      item.append(time, happening.text);
      return item;
    }),
  );
}

/** Makes a chart of one line or two, and answers with what draws it anew. */
function chart(name, read, show) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const most = document.createElement("span");
  const values = document.createElement("div");
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${points - 1} 100`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  caption.append(name, most);
  figure.append(caption, values, svg);
  at("charts").append(figure);
  const series = [];
  return (figures) => {
    for (const [index, value] of read(figures).entries()) {
      series[index] ??= {
        past: [],
        line: svg.appendChild(polyline()),
        value: document.createElement("strong"),
      };
      const { past, value: shown } = series[index];
      past.push(value);
      if (past.length > points) past.shift();
      shown.textContent = value === null ? unknown : show(value);
      if (!shown.isConnected) values.append(shown);
    }
    const top = Math.max(...series.flatMap(({ past }) => past.map((value) => value ?? 0)));
    most.textContent = `max ${show(top)}`;
    for (const { past, line } of series) line.setAttribute("points", pointsOf(past, top));
  };
}

function polyline() {
  return document.createElementNS("http://www.w3.org/2000/svg", "polyline");
}

/** The newest is at the right; what isn't known is on the ground. */
function pointsOf(past, top) {
  return past
    .map((value, index) => {
      const height = top > 0 ? (95 * (value ?? 0)) / top : 0;
      return `${points - past.length + index},${(98 - height).toFixed(1)}`;
    })
    .join(" ");
}

const columns = [
  { read: ({ slot }) => slot, show: String },
  { read: ({ pid }) => pid, show: String },
  { read: ({ age }) => age, show: String },
  {
    look: "text",
    read: ({ phase, tired }) => (tired ? `${phase}, tired` : phase),
    show: String,
    how: (_, { phase }) => ({ ready: "good", killed: "bad", aborting: "bad" })[phase] ?? "warn",
  },
  { read: ({ servingMs }) => servingMs, show: span },
  { read: ({ inFlight }) => inFlight, show: String },
  { read: ({ rate }) => rate, show: count },
  { read: ({ p50 }) => p50, show: duration },
  { read: ({ p99 }) => p99, show: duration },
  { read: ({ memoryBytes }) => memoryBytes, show: bytes },
  {
    read: ({ loopDelayMs }) => loopDelayMs,
    show: (value) => duration(value / 1000),
    how: (value) => (value >= 1000 ? "bad" : value >= 100 ? "warn" : ""),
  },
  { look: "text newest", long: true, read: ({ newest }) => newest, show: String },
];

function count(value) {
  return value >= 100 || Number.isInteger(value)
    ? Math.round(value).toLocaleString("en")
    : value.toFixed(1);
}

function duration(seconds) {
  if (seconds >= 1) return `${seconds.toFixed(1)} s`;
  const ms = seconds * 1000;
  return `${ms >= 10 || ms === 0 ? ms.toFixed(0) : ms.toFixed(1)} ms`;
}

function bytes(value) {
  if (value === null) return unknown;
  return value >= 1e9 ? `${(value / 1e9).toFixed(2)} GB` : `${(value / 1e6).toFixed(0)} MB`;
}

function span(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
