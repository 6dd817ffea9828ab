"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const panel = document.getElementById("panel");
  const hasAfter = document.getElementById("after") !== null;

  function show(stage) {
    document.body.classList.toggle("both", stage === "both");
    document.body.classList.toggle("only-before", stage === "before");
    document.body.classList.toggle("only-after", stage === "after");
    all("[data-show]").forEach(button => button.classList.toggle("on", button.dataset.show === stage));
    all(".viewport").forEach(viewport => fit(viewport, 0.5));
  }

  // The natural size of a drawing is that of its view box.
  function scale(viewport, factor) {
    const svg = viewport.querySelector("svg");
    const box = svg.viewBox.baseVal;
    const bounded = Math.min(4, Math.max(0.05, factor));
    const old = svg.clientWidth / box.width || 1;
    const x = (viewport.scrollLeft + viewport.clientWidth / 2) / old;
    const y = (viewport.scrollTop + viewport.clientHeight / 2) / old;
    svg.setAttribute("width", box.width * bounded);
    svg.setAttribute("height", box.height * bounded);
    viewport.scrollLeft = x * bounded - viewport.clientWidth / 2;
    viewport.scrollTop = y * bounded - viewport.clientHeight / 2;
  }

  function factor(viewport) {
    const svg = viewport.querySelector("svg");
    return svg.clientWidth / svg.viewBox.baseVal.width;
  }

  // The whole width, but no smaller than `least`.
  function fit(viewport, least) {
    const width = viewport.querySelector("svg").viewBox.baseVal.width;
    if (viewport.clientWidth > 0) {
      scale(viewport, Math.max(least, Math.min(1, (viewport.clientWidth - 2) / width)));
    }
  }

  // Shows the article of an Einsum, and marks it wherever it stands.
  function choose(entry, scroll) {
    const article = document.querySelector(`[data-of="${entry}"]`);
    if (article === null) {
      return;
    }
    panel.replaceChildren(article.cloneNode(true));
    panel.scrollTop = 0;
    all(".chosen").forEach(element => element.classList.remove("chosen"));
    all(`.stages [data-entry="${entry}"]`).forEach(element => element.classList.add("chosen"));
    const row = document.querySelector(`svg [data-entry="${entry}"]`);
    if (row !== null) {
      all(`svg [data-from="${row.dataset.port}"]`).forEach(edge => edge.classList.add("chosen"));
      if (scroll) {
        center(row);
      }
    }
    all(".line.made").filter(line => line.dataset.entries.split(" ").includes(entry))
        .forEach(line => line.classList.add("chosen"));
  }

  function center(row) {
    const viewport = row.closest(".viewport");
    const inner = row.getBoundingClientRect();
    const outer = viewport.getBoundingClientRect();
    viewport.scrollBy({left: inner.left + inner.width / 2 - outer.left - outer.width / 2,
      top: inner.top + inner.height / 2 - outer.top - outer.height / 2, behavior: "smooth"});
  }

  function chooseLine(line) {
    const shown = entry => document.getElementById(entry.split("-")[0]).offsetParent !== null;
    const entries = line.dataset.entries.split(" ");
    const current = entries.filter(shown);
    const next = current[(current.indexOf(line.dataset.last) + 1) % Math.max(1, current.length)] || entries[0];
    line.dataset.last = next;
    choose(next, true);
    if (current.length > 1) {
      const note = document.createElement("p");
      note.className = "note";
      note.textContent = `${current.indexOf(next) + 1} of ${current.length} Einsums that this line makes: choose it again for the next.`;
      panel.prepend(note);
    }
    panel.scrollIntoView({block: "nearest"});
  }

  function activate(event) {
    const line = event.target.closest(".line.made");
    const element = event.target.closest("[data-entry]");
    if (event.target.closest("a") !== null) {
      return;
    }
    if (element !== null) {
      choose(element.dataset.entry, element.closest("svg") === null);
    } else if (line !== null) {
      chooseLine(line);
    }
  }

  document.addEventListener("click", activate);
  document.addEventListener("keydown", event => {
    if (event.key === "Enter" && event.target.matches("[tabindex]")) {
      activate(event);
    }
  });

  all("[data-show]").forEach(button => {
    button.disabled = !hasAfter && button.dataset.show !== "before";
    button.addEventListener("click", () => show(button.dataset.show));
  });

  const zooms = {
    in: viewport => scale(viewport, factor(viewport) * 1.25),
    out: viewport => scale(viewport, factor(viewport) / 1.25),
    one: viewport => scale(viewport, 1),
    fit: viewport => fit(viewport, 0),
  };
  all("[data-zoom]").forEach(button => button.addEventListener("click",
      () => all(".viewport").filter(viewport => viewport.offsetParent !== null).forEach(zooms[button.dataset.zoom])));

  all(".viewport").forEach(viewport => {
    viewport.addEventListener("wheel", event => {
      if (event.ctrlKey) {
        event.preventDefault();
        scale(viewport, factor(viewport) * Math.exp(-event.deltaY / 400));
      }
    }, {passive: false});
    let from = null;
    viewport.addEventListener("pointerdown", event => {
      from = event.button === 0 ? {x: event.clientX, y: event.clientY, left: viewport.scrollLeft, top: viewport.scrollTop} : null;
    });
    window.addEventListener("pointermove", event => {
      if (from !== null) {
        viewport.classList.add("dragged");
        viewport.scrollLeft = from.left - event.clientX + from.x;
        viewport.scrollTop = from.top - event.clientY + from.y;
      }
    });
    window.addEventListener("pointerup", () => {
      from = null;
      viewport.classList.remove("dragged");
    });
  });

  document.querySelector(".find input").addEventListener("input", event => {
    const wanted = event.target.value.trim().toLowerCase();
    const isFound = element => wanted !== "" && element.textContent.toLowerCase().includes(wanted);
    all("svg .row").forEach(row => row.classList.toggle("found", isFound(row)));
    all(".einsums tbody tr").forEach(line => { line.hidden = wanted !== "" && !isFound(line); });
    const first = all("svg .row.found").find(row => row.closest(".stage").offsetParent !== null);
    if (first !== undefined) {
      center(first);
    }
  });

  show("before");
})();
