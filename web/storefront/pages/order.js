// One order as it goes on, and the list of one's own.

import { batch, html, nothing, signal } from "../../vendor/lit.js";
import { say } from "../../shared/announce.js";
import { Refused, ask, explain } from "../../shared/api.js";
import { icon } from "../../shared/icons.js";
import { money } from "../../shared/money.js";
import { user } from "../../shared/session.js";
import { watch } from "../../shared/watch.js";
import { guestOrders, lastSeen, learn, tokenOf } from "../own-orders.js";
import { empty, notice, unreachable, when } from "../../shared/parts.js";

/** @typedef {import("../own-orders.js").Order} Order */
/** @typedef {Order["status"]} Status */

const WORDS = /** @type {const} */ ({
  pending: "Being checked",
  confirmed: "Confirmed",
  rejected: "Rejected",
  cancelled: "Cancelled",
  shipped: "Shipped",
  delivered: "Delivered",
});
/** After these nothing follows. @type {Status[]} */
const LAST = ["rejected", "cancelled", "delivered"];
/** How far along the way an order of that status is. */
const REACHED = { pending: 1, confirmed: 3, shipped: 4, delivered: 5, rejected: 1, cancelled: 1 };
const STEPS = ["Placed", "Stock set aside", "Confirmed", "Shipped", "Delivered"];

/** @param {string} id @param {string | undefined} [etag] */
const read = (id, etag) => ask("GET", `/orders/${encodeURIComponent(id)}`, { orderToken: tokenOf(id), etag });

/** There is no such order, for who asks. @param {unknown} error */
const isNone = (error) => error instanceof Refused && [401, 403, 404, 422].includes(error.status);

/** @param {Order} order */
function headline({ status }) {
  if (status === "pending") return "Thank you. We are setting your order aside.";
  if (status === "confirmed") return "Your order is confirmed";
  if (status === "shipped") return "Your order is on its way";
  if (status === "delivered") return "Your order was delivered";
  return status === "cancelled" ? "Your order is cancelled" : "We could not fill your order";
}

/** @param {Order} order */
function way({ status }) {
  if (status === "cancelled" || status === "rejected") return nothing;
  const reached = REACHED[status];
  return html`<ol class="way" aria-label="How far your order is">${STEPS.map(
    (step, at) => html`<li class=${at < reached ? "done" : at === reached ? "next" : ""} aria-current=${at === reached - 1 ? "step" : nothing}>
      <span class="dot">${at < reached ? icon("check") : at + 1}</span><span>${step}<span class="unseen">${at < reached ? ", done" : ", to come"}</span></span></li>`,
  )}</ol>`;
}

/** @param {Order} order */
function reasons({ status, rejection, items }) {
  if (status !== "rejected" || !rejection) return nothing;
  const names = new Map(items.map(({ product_id, name }) => [product_id, name]));
  const shortages = rejection.shortages ?? [];
  return notice("bad", html`<p>Nothing was set aside, and nothing is charged.</p>
    ${shortages.length === 0 ? nothing : html`<ul>${shortages.map(({ product_id, requested, available }) => html`<li>${names.get(product_id) ?? product_id}: you asked for ${requested}, ${available === 0 ? "and it is sold out" : `and ${available} ${available === 1 ? "is" : "are"} left`}</li>`)}</ul>`}`);
}

