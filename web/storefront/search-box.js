// The search in the head. On the page of results every letter changes the results; elsewhere it suggests products.

import { html, live, nothing, signal } from "../vendor/lit.js";
import { say } from "../shared/announce.js";
import { suggest } from "../shared/catalogue.js";
import { icon } from "../shared/icons.js";
import { go } from "../shared/router.js";

const PAUSE = 120;

const typed = signal(/** @type {string | undefined} */ (undefined));
const offered = signal(/** @type {{ id: string, name: string }[]} */ ([]));
const chosen = signal(-1);
const isOpen = signal(false);

const input = () => /** @type {HTMLInputElement | null} */ (document.getElementById("search"));
/** @type {number | undefined} */
let timer;
let asked = new AbortController();
let seen = "";

function close() {
  clearTimeout(timer);
  asked.abort();
  isOpen.value = false;
  chosen.value = -1;
}

/** @param {string} q */
async function offer(q) {
  asked.abort();
  asked = new AbortController();
  const { signal: mine } = asked;
  try {
    const found = (await suggest(q, mine)).slice(0, 6);
    if (mine.aborted) return;
    offered.value = found;
    chosen.value = -1;
    isOpen.value = found.length > 0;
    say(found.length === 0 ? "No suggestions" : `${found.length} ${found.length === 1 ? "suggestion" : "suggestions"}`);
  } catch {
    // Suggestions are a convenience: the search itself says what is wrong.
    if (!mine.aborted) isOpen.value = false;
  }
}

/** @param {string} q */
function results(q) {
  const url = new URL(location.href);
  const params = url.pathname === "/find" ? url.searchParams : new URLSearchParams();
  if (q === "") params.delete("q");
  else params.set("q", q);
  const text = params.toString();
  return `/find${text === "" ? "" : `?${text}`}`;
}

/** @param {InputEvent} event */
function onInput(event) {
  const q = /** @type {HTMLInputElement} */ (event.target).value;
  typed.value = q;
  clearTimeout(timer);
  if (location.pathname === "/find") {
    timer = setTimeout(() => void go(results(q.trim()), { replace: true, stay: true }), PAUSE);
  } else if (q.trim() === "") close();
  else timer = setTimeout(() => void offer(q.trim()), PAUSE);
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.key === "Escape" && isOpen.value) {
    event.preventDefault();
    close();
    return;
  }
  if (!isOpen.value || (event.key !== "ArrowDown" && event.key !== "ArrowUp")) return;
  event.preventDefault();
  const many = offered.value.length;
  const step = event.key === "ArrowDown" ? 1 : -1;
  // The place before the first is the input itself.
  chosen.value = ((chosen.value + 1 + step + many + 1) % (many + 1)) - 1;
}

/** @param {Event} event */
function onSubmit(event) {
  event.preventDefault();
  const product = isOpen.value ? offered.value[chosen.value] : undefined;
  const q = (input()?.value ?? "").trim();
  close();
  if (product !== undefined) open(product);
  else void go(results(q), { replace: location.pathname === "/find" });
}

/** @param {{ id: string }} product */
function open({ id }) {
  typed.value = "";
  close();
  void go(`/p/${encodeURIComponent(id)}`);
}

/** @param {{ id: string, name: string }} product @param {number} at */
const option = (product, at) => html`<li id="suggestion-${at}" role="option" aria-selected=${at === chosen.value ? "true" : "false"}
  @pointerdown=${(/** @type {Event} */ event) => event.preventDefault()} @click=${() => open(product)}>${icon("search")}<span>${product.name}</span></li>`;

/** @param {URL} address */
export function searchBox(address) {
  const asks = address.pathname === "/find" ? (address.searchParams.get("q") ?? "") : "";
  // A link, or the way back, changes what is searched for.
  if (address.href !== seen) {
    seen = address.href;
    if (document.activeElement?.id !== "search") queueMicrotask(() => (typed.value = asks));
  }
  return html`<form class="search" role="search" action="/find" @submit=${onSubmit}>
    <label class="unseen" for="search">Search the shop</label>
    ${icon("search")}
    <input id="search" name="q" type="search" placeholder="Search" autocomplete="off" spellcheck="false" maxlength="100"
      enterkeyhint="search" role="combobox" aria-expanded=${isOpen.value ? "true" : "false"} aria-controls="suggestions"
      aria-autocomplete="list" aria-activedescendant=${isOpen.value && chosen.value >= 0 ? `suggestion-${chosen.value}` : nothing}
      .value=${live(typed.value ?? asks)} @input=${onInput} @keydown=${onKey} @blur=${close} />
    <ul id="suggestions" role="listbox" aria-label="Products" ?hidden=${!isOpen.value}>
      ${isOpen.value ? offered.value.map(option) : nothing}
    </ul>
  </form>`;
}
