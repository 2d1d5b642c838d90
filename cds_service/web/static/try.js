// The page /try: the search, the buttons of cards, pasting and copying. The server writes what is
// shown; here the request is changed as an EHR would change it, and asked again.
"use strict";

const tried = document.getElementById("tried");
const problem = document.getElementById("problem");
const language = new URLSearchParams(location.search).get("lang");
const textOf = (id) => document.getElementById(id)?.textContent ?? "";
let pasted = false;

function query(asked) {
  return new URLSearchParams(language ? {...asked, lang: language} : asked);
}

function tell(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

// Posts a request, and shows what comes back. `focused` is the id of what gets the focus then.
async function ask(text, focused) {
  const asked = pasted
    ? {service: document.getElementById("service")?.value ?? ""}
    : {situation: tried.dataset.situation};
  const headers = {"Content-Type": "application/json", Accept: "application/json"};
  try {
    const answer = await fetch(`/try?${query(asked)}`, {method: "POST", headers, body: text});
    const body = await answer.text();
    if (!answer.ok) throw new Error(JSON.parse(body).issue.map((i) => i.diagnostics).join(" "));
    show(body, focused);
  } catch (error) {
    tell(error instanceof TypeError || error instanceof SyntaxError ? tried.dataset.failed : error.message);
  }
}

function show(html, focused) {
  tell("");
  const wasOpen = tried.querySelector("details.json")?.open;
  tried.innerHTML = html;
  const details = tried.querySelector("details.json");
  if (details) details.open = Boolean(wasOpen);
  const link = document.getElementById("link");
  history.replaceState(null, "", link ? link.href : `/try${language ? `?lang=${language}` : ""}`);
  document.getElementById(focused)?.focus();
  if (pasted) tried.scrollIntoView({block: "start"});
}

// The request as it was answered, with the ratings put on its orders, as an EHR puts them.
function answeredRequest() {
  const request = JSON.parse(textOf("request"));
  for (const action of JSON.parse(textOf("answer")).systemActions ?? []) apply(action, request);
  return request;
}

function entries(request) {
  return request.context.draftOrders.entry;
}

function orders(request) {
  return entries(request).map((entry) => entry.resource).filter(Boolean);
}

function nameOf(resource) {
  return `${resource.resourceType}/${resource.id}`;
}

// An action of a suggestion: it replaces, adds or removes a draft order.
function apply(action, request) {
  const drafts = entries(request);
  const day = orders(request)[0]?.authoredOn;
  if (action.type === "create") {
    drafts.push({resource: {id: `added-${drafts.length}`, authoredOn: day, ...action.resource}});
    return;
  }
  const name = action.type === "delete" ? action.resourceId : nameOf(action.resource);
  const place = drafts.findIndex((entry) => entry.resource && nameOf(entry.resource) === name);
  if (place < 0) return;
  if (action.type === "delete") drafts.splice(place, 1);
  else drafts[place].resource = action.resource;
}

function take(suggestion) {
  const cards = JSON.parse(textOf("answer")).cards;
  const chosen = cards.flatMap((card) => card.suggestions ?? []).find((s) => s.uuid === suggestion);
  const request = answeredRequest();
  for (const action of chosen.actions ?? []) apply(action, request);
  ask(JSON.stringify(request), "outcome-0");
}

// Changes one draft order by a function, and asks again.
function change(number, focused, by) {
  const request = JSON.parse(textOf("request"));
  by(orders(request)[number]);
  ask(JSON.stringify(request), focused);
}

function choose(button) {
  const {kind, order} = button.closest(".search").dataset;
  const {system, code, display} = button.dataset;
  const concept = {coding: [{system, code, display}]};
  change(order, `${kind}-${order}`, (draft) => {
    if (kind === "order") draft.code = concept;
    else draft.reasonCode = [...(draft.reasonCode ?? []), concept];
  });
}

function remove(button) {
  const {order, remove: place} = button.dataset;
  change(order, `reason-${order}`, (draft) => draft.reasonCode.splice(place, 1));
}

async function copy(button) {
  const said = button.textContent;
  const text = document.getElementById(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
    button.textContent = tried.dataset.copied;
    setTimeout(() => { button.textContent = said; }, 2000);
  } catch {
    getSelection().selectAllChildren(text); // without https: to be copied by hand
  }
}

// The search: a list of buttons under the field, which the arrow keys reach.
let waiting = 0;
function search(field) {
  clearTimeout(waiting);
  waiting = setTimeout(() => find(field), 200);
}

async function find(field) {
  const box = field.closest(".search");
  const address = tried.querySelector("[data-service]").dataset.service;
  const asked = {kind: box.dataset.kind, service: address, q: field.value};
  const answer = field.value.trim() ? await fetch(`/try/codes?${query(asked)}`) : null;
  if (answer?.ok === false) return tell(tried.dataset.failed);
  box.querySelector(".hits").innerHTML = answer ? (await answer.text()).trim() : "";
}

function move(event) {
  const box = event.target.closest(".search");
  const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
  if (!box) return;
  const stops = [box.querySelector("input"), ...box.querySelectorAll(".hits button")];
  if (event.key === "Escape") box.querySelector(".hits").replaceChildren();
  if (event.key === "Enter" && event.target === stops[0] && stops[1]) choose(stops[1]);
  const next = stops[stops.indexOf(event.target) + (step ?? 0)];
  if (!step || !next) return;
  event.preventDefault();
  next.focus();
}

tried.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.take) take(button.dataset.take);
  else if (button.dataset.remove) remove(button);
  else if (button.dataset.copy) copy(button);
  else if (button.dataset.code) choose(button);
});
tried.addEventListener("input", (event) => search(event.target));
tried.addEventListener("keydown", move);
document.getElementById("check").addEventListener("click", () => {
  pasted = true;
  ask(document.getElementById("pasted").value, "outcome-0");
});
