// A file of products: chosen here, put where the API says, and followed line by line.

import { html, nothing, signal } from "../../vendor/lit.js";
import { say } from "../../shared/announce.js";
import { Refused, Unreachable, ask, explain } from "../../shared/api.js";
import { form } from "../../shared/form.js";
import { empty, notice, unreachable } from "../../shared/parts.js";
import { go } from "../../shared/router.js";
import { watch } from "../../shared/watch.js";
import { rows } from "../rows.js";
import { facts, moment, sign } from "../words.js";

/** @typedef {import("../../shared/api.js").Schemas} Schemas */

/** @type {import("../../shared/router.js").Setup} */
export const newImport = () => {
  /** Of which the shop was told to begin. @type {string | undefined} */
  let begun;
  const own = form(
    async (_values, element) => {
      const file = /** @type {HTMLInputElement} */ (element.elements.namedItem("file")).files?.[0];
      if (file === undefined) return;
      begun = undefined;
      const { data } = await ask("POST", "/imports", { body: { format: /\.(jsonl|ndjson)$/i.test(file.name) ? "jsonl" : "csv" } });
      if (file.size > data.upload.max_bytes) throw new RangeError();
      const put = await fetch(data.upload.url, { method: "PUT", body: file, credentials: "omit", referrerPolicy: "no-referrer" }).catch((cause) => {
        throw new Unreachable("The file could not be sent.", { cause });
      });
      if (!put.ok) throw new Unreachable(`The file was not taken: ${put.status}.`);
      begun = `/console/imports/${encodeURIComponent(data.id)}`;
      await ask("POST", `/imports/${encodeURIComponent(data.id)}/start`);
      await go(begun);
    },
    (error) => {
      if (error instanceof RangeError) return "The file is too large: cut it into several.";
      if (begun !== undefined && (error instanceof Unreachable || (error instanceof Refused && error.status >= 500))) {
        return html`The file was sent, and we do not know whether its import has begun. <a href=${begun}>Look at it</a> before you send the file again.`;
      }
      return error instanceof Unreachable ? "The file could not be sent. Nothing was changed." : undefined;
    },
  );

  /** @param {Event} event */
  function onSubmit(event) {
    event.preventDefault();
    const text = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("id") ?? "").trim();
    if (text) void go(`/console/imports/${encodeURIComponent(text)}`);
  }

  return {
    title: () => "Import",
    view: () => html`<h1>Import products</h1>
      <form class="panel stack slim" @submit=${own.submit}>
        <p>A file of comma-separated values with a header, or one JSON object on each line (<code>.jsonl</code>). Products that are there are changed; others are put up for sale.</p>
        <div class="field"><label for="file">File</label><input id="file" name="file" type="file" accept=".csv,.jsonl,.ndjson,text/csv" required /></div>
        ${own.trouble()}${own.button("Import", "Sending the file")}</form>
      <form class="panel stack slim" @submit=${onSubmit}><div class="field"><label for="id">An import of before, by its id</label><input id="id" name="id" required autocomplete="off" spellcheck="false" maxlength="64" /></div><button class="button quiet wide">Show it</button></form>`,
  };
};

/** @type {import("../../shared/router.js").Setup} */
export const oneImport = ({ id = "" }) => {
  const path = `/imports/${encodeURIComponent(id)}`;
  const shown = signal(/** @type {Schemas["Import"] | null | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));
  const refused = rows(() => `${path}/refusals?limit=100`);

  async function poll() {
    try {
      const before = shown.peek();
      const { data } = await ask("GET", path);
      shown.value = data;
      failure.value = undefined;
      if (before && before.status !== data.status) say(`The import is ${data.status}`);
      if (data.lines.refused !== (before?.lines.refused ?? 0)) void refused.read();
    } catch (error) {
      if (error instanceof Refused && error.status < 429) {
        shown.value = null;
        return false;
      }
      failure.value = error;
    }
    return !["done", "failed"].includes(shown.peek()?.status ?? "");
  }
  const ready = poll();
  const watching = watch(poll);

  return {
    title: () => (shown.value ? `Import, ${shown.value.status}` : "Import"),
    ready,
    leave: () => watching.stop(),
    view: () => {
      const one = shown.value;
      if (one === null) return empty({ heading: "There is no such import", text: "Imports are forgotten after 30 days.", sign: "package-x", action: html`<a class="button" href="/console/imports">Import a file</a>` });
      if (one === undefined) return failure.value === undefined ? html`<h1>Import</h1><div class="skeleton"><span class="bone tall"></span></div>` : unreachable(() => void poll(), 1, explain(failure.value));
      return html`<nav class="crumbs" aria-label="Where you are"><a href="/console/imports">Import</a> / <span class="mono">${one.id}</span></nav>
        <div class="title-row"><h1>Import ${sign(one.status)}</h1></div>
        ${one.failure ? notice("bad", html`The file could not be read beyond line ${one.failure.line}: ${one.failure.detail} Lines before that are applied.`) : nothing}
        <div class="facts">${[["Read", one.lines.read], ["Accepted", one.lines.accepted], ["Refused", one.lines.refused]].map(([name, value]) => html`<div class="fact"><span class="quiet-text">${name}</span><strong>${value}</strong></div>`)}</div>
        <section class="panel" aria-labelledby="refused"><h2 id="refused">Refused lines</h2>
          ${one.lines.refused === 0 ? html`<p class="none">None.</p>` : refused.view(["#Line", "Column", "Why"], (/** @type {Schemas["RefusedLine"]} */ line) => html`${line.errors.map((error) => html`<tr><td class="number">${line.line}</td><td>${error.column ?? ""}</td><td class="text">${error.detail}</td></tr>`)}`, "None.")}</section>
        <section class="panel" aria-labelledby="facts"><h2 id="facts">Facts</h2>${facts([["Format", one.format], ["Begun", moment(one.created_at)], ["Changed", moment(one.updated_at)]])}</section>`;
    },
  };
};
