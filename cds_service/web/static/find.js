// The variant by hand: each answer is shown at once. Without this script the button shows them.
"use strict";

const form = document.getElementById("facts");

async function show(address) {
  const answer = await fetch(address);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.getElementById("found").replaceWith(page.getElementById("found"));
  history.replaceState(null, "", address);
}

// The other kind of order asks for other facts: then the whole form is new.
form.addEventListener("change", (event) => {
  if (event.target.name === "kind") form.requestSubmit();
  else show(`?${new URLSearchParams(new FormData(form))}`);
});
