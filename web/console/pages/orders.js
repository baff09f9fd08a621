import { html, nothing, signal } from "../../vendor/lit.js";
import { say, show } from "../../shared/announce.js";
import { Refused, ask, explain } from "../../shared/api.js";
import { form } from "../../shared/form.js";
import { money } from "../../shared/money.js";
import { empty, field, notice, unreachable } from "../../shared/parts.js";
import { go } from "../../shared/router.js";
import { watch } from "../../shared/watch.js";
import { rows } from "../rows.js";
import { facts, mailLink, moment, orderLink, productLink, sign, userLink } from "../words.js";

/** @typedef {import("../../shared/api.js").Schemas["Order"]} Order */
/** @typedef {import("../../shared/api.js").Schemas["Email"]} Email */

const STATUSES = ["pending", "confirmed", "rejected", "cancelled", "shipped", "delivered"];

/** @param {Order} one */
const row = (one) => html`<tr><td>${moment(one.created_at)}</td><td>${orderLink(one.id)}</td><td>${userLink(one.customer_id)}</td>
  <td class="text">${one.items.map(({ name, quantity }) => `${quantity} × ${name}`).join(", ")}</td><td>${sign(one.status)}</td><td class="number">${money(Number(one.total_amount), one.currency)}</td></tr>`;

/** @type {import("../../shared/router.js").Setup} */
export const orders = (_params, url) => {
  const status = STATUSES.find((one) => one === url.searchParams.get("status")) ?? "";
  const list = rows(() => `/orders?limit=50${status && `&status=${status}`}`);
  const ready = list.read();
  return {
    title: () => "Orders",
    ready,
    view: () => html`<div class="title-row"><h1>Orders</h1>
        <div class="field inline"><label for="status">Status</label><select id="status" @change=${(/** @type {Event} */ event) => {
          const { value } = /** @type {HTMLSelectElement} */ (event.target);
          void go(`/console/orders${value && `?status=${value}`}`, { replace: true, stay: true });
        }}><option value="" .selected=${status === ""}>all</option>${STATUSES.map((one) => html`<option value=${one} .selected=${one === status}>${one}</option>`)}</select></div></div>
      ${list.view(["Placed", "Order", "Customer", "What", "Status", "#Total"], row, status ? `No order is ${status}.` : "Nothing was ordered yet.")}`,
  };
};

