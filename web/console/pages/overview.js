import { html, signal } from "../../vendor/lit.js";
import { ask } from "../../shared/api.js";
import { money } from "../../shared/money.js";
import { watch } from "../../shared/watch.js";
import { rows } from "../rows.js";
import { moment, orderLink, productLink, sign } from "../words.js";

/** @typedef {import("../../shared/api.js").Schemas} Schemas */

/** Looked again while somebody sees it. */
const EVERY = [4000, 8000];
const ORDERS = 12;
const ALERTS = 8;

/** @type {import("../../shared/router.js").Setup} */
export const overview = () => {
  const today = signal(/** @type {Schemas["Sales"] | undefined} */ (undefined));
  const queues = signal(/** @type {import("./monitor.js").Queue[] | undefined} */ (undefined));
  const orders = rows(() => `/orders?limit=${ORDERS}`);
  const alerts = rows(() => `/alerts?status=open&limit=${ALERTS}`);

  async function load() {
    const day = new Date().toISOString().slice(0, 10);
    // One that does not answer leaves its figures as they were; the lists say what is wrong.
    const [sales, watched] = await Promise.all([
      ask("GET", `/analytics/sales?from=${day}&to=${day}`).catch(() => undefined),
      ask("GET", "/monitor/queues").catch(() => undefined),
      // Who has had more shown keeps it.
      orders.isDeep() ? undefined : orders.read(),
      alerts.isDeep() ? undefined : alerts.read(),
    ]);
    if (sales !== undefined) today.value = sales.data;
    if (watched !== undefined) queues.value = watched.data.data;
    return true;
  }
  const ready = load();
  const watching = watch(load, EVERY);

  /** @param {string} name @param {unknown} value */
  const fact = (name, value) => html`<div class="fact"><span class="quiet-text">${name}</span><strong>${value}</strong></div>`;

  return {
    title: () => "Overview",
    ready,
    leave: () => watching.stop(),
    view: () => {
      const total = today.value?.total;
      const sum = (/** @type {(one: import("./monitor.js").Queue) => number} */ of) => queues.value?.reduce((all, one) => all + of(one), 0) ?? "–";
      return html`<h1>Overview</h1>
        <div class="facts">
          ${fact("Orders today", total?.orders ?? "–")}
          ${fact("Net today", total === undefined || today.value === undefined ? "–" : money(Number(total.net), today.value.currency))}
          ${fact("Cancelled today", total?.cancelled_orders ?? "–")}
          ${fact("Waiting events", sum((one) => one.ready + one.in_flight))}
          ${fact("Dead letters", sum((one) => one.dead_letters))}
          ${fact("Open alerts", alerts.all.value === undefined ? "–" : `${alerts.all.value.length}${alerts.all.value.length === ALERTS ? "+" : ""}`)}
        </div>
        <div class="halves even">
          <section aria-labelledby="newest"><h2 id="newest">Newest orders</h2>
            ${orders.view(["Placed", "Order", "Status", "#Total"], (/** @type {Schemas["Order"]} */ one) => html`<tr><td>${moment(one.created_at)}</td><td>${orderLink(one.id)}</td><td>${sign(one.status)}</td><td class="number">${money(Number(one.total_amount), one.currency)}</td></tr>`, "Nothing was ordered yet.")}</section>
          <section aria-labelledby="open"><h2 id="open">Open alerts</h2>
            ${alerts.view(["Since", "Product", "About", "#For sale"], (/** @type {Schemas["Alert"]} */ one) => html`<tr><td>${moment(one.raised_at)}</td><td>${productLink(one.product_id)}</td><td>${sign(one.kind)}</td><td class="number">${one.available}</td></tr>`, "Nothing is low.")}</section>
        </div>`;
    },
  };
};
