// The page of the sandbox. The server renders every fragment; this puts them in place and sends control commands.

const root = "/_sandbox/page/";
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

const detail = one("#detail");
const detailBody = one("#detail-body");

function fragment(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

// Messages and commands

let silence;
function say(text, bad = false) {
  const message = one("#message");
  message.textContent = text;
  message.classList.toggle("bad", bad);
  clearTimeout(silence);
  silence = setTimeout(() => { message.textContent = ""; }, bad ? 8000 : 3000);
}

async function command(call, parameters) {
  const [method, path] = call.split(" ");
  try {
    const body = method === "POST" ? JSON.stringify(parameters) : undefined;
    const response = await fetch(path, { method, body, headers: { "content-type": "application/json" } });
    const result = await response.json();
    if (!response.ok) throw new Error(result.message);
    return result;
  } catch (error) {
    // Each browser has other words of its own for a `fetch` without an answer.
    say(error instanceof TypeError ? "The sandbox does not answer. Is it running?" : error.message, true);
    return null;
  }
}

async function press(button) {
  const given = JSON.parse(button.dataset.parameters ?? "{}");
  for (const name of (button.dataset.fields ?? "").split(" ").filter(Boolean)) {
    const value = button.form.elements[name]?.value.trim();
    if (value) given[name] = value;
  }
  button.disabled = true;
  const done = await command(button.dataset.command, given);
  button.disabled = false;
  if (done) say(button.dataset.command.includes("/clock/") ? "The clock was advanced." : "Done.");
}

async function inject(button) {
  const { operation, kind, status, delay, times } = button.form.elements;
  const given = { kind: kind.value, work: button.dataset.fault === "after" };
  if (operation.value) given.operation = operation.value;
  if (["status", "html"].includes(kind.value)) given.status = Number(status.value);
  if (kind.value === "delay") given.delay = Number(delay.value);
  if (times.value) given.times = Number(times.value);
  if (await command("POST /_sandbox/faults", given)) say("The fault waits for its call.");
}

function fitFaultForm() {
  const form = one("#fault");
  const chosen = form.elements.kind.selectedOptions[0];
  const when = chosen.dataset.when;
  const buttons = all("[data-fault]", form);
  for (const button of buttons) button.disabled = when !== "either" && when !== button.dataset.fault;
  const main = buttons.find((button) => !button.disabled);
  for (const button of buttons) button.classList.toggle("first", button === main);
  for (const label of all("[data-for]", form)) label.hidden = !label.dataset.for.split(" ").includes(chosen.value);
}

// Lists

function updateList(name, { order, html }) {
  const list = one(`[data-list="${name}"]`);
  const known = new Map([...list.children].map((item) => [item.dataset.id, item]));
  const focused = document.activeElement?.closest?.("[data-list] a")?.getAttribute("href");
  for (const [id, item] of known) if (id in html || !order.includes(id)) item.remove();
  let before = list.firstElementChild;
  for (const id of order) {
    const item = id in html ? fragment(html[id]).firstElementChild : known.get(id);
    if (item === before) before = before.nextElementSibling;
    else list.insertBefore(item, before);
  }
  if (focused) one(`a[href="${CSS.escape(focused)}"]`, list)?.focus({ preventScroll: true });
  afterListChange();
}

function afterListChange() {
  for (const list of all("[data-list]")) one(`#tab-${list.dataset.list} .count`).textContent = list.children.length;
  for (const row of all("[data-row]")) row.ariaCurrent = row.getAttribute("href") === location.hash ? "true" : null;
}

function showTab(name) {
  for (const tab of all("[data-tab]")) {
    const chosen = tab.dataset.tab === name;
    tab.setAttribute("aria-selected", chosen);
    one(`#${tab.dataset.tab}`).hidden = !chosen;
  }
}

function step(by) {
  const rows = all("[data-row]").filter((row) => row.offsetParent !== null);
  const at = rows.indexOf(document.activeElement);
  const current = at < 0 ? rows.findIndex((row) => row.hasAttribute("aria-current")) : at;
  rows[Math.max(0, Math.min(rows.length - 1, current < 0 ? 0 : current + by))]?.focus();
}

// What is open: its address is in the hash, so that back and forward work

let opened = null;

async function open() {
  const address = location.hash.replace(/^#\//, "");
  const isNew = address !== opened;
  opened = address;
  detail.hidden = !address;
  one("#hint").hidden = Boolean(address);
  document.body.classList.toggle("open", Boolean(address));
  afterListChange();
  if (isNew) detailBody.replaceChildren();
  if (!address) return;
  try {
    const html = await (await fetch(root + address)).text();
    if (address === opened) refresh(html, isNew);
  } catch { /* the sandbox is down: the stream says so */ }
}

// Only sections that differ are replaced: what a person is typing stays.
function refresh(html, isNew) {
  const fresh = fragment(html);
  const names = (within) => all("[data-part]", within).map((part) => part.dataset.part).join();
  if (isNew || names(fresh) !== names(detailBody)) {
    detailBody.replaceChildren(fresh);
    if (isNew) detail.scrollTop = 0;
    if (isNew) one("h2", detailBody)?.focus({ preventScroll: true });
    return;
  }
  for (const part of all("[data-part]", fresh)) {
    const old = one(`[data-part="${part.dataset.part}"]`, detailBody);
    if (old.outerHTML !== part.outerHTML) old.replaceWith(part);
  }
}

// Live

function listen() {
  const live = one("#live");
  const events = new EventSource(root + "events");
  events.onopen = () => { live.textContent = "live"; live.className = "live on"; };
  events.onerror = () => {
    live.textContent = "reconnecting";
    live.className = "live off";
    // A refused or ended stream is tried again by the page: the browser itself gives up on some errors.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 1000);
  };
  events.onmessage = (event) => {
    const { lists = {}, parts = {} } = JSON.parse(event.data);
    for (const [name, update] of Object.entries(lists)) updateList(name, update);
    for (const [name, html] of Object.entries(parts)) one(`[data-part="${name}"]`).replaceChildren(fragment(html));
    tick();
    if (opened) open();
  };
}

function tick() {
  const now = one("#now");
  if (!now) return;
  const moment = new Date(Date.now() + Number(now.dataset.ahead) * 1000);
  now.textContent = `${moment.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

// Pointer and keyboard

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.command) press(button);
  else if (button.dataset.fault) inject(button);
  else if (button.dataset.tab) showTab(button.dataset.tab);
  else if (button.id === "keys") one("#help").showModal();
  else if (button.id === "help-close") one("#help").close();
});

const keys = {
  j: () => step(1),
  k: () => step(-1),
  1: () => showTab("groups"),
  2: () => showTab("calls"),
  3: () => one("#tab-deliveries") && showTab("deliveries"),
  "?": () => one("#help").showModal(),
  Escape: close,
};

function close() {
  location.hash = "#/";
  all("[data-row][aria-current]").find((row) => row.offsetParent !== null)?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || one("#help").open) return;
  const typing = event.target.closest("input, select, textarea");
  if (typing && event.key === "Escape") typing.blur();
  if (typing) return;
  const button = all("[data-key]").find((each) => each.dataset.key === event.key && !each.disabled);
  const work = button ? () => button.click() : keys[event.key];
  if (!work) return;
  event.preventDefault();
  work();
});

document.addEventListener("submit", (event) => event.preventDefault());
one("#fault").addEventListener("change", fitFaultForm);
addEventListener("hashchange", open);

fitFaultForm();
afterListChange();
open();
listen();
setInterval(tick, 1000);