/** @type {import("../../shared/router.js").Setup} */
export const order = ({ id = "" }) => {
  const path = `/orders/${encodeURIComponent(id)}`;
  const shown = signal(/** @type {Order | null | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));
  const mails = rows(() => `/emails?order_id=${encodeURIComponent(id)}`);
  /** @type {string | undefined} */
  let etag;

  async function poll() {
    try {
      const answer = await ask("GET", path, { etag });
      failure.value = undefined;
      etag = answer.etag ?? etag;
      if (answer.data !== undefined) {
        if (shown.peek() && shown.peek()?.status !== answer.data.status) say(`The order is ${answer.data.status}`);
        shown.value = answer.data;
        void mails.read();
      }
    } catch (error) {
      if (error instanceof Refused && error.status < 429) {
        shown.value = null;
        return false;
      }
      failure.value = error;
      throw error;
    }
    return true;
  }
  const ready = poll().catch(() => undefined);
  const watching = watch(poll);

  /** @param {unknown} error */
  const words = (error) => (error instanceof Refused && error.code === "illegal_transition" ? `It is too late for that: the order is ${error.problem.current_status}.` : undefined);
  /** @param {Order} next */
  function take(next) {
    shown.value = next;
    etag = undefined;
    watching.soon();
    show({ text: `The order is ${next.status}` });
  }
  const ship = form(async ({ tracking = "" }) => {
    take((await ask("PATCH", `${path}/status`, { body: { status: "shipped", ...(tracking.trim() && { tracking_number: tracking.trim() }) } })).data);
  }, words);
  const deliver = form(async () => take((await ask("PATCH", `${path}/status`, { body: { status: "delivered" } })).data), words);
  const cancel = form(async () => {
    if (confirm("Cancel this order, and put its stock up for sale again?")) take((await ask("PATCH", `${path}/status`, { body: { status: "cancelled" } })).data);
  }, words);

  /** @param {Order} one */
  const moves = (one) => html`${one.status === "confirmed"
      ? html`<form class="move" @submit=${ship.submit}>${field({ name: "tracking", label: "Tracking number", required: false, max: 64, mistake: ship.about("/tracking_number") })}${ship.button("Ship", "Shipping")}</form>${ship.trouble(["/tracking_number"])}`
      : nothing}
    ${one.status === "shipped" ? html`<form class="move" @submit=${deliver.submit}>${deliver.button("Mark as delivered", "Marking")}</form>${deliver.trouble()}` : nothing}
    ${one.status === "pending" || one.status === "confirmed" ? html`<form class="move quiet-form" @submit=${cancel.submit}>${cancel.button("Cancel the order", "Cancelling")}</form>${cancel.trouble()}` : nothing}
    ${["rejected", "cancelled", "delivered"].includes(one.status) ? html`<p class="quiet-text">Nothing follows: the order is ${one.status}.</p>` : nothing}`;

  /** @param {Order} one */
  const found = (one) => html`<nav class="crumbs" aria-label="Where you are"><a href="/console/orders">Orders</a> / <span class="mono">${one.id}</span></nav>
    <div class="title-row"><h1>Order ${sign(one.status)}</h1><a href="/console/stories/${encodeURIComponent(one.id)}">Its story</a></div>
    ${failure.value === undefined ? nothing : notice("info", `${explain(failure.value)} We go on trying.`)}
    <div class="halves">
      <div><section class="panel" aria-labelledby="lines"><h2 id="lines">Lines</h2>
        <table class="table"><thead><tr><th scope="col">Product</th><th scope="col" class="number">Quantity</th><th scope="col" class="number">Price</th><th scope="col" class="number">Sum</th></tr></thead>
          <tbody>${one.items.map((line) => html`<tr><td>${productLink(line.product_id, line.name)}</td><td class="number">${line.quantity}</td><td class="number">${money(Number(line.price), one.currency)}</td><td class="number">${money(Number(line.line_total), one.currency)}</td></tr>`)}</tbody>
          <tfoot><tr><th scope="row" colspan="3">Total</th><td class="number"><strong>${money(Number(one.total_amount), one.currency)}</strong></td></tr></tfoot></table></section>
        <section class="panel" aria-labelledby="mails"><h2 id="mails">Mails</h2>${mails.view(["Made", "About", "Status", "Why"], (/** @type {Email} */ mail) => html`<tr><td>${moment(mail.created_at)}</td><td>${mailLink(mail)}</td><td>${sign(mail.status)}</td><td>${mail.reason?.replaceAll("_", " ") ?? ""}</td></tr>`, "None yet.")}</section></div>
      <div><section class="panel" aria-labelledby="facts"><h2 id="facts">Facts</h2>${facts([
        ["Customer", userLink(one.customer_id)],
        ["Placed", moment(one.created_at)],
        ["Changed", moment(one.updated_at)],
        ["Version", one.version],
        ["Tracking number", one.tracking_number ? html`<span class="mono">${one.tracking_number}</span>` : undefined],
        ["Rejected for", one.rejection ? html`${one.rejection.reason.replaceAll("_", " ")}<ul>${(one.rejection.shortages ?? []).map((short) => html`<li>${productLink(short.product_id)}: ${short.requested} asked, ${short.available} there</li>`)}</ul>` : undefined],
      ])}</section>
        <section class="panel" aria-labelledby="moves"><h2 id="moves">Moves</h2>${moves(one)}</section></div>
    </div>`;

  return {
    title: () => (shown.value ? `Order, ${shown.value.status}` : "Order"),
    ready,
    leave: () => watching.stop(),
    view: () => {
      if (shown.value) return found(shown.value);
      if (shown.value === null) return empty({ heading: "There is no such order", text: html`Nothing has the id <span class="mono">${id}</span>.`, sign: "package-x", action: html`<a class="button" href="/console/orders">All orders</a>` });
      if (failure.value !== undefined) return unreachable(() => void poll(), 1, "The shop does not answer.");
      return html`<h1 class="unseen">Loading the order</h1><div class="skeleton"><span class="bone tall"></span><span class="bone tall"></span></div>`;
    },
  };
};
