// Draws the charts of a page with Plotly, in the house's colours, light or dark, and again when they change.
"use strict";

(() => {
  const drawings = [...document.querySelectorAll("[data-chart]")];
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // "--chart-2" anywhere in a figure is the colour of that name in the style sheet.
  const painted = (value) => {
    if (typeof value === "string") return value.startsWith("--") ? colour(value) : value;
    if (Array.isArray(value)) return value.map(painted);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, painted(each)]));
    return value;
  };

  const axis = (own) => ({ gridcolor: colour("--chart-grid"), zerolinecolor: colour("--chart-quiet"), linecolor: colour("--chart-grid"),
    automargin: true, fixedrange: true, ...painted(own || {}) });

  const layout = (own) => ({
    margin: { l: 8, r: 8, t: 8, b: 8 }, bargap: 0.25, hovermode: "closest", dragmode: false,
    legend: { orientation: "h", yref: "container", y: 0, yanchor: "bottom" }, // under the words of the axis, however long
    colorway: [1, 2, 3, 4, 5, 6, 7, 8].map((number) => colour(`--chart-${number}`)),
    ...painted(own), paper_bgcolor: "transparent", plot_bgcolor: "transparent",
    font: { family: getComputedStyle(document.body).fontFamily, size: 13, color: colour("--bs-body-color") },
    hoverlabel: { bgcolor: colour("--house-card"), bordercolor: colour("--bs-border-color"), font: { color: colour("--bs-body-color") } },
    ...Object.fromEntries(["xaxis", "yaxis", "xaxis2", "yaxis2"].filter((name) => !name.endsWith("2") || own[name]).map((name) => [name, axis(own[name])])),
  });

  const draw = (drawing) => {
    const figure = JSON.parse(document.getElementById(drawing.dataset.chart).textContent);
    drawing.hidden = false;
    return Plotly.react(drawing, painted(figure.data), layout(figure.layout || {}),
      { displayModeBar: false, responsive: true, staticPlot: false, showTips: false });
  };

  const follow = (drawing) => drawing.on("plotly_click", (event) => {
    const point = event.points[0];
    const links = point.data.links || [];
    const number = point.pointNumber ?? point.i ?? point.pointIndex;
    const link = links[number];
    if (typeof link === "string" && link.startsWith("/") && !link.startsWith("//")) location.assign(link);
  });

  if (!window.Plotly) return; // the table says the same
  Plotly.setPlotConfig?.({ plotlyServerURL: "" });
  for (const drawing of drawings) draw(drawing).then(() => follow(drawing));
  const again = () => drawings.forEach(draw);
  new MutationObserver(again).observe(document.documentElement, { attributes: true, attributeFilter: ["data-bs-theme"] });
})();
