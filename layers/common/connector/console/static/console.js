// Progressive enhancement only: every page works without this script.
"use strict";

// Times in the viewer's zone; without a script they are in UTC.
// The language of the page, as the viewer's country writes it.
function pageLocale() {
  const language = document.documentElement.lang;
  return navigator.languages.find((it) => it.startsWith(language)) || language;
}

function localTimes(root) {
  const style = new Intl.DateTimeFormat(pageLocale(), {
    dateStyle: "medium",
    timeStyle: "short",
  });
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) {
      time.title = time.textContent;
      time.textContent = style.format(at);
    }
  }
}

// A run in progress: the page is read again until the run is over.
const PAUSE_MS = 1500;

async function followRun() {
  if (!document.querySelector("[data-live]")) return;
  await new Promise((done) => setTimeout(done, PAUSE_MS));
  try {
    const response = await fetch(location.href, { redirect: "error", credentials: "same-origin" });
    if (response.ok) {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      // While the run goes on, only its progress is replaced: the rest may have the focus.
      const part = page.querySelector("[data-live]") ? "[data-live]" : "main";
      const fresh = page.querySelector(part);
      if (fresh) {
        localTimes(fresh);
        document.querySelector(part).replaceWith(fresh);
      }
    }
  } catch {
    return; // the session ended, or the network is gone: the link on the page still works
  }
  followRun();
}

// A filter over the rows of the page.
function filterRows() {
  for (const box of document.querySelectorAll("[data-filter]")) {
    box.parentElement.hidden = false;
    box.addEventListener("input", () => {
      const wanted = box.value.trim().toLocaleLowerCase();
      for (const row of document.querySelectorAll(box.dataset.filter)) {
        row.hidden = !row.dataset.names.toLocaleLowerCase().includes(wanted);
      }
    });
  }
}

localTimes(document);
filterRows();
followRun();
