// What is around every page of the console: the ways, the search over everything, and who uses it.

import { html, nothing } from "../vendor/lit.js";
import { said, toast } from "../shared/announce.js";
import { icon, mark } from "../shared/icons.js";
import { Refused, ask } from "../shared/api.js";
import { go } from "../shared/router.js";
import { isDemo, leave, operator } from "./operator.js";

/** @type {[string, string, string, Parameters<typeof icon>[0]][]} path, name, key after g, icon */
const WAYS = [
  ["/console", "Overview", "v", "gauge"],
  ["/console/orders", "Orders", "o", "package"],
  ["/console/products", "Products", "p", "tag"],
  ["/console/users", "Users", "u", "user"],
  ["/console/sales", "Sales", "s", "chart-line"],
  ["/console/alerts", "Alerts", "a", "circle-alert"],
  ["/console/mails", "Mails", "m", "mail"],
  ["/console/events", "Events", "e", "activity"],
  ["/console/queues", "Queues", "q", "layers"],
  ["/console/dead-letters", "Dead letters", "d", "inbox"],
  ["/console/settings", "Settings", "t", "settings-2"],
];

const search = () => /** @type {HTMLInputElement | null} */ (document.getElementById("search"));

/** Where what was typed leads: ids say what they name. @param {string} text */
async function place(text) {
  const id = encodeURIComponent(text);
  if (/^ord_/.test(text)) return `/console/orders/${id}`;
  if (/^letter_/.test(text)) return `/console/dead-letters/${id}`;
  if (/^redrive_/.test(text)) return `/console/redrives/${id}`;
  if (/^imp_/.test(text)) return `/console/imports/${id}`;
  if (/^email_/.test(text)) return `/console/mails/${id}`;
  if (/^usr_/.test(text)) return `/console/users/${id}`;
  if (/^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(text)) return `/console/events?correlation=${id}`;
  if (text.includes("@")) return `/console/users?email=${id}`;
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(text) && /[-_0-9]/.test(text)) {
    // Names have digits and hyphens, too: only the shop knows what is an id.
    const isNone = await ask("GET", `/products/${id}`).then(() => false, (error) => error instanceof Refused && [404, 422].includes(error.status));
    if (!isNone) return `/console/products/${id}`;
  }
  return `/console/products?q=${id}`;
}

/** @param {Event} event */
async function onSearch(event) {
  event.preventDefault();
  const input = search();
  const text = input?.value.trim() ?? "";
  if (input === null || text === "") return;
  input.value = "";
  await go(await place(text));
}

let waits = 0;
addEventListener("keydown", (event) => {
  const target = event.target instanceof Element ? event.target : document.body;
  if (target.closest("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey || !operator.peek()) return;
  if (event.key === "/") {
    event.preventDefault();
    search()?.focus();
  } else if (event.key === "g") waits = Date.now();
  else if (Date.now() - waits < 1500) {
    waits = 0;
    const way = WAYS.find(([, , key]) => key === event.key);
    if (way !== undefined) void go(way[0]);
  }
});

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.querySelector("main")?.focus();
}

/** @param {unknown} content @param {URL} address */
export const frame = (content, address) => html`
  <a class="skip" href="#main" @click=${skip}>Skip to the content</a>
  <header class="bar">
    <a class="logo" href="/console">${mark(26)}<span>Console</span></a>
    ${operator.value
      ? html`<form class="search" role="search" @submit=${onSearch}>${icon("search")}
          <label class="unseen" for="search">Search an order, a product or a user</label>
          <input id="search" type="search" placeholder="Order, product, user or address" autocomplete="off" spellcheck="false" maxlength="254" aria-keyshortcuts="/" /><kbd aria-hidden="true">/</kbd></form>
          <span class="who">${isDemo.value ? html`<span class="status pending">Demo</span>` : nothing}<span class="who-name">${operator.value.name}</span>
          ${isDemo.value ? nothing : html`<button class="button quiet small" @click=${leave}>Sign out</button>`}</span>`
      : nothing}
  </header>
  <div class="board ${operator.value ? "" : "alone"}">
    ${operator.value
      ? html`<nav class="ways" aria-label="Console">${WAYS.map(([path, name, key, sign]) => {
          const isHere = path === "/console" ? address.pathname === path : address.pathname.startsWith(path) || (path === "/console/events" && address.pathname.startsWith("/console/stories"));
          return html`<a href=${path} aria-current=${isHere ? "page" : nothing} aria-keyshortcuts="g ${key}" title="g ${key}">${icon(sign)}<span>${name}</span></a>`;
        })}<a class="out" href="/">${icon("shopping-bag")}<span>The shop</span></a></nav>`
      : nothing}
    <main id="main" tabindex="-1">${content}</main>
  </div>
  <div class="unseen" role="status" aria-live="polite">${said.value}</div>
  ${toast.value === undefined ? nothing : html`<div class="toast"><span>${icon("circle-check")}${toast.value.text}</span></div>`}
`;
