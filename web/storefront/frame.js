// What is around every page: the head with the search, the cart and the account, the foot, and what is said aloud.

import { html, nothing, signal } from "../vendor/lit.js";
import { icon, mark } from "../shared/icons.js";
import { said, toast } from "../shared/announce.js";
import { user } from "../shared/session.js";
import { count } from "./cart.js";
import { searchBox } from "./search-box.js";

const online = signal(navigator.onLine);
addEventListener("online", () => (online.value = true));
addEventListener("offline", () => (online.value = false));

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  const main = document.querySelector("main");
  main?.focus();
  main?.scrollIntoView();
}

function account() {
  const path = user.value === null ? "/sign-in" : "/account";
  // While it is not known who this is, the place is kept.
  return html`<a class="tool" href=${path}>${icon("user")}<span class="tool-label">${user.value === null ? "Sign in" : "Account"}</span></a>`;
}

function cart() {
  const many = count.value;
  return html`<a class="tool" href="/cart">
    <span class="with-badge">${icon("shopping-bag")}${many > 0 ? html`<span class="badge" aria-hidden="true">${many > 99 ? "99+" : many}</span>` : nothing}</span>
    <span class="tool-label">Cart</span><span class="unseen">${many === 0 ? ", empty" : `, ${many} ${many === 1 ? "item" : "items"}`}</span>
  </a>`;
}

/** @param {unknown} content @param {URL} address */
export const frame = (content, address) => html`
  <a class="skip" href="#main" @click=${skip}>Skip to the content</a>
  <header class="head">
    <div class="inner">
      <a class="logo" href="/">${mark(30)}<span>Shop</span></a>
      ${searchBox(address)}
      <nav class="tools" aria-label="Yours">${account()}${cart()}</nav>
    </div>
  </header>
  ${online.value ? nothing : html`<p class="offline" role="status">${icon("wifi-off")} You are offline. What you see may be old.</p>`}
  <main id="main" tabindex="-1">${content}</main>
  <footer class="foot">
    <div class="inner">
      <p>This shop takes no payment yet: nothing is charged.</p>
      <nav aria-label="About"><a href="/account/orders">Your orders</a><a href="/docs">API</a></nav>
    </div>
  </footer>
  <div class="unseen" role="status" aria-live="polite">${said.value}</div>
  ${toast.value === undefined
    ? nothing
    : html`<div class="toast"><span>${icon("circle-check")}${toast.value.text}</span>${toast.value.href ? html`<a href=${toast.value.href} @click=${() => (toast.value = undefined)}>${toast.value.label}</a>` : nothing}</div>`}
`;
