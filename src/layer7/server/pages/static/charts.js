"use strict";
// Draws the charts whose specifications stand in the page as data. The Content-Security-Policy forbids eval
// and inline styles: `ast` keeps Vega from compiling expressions, and the styles stand in pages.css.
for (const place of document.querySelectorAll("[data-chart]")) {
  const spec = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  const options = { actions: false, ast: true, defaultStyle: false, renderer: "svg", tooltip: { disableDefaultStyle: true } };
  vegaEmbed(place, spec, options)
    .then(() => place.classList.add("drawn"))
    .catch((error) => {
      place.textContent = "This chart cannot be drawn here; the table below says the same.";
      console.error(error);
    });
}
