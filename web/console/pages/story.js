// A story as a picture: what led to what, from the request down, each on its place in time, and what is still to happen.

import { html, nothing, signal, svg } from "../../vendor/lit.js";
import { say } from "../../shared/announce.js";
import { Refused, ask, explain } from "../../shared/api.js";
import { empty, notice, unreachable } from "../../shared/parts.js";
import { watch } from "../../shared/watch.js";
import { facts, moment, orderLink, productLink, sign, userLink } from "../words.js";

/**
 * @typedef {object} Node
 * @property {"request" | "event" | "attempt"} kind
 * @property {string} id
 * @property {string} at
 * @property {string} [ends_at]
 * @property {string} [type]
 * @property {string} [subject]
 * @property {string | null} [actor]
 * @property {string} [correlation_id]
 * @property {string} [consumer]
 * @property {number} [attempt]
 * @property {number} [duration_ms]
 * @property {string} [outcome]
 * @property {string | null} [code]
 * @property {string | null} [error]
 * @property {string | null} [story_id]
 * @property {number | null} [shared_with]
 * @property {unknown} [data]
 */
/** @typedef {{ event_id: string, consumer: string, state: string, attempts: number, next_attempt_at?: string | null, code?: string | null, error?: string | null }} Delivery */
/** @typedef {{ id: string, about: string, first_at: string, is_complete: boolean, searched_back_to: string, outstanding: number, deliveries: Delivery[], nodes: Node[], edges: { from: string, to: string, after_ms: number }[] }} Story */
/** @typedef {{ node: Node, depth: number, after: number | undefined }} Row */

/** A pause that is longer than this is marked: on the way to it the picture is folded. */
const PAUSE_MS = 1000;

/**
 * The nodes as a tree: each below what led to it first, in the order of time.
 *
 * @param {Story} story
 * @returns {Row[]}
 */
export function tree({ nodes, edges }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  /** @type {Map<string, { to: string, after: number }[]>} */
  const below = new Map();
  const led = new Set();
  for (const { from, to, after_ms } of edges) {
    if (!byId.has(from) || !byId.has(to)) continue;
    below.set(from, [...(below.get(from) ?? []), { to, after: after_ms }]);
    led.add(to);
  }
  const earlier = (/** @type {string} */ a, /** @type {string} */ b) => (byId.get(a)?.at ?? "").localeCompare(byId.get(b)?.at ?? "");
  /** @type {Row[]} */
  const rows = [];
  const seen = new Set();
  /** @type {{ id: string, depth: number, after: number | undefined }[]} */
  const open = nodes
    .filter(({ id }) => !led.has(id))
    .map(({ id }) => id)
    .sort(earlier)
    .map((id) => ({ id, depth: 0, after: undefined }))
    .reverse();
  // What leads in a circle has no beginning: it is shown at the end.
  const all = () => nodes.find(({ id }) => !seen.has(id));
  for (;;) {
    const next = open.pop() ?? (all() && { id: /** @type {Node} */ (all()).id, depth: 0, after: undefined });
    if (!next) return rows;
    const node = byId.get(next.id);
    if (node === undefined || seen.has(next.id)) continue;
    seen.add(next.id);
    rows.push({ node, depth: next.depth, after: next.after });
    const children = (below.get(next.id) ?? []).toSorted((a, b) => earlier(a.to, b.to));
    for (const { to, after } of children.toReversed()) open.push({ id: to, depth: next.depth + 1, after });
  }
}

/**
 * Where moments are, from 0 to 100. Distances are logarithms: milliseconds of work and hours of waiting are in one picture.
 *
 * @param {Node[]} nodes
 */