/** @type {import("../../shared/router.js").Setup} */
export const order = ({ id = "" }) => {
  const shown = signal(/** @type {Order | null | undefined} */ (lastSeen(id)));
  const failure = signal(/** @type {unknown} */ (undefined));
  const stale = signal(false);
  const cancelling = signal(false);
  const refusal = signal("");
  /** @type {string | undefined} */
  let etag;
  /** @type {ReturnType<typeof watch> | undefined} */
  let watching;
  let left = false;

  /** @param {Order} next */
  function take(next) {
    const before = shown.peek();
    if (before && before.version > next.version) return;
    learn(next);
    shown.value = next;
    if (before && before.status !== next.status) say(headline(next));
  }

  /** @returns {Promise<boolean>} whether there is more to come */
  async function poll() {
    try {
      const answer = await read(id, etag);
      if (left) return false;
      stale.value = false;
      etag = answer.etag ?? etag;
      if (answer.data !== undefined) take(answer.data);
    } catch (error) {
      if (isNone(error)) {
        shown.value = null;
        return false;
      }
      if (shown.peek() === undefined) failure.value = error;
      else stale.value = true;
      throw error;
    }
    return !LAST.includes(shown.peek()?.status ?? "pending");
  }

  async function load() {
    failure.value = undefined;
    watching?.stop();
    const goOn = await poll().catch(() => shown.peek() !== undefined);
    if (goOn && !left) watching = watch(poll);
  }
  const known = shown.peek();
  if (known !== undefined) watching = watch(poll);
  const ready = known === undefined ? load() : Promise.resolve();

  async function cancel() {
    if (cancelling.peek() || !confirm("Cancel this order?")) return;
    cancelling.value = true;
    refusal.value = "";
    try {
      const { data } = await ask("POST", `/orders/${encodeURIComponent(id)}/cancel`, { orderToken: tokenOf(id) });
      take(data);
    } catch (error) {
      const isLate = error instanceof Refused && error.code === "illegal_transition";
      refusal.value = isLate ? "It is too late to cancel: the order has moved on." : explain(error);
      watching?.soon();
    } finally {
      cancelling.value = false;
    }
  }

  /** @param {Order} one */
  const found = (one) => html`<div class="inner narrow">
    <nav class="crumbs" aria-label="Where you are"><a href="/account/orders">Your orders</a> <span aria-hidden="true">/</span> <span class="mono">${one.id}</span></nav>
    <h1>${headline(one)}</h1>
    <p class="quiet-text"><span class="status ${one.status}">${WORDS[one.status]}</span> Placed ${when(one.created_at)}</p>
    ${stale.value ? notice("info", "The shop does not answer just now. We go on trying.") : nothing}
    ${way(one)}
    ${reasons(one)}
    ${one.tracking_number ? html`<p class="panel tracking">${icon("truck")} Tracking number <strong class="mono">${one.tracking_number}</strong></p>` : nothing}
    <section class="panel" aria-labelledby="lines"><h2 id="lines">What you ordered</h2>
      <table class="table"><thead><tr><th scope="col">Product</th><th scope="col" class="number">Quantity</th><th scope="col" class="number wide-only">Price</th><th scope="col" class="number">Sum</th></tr></thead>
        <tbody>${one.items.map((item) => html`<tr><td><a href="/p/${encodeURIComponent(item.product_id)}">${item.name}</a></td><td class="number">${item.quantity}</td><td class="number wide-only">${money(Number(item.price), one.currency)}</td><td class="number">${money(Number(item.line_total), one.currency)}</td></tr>`)}</tbody>
        <tfoot><tr><th scope="row" colspan="2">Total</th><td class="wide-only"></td><td class="number"><strong>${money(Number(one.total_amount), one.currency)}</strong></td></tr></tfoot></table></section>
    ${refusal.value ? notice("bad", refusal.value) : nothing}
    <p class="actions"><a class="button" href="/find">Go on shopping</a>
      ${one.status === "pending" || one.status === "confirmed" ? html`<button class="button quiet" aria-disabled=${cancelling.value ? "true" : "false"} @click=${cancel}>${cancelling.value ? "Cancelling" : "Cancel the order"}</button>` : nothing}</p>
    ${tokenOf(id) ? html`<p class="quiet-text">You ordered as a guest: only this browser can show this order.</p>` : nothing}
  </div>`;

  return {
    title: () => (shown.value ? `Order: ${WORDS[shown.value.status]}` : "Order"),
    ready,
    leave() {
      left = true;
      watching?.stop();
    },
    view: () => {
      const one = shown.value;
      if (one) return found(one);
      if (failure.value !== undefined) return unreachable(load, 1, "Your order is safe. Check your connection, and try again.");
      if (one === undefined) return html`<div class="inner narrow skeleton"><h1 class="unseen">Loading the order</h1><span class="bone tall"></span><span class="bone"></span><span class="bone"></span></div>`;
      return empty({
        heading: "We cannot show this order",
        text: "It is shown to who placed it: in the browser where a guest ordered, or in the account.",
        sign: "package-x",
        action: html`<p class="actions">${user.value === null ? html`<a class="button" href="/sign-in?next=${encodeURIComponent(`/o/${encodeURIComponent(id)}`)}">Sign in</a>` : nothing}<a class="button quiet" href="/account/orders">Your orders</a></p>`,
      });
    },
  };
};

