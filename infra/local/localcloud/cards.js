// One message as a card: an email in its frame, a text as a bubble, a push message as a notification, a webhook as its JSON.

const ACTIONS = {
  email: [
    ["open", "Open", "The person opens the mail"],
    ["click", "Click", "The person follows the first link; or follow one in the mail"],
    ["bounce", "Bounce", "The mailbox does not exist"],
    ["complain", "Complain", "The person reports the mail as spam"],
  ],
  sms: [["bounce", "Bounce", "The number turns out not to exist"]],
  push: [["open", "Open", "The person taps the message"]],
  webhook: [],
};
const DONE = { open: "Opened", click: "Clicked", bounce: "Bounced", complain: "Complained" };
const NAMES = { email: "Email", sms: "SMS", push: "Push", webhook: "Webhook" };
const LINK = /https?:\/\//i;
const FRAME_HEIGHT = 640; // pixels; longer mails scroll in their frame

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name in node && name !== "sandbox") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter(Boolean));
  return node;
}

export function card(message) {
  const said = el("p", { className: "said" });
  said.setAttribute("role", "status");
  const engage = (kind, link) => report(message, kind, link, said);
  const body = { email: mail, sms: bubble, push: notification, webhook: request }[message.channel](message, engage);
  const article = el("article", { className: `card ${message.channel}`, tabIndex: -1 }, head(message), body,
    facts(message), foot(message, engage, said));
  article.dataset.id = message.id;
  article.setAttribute("aria-label", `${NAMES[message.channel]} to ${message.to}`);
  return article;
}

function head(message) {
  const at = new Date(message.sent_at);
  const today = at.toDateString() === new Date().toDateString();
  const words = today ? at.toLocaleTimeString() : at.toLocaleString();
  const who = message.tags.recipient_id;
  return el("div", { className: "head" },
    el("span", { className: "channel", textContent: NAMES[message.channel] }),
    el("span", { className: "to", textContent: message.to, title: message.to }),
    who && el("span", { className: "who", textContent: who, title: "recipient id" }),
    el("time", { dateTime: message.sent_at, textContent: words, title: at.toLocaleString() }));
}

function mail(message, engage) {
  const from = message.headers.From;
  const part = el("div", { className: "mail" }, el("h2", { textContent: message.subject || "(no subject)" }),
    from && el("p", { className: "from", textContent: `From ${from}` }));
  if (!message.html) {
    part.append(el("pre", { textContent: message.text }));
    return part;
  }
  const frame = el("iframe", { sandbox: "allow-same-origin", loading: "lazy", title: `The mail “${message.subject}”` });
  frame.addEventListener("load", () => settle(frame, engage));
  frame.srcdoc = message.html;
  part.append(frame);
  if (/<img[^>]+src=["']?https?:/i.test(message.html)) {
    part.append(el("p", { className: "hint", textContent: "Images from other hosts are not loaded here." }));
  }
  return part;
}

// No script runs in the frame; its height and its links are looked after from outside.
function settle(frame, engage) {
  const page = frame.contentDocument;
  if (!page || !page.body) return;
  const root = page.documentElement;
  root.style.zoom = Math.min(1, root.clientWidth / root.scrollWidth); // a mail for wide screens is shrunk, as by mail apps
  frame.style.height = `${Math.min(root.scrollHeight, FRAME_HEIGHT)}px`;
  page.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest("a[href]");
    if (!link) return;
    event.preventDefault();
    const target = link.getAttribute("href");
    if (/^https?:/i.test(target)) engage("click", target);
  });
}

function bubble(message) {
  const length = [...message.text].length;
  return el("div", { className: "phone" },
    message.headers.From && el("p", { className: "from", textContent: message.headers.From }),
    el("p", { className: "bubble", textContent: message.text }),
    el("p", { className: "hint", textContent: `${length} ${length === 1 ? "character" : "characters"}` }));
}

function notification(message) {
  const url = message.headers.Url;
  return el("div", { className: "notification" },
    el("p", { className: "app", textContent: `${message.headers.Platform || "Push"} · now` }),
    message.subject && el("h2", { textContent: message.subject }),
    el("p", { className: "body", textContent: message.text }),
    url && el("p", { className: "hint", textContent: `Opens ${url}` }));
}

function request(message) {
  return el("pre", { className: "request", dir: "ltr", textContent: JSON.stringify(JSON.parse(message.text), null, 2) });
}

function facts(message) {
  const rows = (title, values) => Object.keys(values).length > 0 && el("div", {}, el("h3", { textContent: title }),
    el("dl", {}, ...Object.entries(values).flatMap(([name, value]) =>
      [el("dt", { textContent: name }), el("dd", { textContent: value })])));
  const counts = `${count(message.headers, "header")}, ${count(message.tags, "tag")}`;
  return el("div", { className: "facts" },
    message.html && message.text && el("details", {}, el("summary", { textContent: "Plain text" }),
      el("pre", { textContent: message.text })),
    el("details", {}, el("summary", { textContent: counts }),
      rows("Headers", message.headers), rows("Tags", message.tags),
      rows("Provider", { "Message id": message.provider_message_id, "Sent at": message.sent_at })));
}

function count(values, word) {
  const number = Object.keys(values).length;
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

function foot(message, engage, said) {
  const possible = ACTIONS[message.channel].filter(([kind]) => kind !== "click" || LINK.test(message.html + message.text));
  const buttons = possible.map(([kind, label, title]) => {
    const button = el("button", { type: "button", textContent: label, title });
    button.className = kind;
    button.addEventListener("click", () => engage(kind));
    return button;
  });
  return el("div", { className: "foot" }, el("div", { className: "buttons" }, ...buttons), said);
}

async function report(message, kind, link, said) {
  const wanted = { provider_message_id: message.provider_message_id, kind, ...(link && { link }) };
  try {
    const answer = await fetch("/_heliograph/engage", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(wanted),
    });
    const { error } = await answer.json();
    const words = `${DONE[kind]}${link ? ` ${link}` : ""} · reported at ${new Date().toLocaleTimeString()}`;
    said.textContent = error || words;
    said.classList.toggle("refused", Boolean(error));
  } catch {
    said.textContent = "The local cloud does not answer.";
    said.classList.add("refused");
  }
}
