// The feed: asks for what is new, and puts it in without moving what somebody is reading.

import { card } from "/_heliograph/cards.js";

const PAGE = 50; // cards at first, and with each "show more"
const EVERY = 1500; // milliseconds between two looks
const TOP = 80; // pixels: above this nobody has begun to read

const $ = (id) => document.getElementById(id);
const filters = $("filters");
const feed = $("feed");
let shown = PAGE;
let tag = "";
let found = [];
let timer = 0;

function read() {
  const wanted = new URLSearchParams(new FormData(filters));
  for (const [name, value] of [...wanted]) if (!value.trim()) wanted.delete(name);
  return wanted;
}

async function look({ settle = false } = {}) {
  clearTimeout(timer);
  const wanted = read();
  const key = wanted.toString();
  try {
    const query = new URLSearchParams([...wanted, ["limit", shown + 1]]);
    const answer = await fetch(`/_heliograph/outbox.json?${query}`, { headers: tag ? { "If-None-Match": tag } : {} });
    if (key !== read().toString()) return; // the filter changed meanwhile, and another look is under way
    say("live", "Live");
    if (answer.status === 200) {
      tag = answer.headers.get("ETag") || "";
      found = await answer.json();
      place({ settle });
    }
  } catch {
    tag = "";
    say("lost", "The local cloud does not answer");
  }
  timer = setTimeout(look, EVERY);
}

function place({ settle }) {
  const wanted = found.slice(0, shown);
  const here = new Map([...feed.children].map((node) => [node.dataset.id, node]));
  const news = wanted.filter((message) => !here.has(message.id));
  const known = wanted.length > news.length;
  if (!settle && known && isReading() && news.length) return offer(news.length);
  offer(0);
  const ids = new Set(wanted.map((message) => message.id));
  for (const [id, node] of here) if (!ids.has(id)) node.remove();
  let next = feed.firstElementChild;
  for (const message of wanted) {
    if (next && next.dataset.id === message.id) next = next.nextElementSibling;
    else feed.insertBefore(fresh(card(message), known), next);
  }
  $("more").hidden = found.length <= shown;
  empty(wanted.length === 0);
}

function fresh(node, known) {
  if (known) node.classList.add("fresh");
  return node;
}

function isReading() {
  return window.scrollY > TOP || feed.contains(document.activeElement);
}

function offer(number) {
  $("fresh").hidden = number === 0;
  $("fresh").textContent = number < PAGE ? `↑ ${number} new` : "↑ Many new";
}

function empty(is) {
  const filtered = read().toString() !== "";
  $("empty").hidden = !is;
  $("empty-words").textContent = filtered
    ? "Nothing here fits the filter."
    : "Nothing has been sent yet. Messages appear here as soon as a provider takes them.";
}

function say(state, words) {
  $("state").className = state;
  if ($("state-words").textContent !== words) $("state-words").textContent = words;
}

function again() {
  tag = "";
  return look({ settle: true });
}

filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("input", () => {
  shown = PAGE;
  const wanted = read().toString();
  history.replaceState(null, "", wanted ? `?${wanted}` : location.pathname);
  again();
});
$("more").addEventListener("click", () => {
  shown += PAGE;
  again();
});
$("fresh").addEventListener("click", () => {
  document.activeElement.blur();
  window.scrollTo({ top: 0 });
  place({ settle: true });
});
document.addEventListener("visibilitychange", () => document.hidden || look());

const asked = new URLSearchParams(location.search);
for (const radio of filters.channel) radio.checked = radio.value === (asked.get("channel") || "");
filters.like.value = asked.get("like") || asked.get("to") || "";
look({ settle: true });