/** @type {import("../../shared/router.js").Setup} */
export const orders = () => {
  const list = signal(/** @type {Order[] | undefined} */ (undefined));
  const cursor = signal(/** @type {string | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));
  const busy = signal(false);

  async function guests() {
    const kept = guestOrders().slice(0, 20);
    const read_ = await Promise.all(kept.map(({ id }) => read(id).then(({ data }) => data).catch((error) => {
      if (isNone(error)) return undefined;
      throw error;
    })));
    return read_.filter((one) => one !== undefined);
  }

  async function load(more = false) {
    failure.value = undefined;
    busy.value = true;
    try {
      if (user.peek() === null) {
        list.value = await guests();
        return;
      }
      const after = more && cursor.peek() ? `&cursor=${encodeURIComponent(cursor.peek() ?? "")}` : "";
      const { data } = await ask("GET", `/orders?customer_id=me&limit=20${after}`);
      batch(() => {
        list.value = [...(more ? (list.peek() ?? []) : []), ...data.data];
        cursor.value = data.next_cursor ?? undefined;
      });
    } catch (error) {
      failure.value = error;
    } finally {
      busy.value = false;
    }
  }
  const ready = load();

  /** @param {Order} one */
  const row = (one) => html`<li><a class="order-row" href="/o/${encodeURIComponent(one.id)}">
    <span class="order-names">${one.items.slice(0, 3).map(({ name }) => name).join(", ")}${one.items.length > 3 ? ` and ${one.items.length - 3} more` : ""}</span>
    <span class="quiet-text">${when(one.created_at)}</span>
    <span class="status ${one.status}">${WORDS[one.status]}</span>
    <span class="line-price">${money(Number(one.total_amount), one.currency)}</span>${icon("chevron-right")}</a></li>`;

  return {
    title: () => "Your orders",
    ready,
    view: () => {
      const all = list.value;
      const isGuest = user.value === null;
      const hint = isGuest ? html`<p class="quiet-text">These were placed in this browser. <a href="/sign-in?next=/account/orders">Sign in</a> to see those of your account.</p>` : nothing;
      if (failure.value !== undefined) return unreachable(() => load(), 1, explain(failure.value));
      if (all === undefined) return html`<div class="inner narrow"><h1>Your orders</h1><div class="skeleton"><span class="bone tall"></span><span class="bone tall"></span></div></div>`;
      if (all.length === 0) {
        return empty({
          heading: "No orders yet",
          text: isGuest ? html`None were placed in this browser. <a href="/sign-in?next=/account/orders">Sign in</a> to see those of your account.` : "What you order is listed here.",
          action: html`<a class="button" href="/find">Look around</a>`,
        });
      }
      return html`<div class="inner narrow"><h1>Your orders</h1>${hint}<ul class="order-list">${all.map(row)}</ul>
        ${cursor.value === undefined ? nothing : html`<p class="more"><button class="button quiet" ?disabled=${busy.value} @click=${() => load(true)}>Show more</button></p>`}</div>`;
    },
  };
};