export function scale(nodes) {
  const times = [...new Set(nodes.flatMap(({ at, ends_at }) => [Date.parse(at), ...(ends_at ? [Date.parse(ends_at)] : [])]))].sort((a, b) => a - b);
  /** @type {Map<number, number>} */
  const places = new Map();
  /** @type {number[]} */
  const folds = [];
  let sum = 0;
  times.forEach((time, index) => {
    const gap = index === 0 ? 0 : time - (times[index - 1] ?? time);
    const distance = Math.log2(1 + gap);
    sum += distance;
    if (gap > PAUSE_MS) folds.push(sum - distance / 2);
    places.set(time, sum);
  });
  const whole = sum || 1;
  return {
    place: (/** @type {string} */ at) => ((places.get(Date.parse(at)) ?? 0) / whole) * 97 + 1.5,
    folds: folds.map((fold) => (fold / whole) * 97 + 1.5),
  };
}

/** @param {number | undefined} ms */
export function span(ms) {
  if (ms === undefined) return "";
  const size = Math.abs(ms);
  if (size < 1000) return `${ms} ms`;
  if (size < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  return size < 3_600_000 ? `${Math.round(ms / 60_000)} min` : `${(ms / 3_600_000).toFixed(1)} h`;
}

/** @param {Node} node */
const label = ({ kind, type, consumer, attempt = 1 }) => (kind === "request" ? "request" : kind === "event" ? (type ?? "event") : `${consumer}${attempt > 1 ? `, attempt ${attempt}` : ""}`);

/** @param {string} about @param {string} id */
const subject = (about, id) => (about === "order" ? orderLink(id) : about === "user" ? userLink(id) : productLink(id));

/** @type {import("../../shared/router.js").Setup} */
export const story = ({ id = "" }) => {
  const shown = signal(/** @type {Story | null | undefined} */ (undefined));
  const failure = signal(/** @type {unknown} */ (undefined));
  const chosen = signal(/** @type {string | undefined} */ (undefined));
  /** @type {string | undefined} */
  let etag;

  async function poll() {
    try {
      const answer = await ask("GET", `/monitor/stories/${encodeURIComponent(id)}`, { etag });
      failure.value = undefined;
      etag = answer.etag ?? etag;
      if (answer.data === undefined) return true;
      const before = shown.peek();
      shown.value = answer.data;
      if (before && before.outstanding > 0 && answer.data.outstanding === 0) say("Nothing is outstanding any more");
    } catch (error) {
      // An event is in its story a second or two after it happened.
      if (error instanceof Refused && error.status === 404) shown.value ??= null;
      else failure.value = error;
    }
    return true;
  }
  const ready = poll();
  const watching = watch(poll, [2000, 2000, 4000, 8000]);

  /** From row to row by the arrows. @param {KeyboardEvent} event */
  function onKey(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const rows = [.../** @type {Element} */ (event.currentTarget).querySelectorAll("button")];
    const at = rows.indexOf(/** @type {HTMLButtonElement} */ (document.activeElement));
    const next = rows[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    next.focus();
  }

  /** @param {Row} row @param {ReturnType<typeof scale>} scaled */
  function step({ node, depth, after }, { place, folds }) {
    const from = place(node.at);
    const to = node.ends_at ? place(node.ends_at) : from;
    const kind = node.kind === "attempt" ? `attempt ${node.outcome}` : node.kind;
    return html`<li><button class="step ${kind} depth-${Math.min(depth, 12)}" aria-pressed=${chosen.value === node.id ? "true" : "false"} @click=${() => (chosen.value = chosen.value === node.id ? undefined : node.id)}>
      <span class="step-name"><span class="step-sign" aria-hidden="true"></span><span>${label(node)}</span>${node.shared_with && node.shared_with > 1 ? html` <span class="quiet-text">shared with ${node.shared_with}</span>` : nothing}${node.kind === "attempt" && node.outcome !== "done" ? html` ${sign(node.outcome ?? "")}` : nothing}</span>
      <svg class="lane" width="100%" height="20" aria-hidden="true">${folds.map((fold) => svg`<line class="fold" x1="${fold}%" x2="${fold}%" y1="0" y2="20"></line>`)}${node.kind === "event"
        ? svg`<circle cx="${from}%" cy="10" r="5"></circle>`
        : svg`<rect x="${from}%" y="5" width="${Math.max(to - from, 0.6)}%" height="10" rx="2"></rect>`}</svg>
      <span class="step-time">${node.kind === "attempt" ? span(node.duration_ms) : after === undefined ? "" : `+${span(after)}`}</span></button></li>`;
  }

  /** @param {Story} one */
  function details(one) {
    const node = one.nodes.find((candidate) => candidate.id === chosen.value);
    if (node === undefined) {
      const open = one.deliveries.filter(({ state }) => state !== "done");
      return html`<section class="panel" aria-labelledby="outstanding"><h2 id="outstanding">Outstanding</h2>
        ${open.length === 0
          ? html`<p class="none">Nothing: every consumer is done.</p>`
          : html`<ul class="open-list">${open.map((delivery) => html`<li>${sign(delivery.state)} <strong>${delivery.consumer}</strong> <span class="quiet-text">${delivery.event_id.split(":").at(-1)}</span>
              ${delivery.code ? html`<p class="mistake">${delivery.code}${delivery.error ? `: ${delivery.error}` : ""}</p>` : nothing}
              ${delivery.next_attempt_at ? html`<p class="quiet-text">Comes again at ${moment(delivery.next_attempt_at)}, after ${delivery.attempts} ${delivery.attempts === 1 ? "attempt" : "attempts"}</p>` : nothing}</li>`)}</ul>`}
        <p class="quiet-text">Choose a step to see what is in it.</p></section>`;
    }
    return html`<section class="panel" aria-labelledby="step"><h2 id="step">${label(node)}</h2>${facts([
      ["At", moment(node.at)],
      ["Took", node.duration_ms === undefined ? undefined : span(node.duration_ms)],
      ["Outcome", node.outcome ? sign(node.outcome) : undefined],
      ["Why", node.code ? `${node.code}${node.error ? `: ${node.error}` : ""}` : undefined],
      ["By", node.actor ? (node.actor.startsWith("usr_") ? userLink(node.actor) : node.actor) : undefined],
      ["Request", node.correlation_id ? html`<a class="mono" href="/console/events?correlation=${encodeURIComponent(node.correlation_id)}">${node.correlation_id}</a>` : undefined],
      ["Story", node.story_id ? html`<a class="mono" href="/console/stories/${encodeURIComponent(node.story_id)}">${node.story_id}</a>` : undefined],
      ["Id", html`<span class="mono">${node.id}</span>`],
    ])}${node.data === undefined ? nothing : html`<pre tabindex="0" aria-label="What the event says">${JSON.stringify(node.data, null, 2)}</pre>`}</section>`;
  }

  return {
    title: () => "Story",
    ready,
    leave: () => watching.stop(),
    view: () => {
      const one = shown.value;
      if (one === undefined) return failure.value === undefined ? html`<h1>Story</h1><div class="skeleton"><span class="bone tall"></span><span class="bone tall"></span></div>` : unreachable(() => void poll(), 1, explain(failure.value));
      if (one === null) return empty({ heading: "Nothing is known of this", text: html`No event of the last 30 days is about <span class="mono">${id}</span>. What has just happened is here in a moment.`, sign: "clock" });
      const rows = tree(one);
      const scaled = scale(one.nodes);
      return html`<nav class="crumbs" aria-label="Where you are"><a href="/console/events">Events</a> / <span class="mono">${one.id}</span></nav>
        <div class="title-row"><h1>Story of ${one.about === "order" ? "an order" : one.about === "user" ? "a user" : "a product"}</h1><p>${subject(one.about, one.id)} ${one.outstanding > 0 ? html`<span class="status pending">${one.outstanding} outstanding</span>` : html`<span class="status confirmed">complete</span>`}</p></div>
        ${failure.value === undefined ? nothing : notice("info", `${explain(failure.value)} We go on trying.`)}
        ${one.is_complete ? nothing : notice("info", html`Shown from ${moment(one.searched_back_to)} on: there is more before.`)}
        <div class="halves"><ol class="steps panel" aria-label="What led to what" @keydown=${onKey}>${rows.map((row) => step(row, scaled))}</ol><div>${details(one)}</div></div>`;
    },
  };
};
