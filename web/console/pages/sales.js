import { html, nothing, signal } from "../../vendor/lit.js";
import { Refused, ask, explain } from "../../shared/api.js";
import { money } from "../../shared/money.js";
import { notice } from "../../shared/parts.js";
import { go } from "../../shared/router.js";
import { productLink } from "../words.js";

/** @typedef {import("../../shared/api.js").Schemas} Schemas */

const DAY = 86_400_000;
const RANGES = [7, 30, 90];
/** The API tells what sold most of as many days. */
const BEST_AT_MOST = 31;

/** @param {number} before days before today */
const day = (before) => new Date(Date.now() - before * DAY).toISOString().slice(0, 10);

/** A canvas knows no light-dark(): its colours are those that the sheet gives the place of the chart. @param {HTMLElement} place */
function colours(place) {
  const { color, caretColor, outlineColor, textDecorationColor } = getComputedStyle(place);
  return { line: color, fill: caretColor, grid: outlineColor, ink: textDecorationColor };
}

/** @type {import("../../shared/router.js").Setup} */
export const sales = (_params, url) => {
  const days = RANGES.find((range) => String(range) === url.searchParams.get("days")) ?? 30;
  const report = signal(/** @type {Schemas["Sales"] | undefined} */ (undefined));
  const best = signal(/** @type {Schemas["ProductSales"] | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));
  /** @type {import("../../vendor/uplot.js").uPlot | undefined} */
  let plot;
  let isLeft = false;

  async function load() {
    failure.value = undefined;
    try {
      const [all, most, { uPlot }] = await Promise.all([
        ask("GET", `/analytics/sales?from=${day(days - 1)}&to=${day(0)}`),
        ask("GET", `/analytics/products?from=${day(Math.min(days, BEST_AT_MOST) - 1)}&to=${day(0)}&limit=10`),
        import("../../vendor/uplot.js"),
      ]);
      report.value = all.data;
      best.value = most.data;
      requestAnimationFrame(() => draw(uPlot, all.data));
    } catch (error) {
      failure.value = error;
    }
  }

  /** @param {typeof import("../../vendor/uplot.js").uPlot} uPlot @param {Schemas["Sales"]} sold */
  function draw(uPlot, sold) {
    const place = document.getElementById("chart");
    if (isLeft || place === null) return;
    plot?.destroy();
    const { line, fill, grid, ink } = colours(place);
    const axis = { stroke: ink, grid: { stroke: grid, width: 1 }, ticks: { stroke: grid, width: 1 }, font: "12px system-ui" };
    plot = new uPlot(
      {
        width: place.clientWidth,
        height: 260,
        // A day is the shop's, which is UTC's.
        tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC"),
        series: [
          { value: "{YYYY}-{MM}-{DD}" },
          { label: "Net", stroke: line, fill, width: 2, value: (_plot, value) => (value === null ? "" : money(value, sold.currency)) },
        ],
        axes: [axis, { ...axis, size: 80, values: (_plot, values) => values.map((value) => money(value, sold.currency)) }],
        scales: { y: { range: (_plot, _low, high) => [0, Math.max(high, 1) * 1.1] } },
      },
      [sold.data.map(({ start }) => Date.parse(start) / 1000), sold.data.map(({ net }) => Number(net))],
      place,
    );
  }
  const resized = () => {
    const place = document.getElementById("chart");
    if (place !== null) plot?.setSize({ width: place.clientWidth, height: 260 });
  };
  const recoloured = () => {
    if (report.peek() !== undefined) void load();
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  addEventListener("resize", resized);
  dark.addEventListener("change", recoloured);
  const ready = load();

  /** @param {string} name @param {unknown} value */
  const fact = (name, value) => html`<div class="fact"><span class="quiet-text">${name}</span><strong>${value}</strong></div>`;

  return {
    title: () => "Sales",
    ready,
    leave() {
      isLeft = true;
      removeEventListener("resize", resized);
      dark.removeEventListener("change", recoloured);
      plot?.destroy();
    },
    view: () => {
      const sold = report.value;
      const amount = (/** @type {number} */ value) => (sold === undefined ? "–" : money(Number(value), sold.currency));
      return html`<div class="title-row"><h1>Sales</h1>
          <div class="field inline"><label for="days">Days</label><select id="days" @change=${(/** @type {Event} */ event) => void go(`/console/sales?days=${/** @type {HTMLSelectElement} */ (event.target).value}`, { replace: true, stay: true })}>
            ${RANGES.map((range) => html`<option value=${range} .selected=${range === days}>${range}</option>`)}</select></div></div>
        ${failure.value === undefined ? nothing : notice("bad", html`${explain(failure.value)}${failure.value instanceof Refused ? nothing : html` <button class="link" @click=${load}>Try again</button>`}`)}
        <div class="facts">${fact("Orders", sold?.total.orders ?? "–")}${fact("Units", sold?.total.units ?? "–")}${fact("Net", sold ? amount(sold.total.net) : "–")}${fact("Cancelled", sold ? amount(sold.total.cancelled) : "–")}</div>
        <section class="panel" aria-labelledby="net"><h2 id="net">Net, day by day</h2><div id="chart" aria-hidden="true"></div>
          ${sold === undefined ? nothing : html`<details><summary>As a table</summary><div class="scroll" tabindex="0" role="region" aria-label="Net, day by day"><table class="table"><thead><tr><th scope="col">Day</th><th scope="col" class="number">Orders</th><th scope="col" class="number">Units</th><th scope="col" class="number">Gross</th><th scope="col" class="number">Cancelled</th><th scope="col" class="number">Net</th></tr></thead>
            <tbody>${sold.data.map((one) => html`<tr><td>${one.date}</td><td class="number">${one.orders}</td><td class="number">${one.units}</td><td class="number">${amount(one.gross)}</td><td class="number">${amount(one.cancelled)}</td><td class="number">${amount(one.net)}</td></tr>`)}</tbody></table></div></details>`}</section>
        <section class="panel" aria-labelledby="best"><h2 id="best">Sold most, in ${Math.min(days, BEST_AT_MOST)} days</h2>
          ${best.value === undefined || best.value.data.length === 0 ? html`<p class="none">${best.value === undefined ? "" : "Nothing was sold."}</p>` : html`<table class="table"><thead><tr><th scope="col">Product</th><th scope="col" class="number">Units</th><th scope="col" class="number">Net</th></tr></thead>
            <tbody>${best.value.data.map((one) => html`<tr><td>${productLink(one.product_id)}</td><td class="number">${one.net_units}</td><td class="number">${amount(one.net)}</td></tr>`)}</tbody></table>`}</section>`;
    },
  };
};
