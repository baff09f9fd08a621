// What happens behind the shop: events as they come, and the queues of those who consume them.

import { html, nothing, signal, svg } from "../../vendor/lit.js";
import { say } from "../../shared/announce.js";
import { ask, explain } from "../../shared/api.js";
import { notice } from "../../shared/parts.js";
import { go } from "../../shared/router.js";
import { watch } from "../../shared/watch.js";
import { isDemo } from "../operator.js";
import { rows } from "../rows.js";
import { moment } from "../words.js";
import { span } from "./story.js";

/** @typedef {{ id: string, type: string, subject: string, version: number, time: string, correlation_id: string, actor?: string | null, story_id: string }} Event_ */
/** @typedef {{ at: string, arrived: number, done: number, failed: number }} Minute */
/** @typedef {{ consumer: string, queue: string, event_types: string[], ready: number, in_flight: number, dead_letters: number, traffic: { in_per_minute: number, out_per_minute: number, failed_per_minute: number, lag_p50_ms?: number | null, lag_p95_ms?: number | null, minutes: Minute[] } }} Queue */

const FILTERS = /** @type {const} */ (["type", "subject", "correlation"]);
/** Looked again while somebody sees it. */
const EVERY = [2000, 2000, 4000, 8000];

/** @type {import("../../shared/router.js").Setup} */
export const events = (_params, url) => {
  const filter = new URLSearchParams();
  for (const name of FILTERS) {
    const value = url.searchParams.get(name)?.trim();
    if (value) filter.set(name, value);
  }
  const list = rows(() => `/monitor/events?limit=50${filter.size > 0 ? `&${filter}` : ""}`);
  const typed = signal(Object.fromEntries(FILTERS.map((name) => [name, filter.get(name) ?? ""])));
  let isHeld = false;
  const ready = list.read();
  const watching = watch(async () => {
    // Who reads further down or on, points at a row or goes through them by keyboard, is not to lose the place.
    if (!isHeld && scrollY < 200 && !list.isDeep() && document.querySelector("#events :focus") === null) await list.read();
    return true;
  }, EVERY);

  /** @param {Event} event */
  function onSubmit(event) {
    event.preventDefault();
    const next = new URLSearchParams();
    for (const [name, value] of new FormData(/** @type {HTMLFormElement} */ (event.target))) if (String(value).trim()) next.set(name, String(value).trim());
    void go(`/console/events${next.size > 0 ? `?${next}` : ""}`, { replace: true, stay: true });
  }

  /** What is typed is known here, so that the next page of this kind finds fields that differ from its filter. @param {Event} event */
  function onInput(event) {
    const { name, value } = /** @type {HTMLInputElement} */ (event.target);
    typed.value = { ...typed.value, [name]: value };
  }

  /** Where nothing was found so far, there may be more before. */
  const reach = () => (list.answer.value?.next_cursor ? html`<p class="quiet-text">Searched back to ${moment(list.answer.value.searched_back_to)}: there may be more before.</p>` : nothing);

  return {
    title: () => "Events",
    ready,
    leave: () => watching.stop(),
    view: () => html`<h1>Events</h1>
      <form class="filters" aria-label="Filters" @submit=${onSubmit} @input=${onInput}>${FILTERS.map((name) => html`<div class="field"><label for=${name}>${name === "correlation" ? "Request" : name === "type" ? "Type" : "Subject"}</label><input id=${name} name=${name} .value=${typed.value[name] ?? ""} autocomplete="off" spellcheck="false" maxlength="200" /></div>`)}
        <button class="button small">Filter</button>${filter.size > 0 ? html`<a class="button quiet small" href="/console/events">All</a>` : nothing}</form>
      <div id="events" @pointerenter=${() => (isHeld = true)} @pointerleave=${() => (isHeld = false)}>${list.view(
        ["Time", "Event", "Subject", "#Version", "By", "Story"],
        (/** @type {Event_} */ one) => html`<tr><td>${moment(one.time)}</td><td><strong>${one.type}</strong></td><td><span class="mono">${one.subject}</span></td><td class="number">${one.version}</td><td><span class="mono">${one.actor ?? ""}</span></td><td><a href="/console/stories/${encodeURIComponent(one.story_id)}" aria-label="Story of ${one.story_id}">story</a></td></tr>`,
        "No event matches.",
      )}${reach()}</div>`,
  };
};

