import { html } from "../../vendor/lit.js";
import { go } from "../../shared/router.js";
import { rows } from "../rows.js";
import { moment, productLink, sign } from "../words.js";

/** @type {import("../../shared/router.js").Setup} */
export const alerts = (_params, url) => {
  const status = url.searchParams.get("status") === "closed" ? "closed" : "open";
  const list = rows(() => `/alerts?limit=50&status=${status}`);
  const ready = list.read();
  return {
    title: () => "Alerts",
    ready,
    view: () => html`<div class="title-row"><h1>Alerts</h1>
        <div class="field inline"><label for="status">Which</label><select id="status" @change=${(/** @type {Event} */ event) => void go(`/console/alerts?status=${/** @type {HTMLSelectElement} */ (event.target).value}`, { replace: true, stay: true })}>
          <option value="open" .selected=${status === "open"}>open</option><option value="closed" .selected=${status === "closed"}>over</option></select></div></div>
      ${list.view(
        ["Raised", "Product", "About", "#For sale", "#Threshold", "Over"],
        (/** @type {import("../../shared/api.js").Schemas["Alert"]} */ one) => html`<tr><td>${moment(one.raised_at)}</td><td>${productLink(one.product_id)}</td><td>${sign(one.kind)}</td><td class="number">${one.available}</td><td class="number">${one.low_stock_threshold ?? ""}</td><td>${one.resolved_at ? moment(one.resolved_at) : ""}</td></tr>`,
        status === "open" ? "Nothing is low." : "No alert is over.",
      )}`,
  };
};