/** In and out, minute by minute. @param {Minute[]} minutes */
function bars(minutes) {
  const most = Math.max(1, ...minutes.map(({ arrived, done, failed }) => Math.max(arrived, done + failed)));
  const shown = minutes.slice(-12);
  return html`<svg class="bars" width="96" height="22" aria-hidden="true">${shown.map(({ arrived, done, failed }, at) => svg`<rect class="arrived" x="${at * 8}" y="${20 - (arrived / most) * 18}" width="3" height="${(arrived / most) * 18 + 1}"></rect><rect class=${failed > 0 ? "failed" : "done"} x="${at * 8 + 3}" y="${20 - ((done + failed) / most) * 18}" width="3" height="${((done + failed) / most) * 18 + 1}"></rect>`)}</svg>`;
}

/** @type {import("../../shared/router.js").Setup} */
export const queues = () => {
  const all = signal(/** @type {Queue[] | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));
  /** The consumers that fail on purpose: the front door of a laptop alone can do that, and only a demo asks it. */
  const failing = signal(/** @type {string[] | undefined} */ (undefined));

  async function poll() {
    try {
      all.value = (await ask("GET", "/monitor/queues")).data.data;
      failure.value = undefined;
    } catch (error) {
      failure.value = error;
    }
    return true;
  }
  const readFaults = async () => {
    // Before an emulator there is none; then there is nothing to switch.
    if (isDemo.peek()) failing.value = (await ask("GET", "/faults").catch(() => undefined))?.data.failing;
  };
  const ready = Promise.all([poll(), readFaults()]);
  const watching = watch(poll, EVERY);

  /** @param {string} consumer @param {boolean} fails */
  async function fail(consumer, fails) {
    try {
      await ask(fails ? "PUT" : "DELETE", `/faults/${encodeURIComponent(consumer)}`);
      say(fails ? `${consumer} fails from now on` : `${consumer} is well again`);
    } catch (error) {
      failure.value = error;
    }
    await readFaults();
    watching.soon();
  }

  /** @param {string} consumer */
  const faultSwitch = (consumer) => {
    const fails = failing.value?.includes(consumer) ?? false;
    return html`<button class="button quiet small" @click=${() => fail(consumer, !fails)}>${fails ? "Mend" : "Make fail"}<span class="unseen"> ${consumer}</span></button>`;
  };

  /** @param {Queue} one */
  const row = ({ consumer, event_types, ready: waiting, in_flight, dead_letters, traffic }) => html`<tr>
    <td class="text"><strong>${consumer}</strong><br /><span class="quiet-text">${event_types.join(", ")}</span></td>
    <td class="number">${waiting}</td><td class="number">${in_flight}</td><td class="number">${traffic.in_per_minute}</td><td class="number">${traffic.out_per_minute}</td>
    <td class="number">${traffic.failed_per_minute > 0 ? html`<span class="status failed">${traffic.failed_per_minute}</span>` : 0}</td>
    <td class="number">${span(traffic.lag_p95_ms ?? undefined)}</td><td class="number">${dead_letters > 0 ? html`<a href="/console/dead-letters?consumer=${encodeURIComponent(consumer)}"><span class="status dead">${dead_letters}</span></a>` : 0}</td><td>${bars(traffic.minutes)}</td>${failing.value === undefined ? nothing : html`<td>${faultSwitch(consumer)}</td>`}</tr>`;

  return {
    title: () => "Queues",
    ready,
    leave: () => watching.stop(),
    view: () => {
      const known = all.value;
      const sum = (/** @type {(one: Queue) => number} */ of) => known?.reduce((total, one) => total + of(one), 0) ?? "–";
      /** @param {string} name @param {unknown} value */
      const fact = (name, value) => html`<div class="fact"><span class="quiet-text">${name}</span><strong>${value}</strong></div>`;
      return html`<h1>Queues</h1>
        ${failure.value === undefined ? nothing : notice("bad", `${explain(failure.value)} We go on trying.`)}
        <div class="facts">${fact("Waiting", sum((one) => one.ready))}${fact("In flight", sum((one) => one.in_flight))}${fact("Done a minute", sum((one) => one.traffic.out_per_minute))}${fact("Dead letters", sum((one) => one.dead_letters))}</div>
        ${known === undefined
          ? nothing
          : html`<div class="scroll" tabindex="0" role="region" aria-label="Queues"><table class="table"><thead><tr><th scope="col">Consumer</th><th scope="col" class="number">Ready</th><th scope="col" class="number">In flight</th><th scope="col" class="number">In a minute</th><th scope="col" class="number">Out a minute</th><th scope="col" class="number">Failed a minute</th><th scope="col" class="number">Lag, p95</th><th scope="col" class="number">Dead</th><th scope="col">Minutes</th>${failing.value === undefined ? nothing : html`<th scope="col">Fault</th>`}</tr></thead><tbody>${known.map(row)}</tbody></table></div>`}`;
    },
  };
};
