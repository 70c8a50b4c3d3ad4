// What a page must keep for those who do not see it, or see it small: a list of sentences, empty when all is well.
() => {
  const found = [];
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const tell = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 110);
  const words = (element) => element.textContent.trim() || element.getAttribute("aria-label") || element.title
    || [...element.querySelectorAll("[aria-label], [alt]")].map((one) => one.getAttribute("aria-label") || one.alt).join("");
  const named = (element) => element.getAttribute("aria-label") || element.title
    || (element.getAttribute("aria-labelledby") || "").split(" ").some((id) => id && document.getElementById(id))
    || [...(element.labels || [])].some((label) => label.textContent.trim());

  if (!document.title.trim()) found.push("the page has no title");
  if (!document.documentElement.lang) found.push("the page says no language");
  for (const what of document.querySelector("nav") ? ["h1", "main"] : ["h1"]) {  // a mail has no nav and no main
    const count = [...document.querySelectorAll(what)].filter(shown).length;
    if (count !== 1) found.push(`${count} ${what}, not 1`);
  }
  let last = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4, h5, h6")) {
    if (!shown(heading)) continue;
    const level = Number(heading.tagName[1]);
    if (level > last + 1 && last) found.push(`h${last} is followed by ${tell(heading)}`);
    if (!heading.textContent.trim()) found.push(`an empty heading: ${tell(heading)}`);
    last = level;
  }
  for (const field of document.querySelectorAll("input:not([type=hidden], [type=submit], [type=button]), select, textarea")) {
    if (shown(field) && !named(field)) found.push(`no label: ${tell(field)}`);
  }
  for (const image of document.querySelectorAll("img, [role=img], area")) {
    const told = image.hasAttribute("alt") || image.getAttribute("aria-label") || image.getAttribute("aria-labelledby")
      || image.querySelector("title");
    if (!told && !image.closest("[aria-hidden=true]")) found.push(`no alt: ${tell(image)}`);
  }
  for (const clickable of document.querySelectorAll("a[href], button, summary, [role=button]")) {
    if (shown(clickable) && !words(clickable)) found.push(`no name: ${tell(clickable)}`);
  }
  for (const table of document.querySelectorAll("table:not([role=presentation])")) {
    if (!table.querySelector("th")) found.push(`a table without headers: ${tell(table)}`);
    for (const head of table.querySelectorAll("th:not([scope])")) found.push(`no scope: ${tell(head)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  for (const id of new Set(ids.filter((one, at) => ids.indexOf(one) !== at))) found.push(`two of id ${id}`);
  for (const one of document.querySelectorAll("[aria-describedby], [aria-labelledby], [aria-controls], label[for]")) {
    for (const name of ["aria-describedby", "aria-labelledby", "for"]) {
      for (const id of (one.getAttribute(name) || "").split(" ")) {
        if (id && !document.getElementById(id)) found.push(`${name}="${id}" leads nowhere: ${tell(one)}`);
      }
    }
  }
  return [...new Set(found), ...contrasts(), ...sideways()];

  function sideways() {
    const width = document.documentElement.clientWidth;
    const over = document.documentElement.scrollWidth - width;
    if (over <= 0) return [];
    const scrolls = (one) => one && one !== document.documentElement
      && (getComputedStyle(one).overflowX !== "visible" || scrolls(one.parentElement));
    const wide = [...document.querySelectorAll("body *")].filter(
      (one) => one.getBoundingClientRect().right > width + 1 && !scrolls(one.parentElement),
    );
    return [`${over} pixels wider than a screen of ${width}: ${wide.slice(0, 2).map(tell).join(" … ")}`];
  }

  // WCAG AA: 4.5 to 1, of large text 3 to 1. What stands on a picture or a gradient is left to the eye.
  function contrasts() {
    const rgba = (text) => {
      const part = text.match(/[\d.]+/g).map(Number);
      return [part[0], part[1], part[2], part[3] ?? 1];
    };
    const over = (top, under) => [0, 1, 2].map((at) => top[at] * top[3] + under[at] * (1 - top[3])).concat(1);
    const light = (colour) => {
      const [r, g, b] = colour.map((one) => (one / 255 <= 0.04045 ? one / 255 / 12.92 : ((one / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = (element) => {
      const layers = [];
      for (let at = element; at; at = at.parentElement) {
        const style = getComputedStyle(at);
        if (style.backgroundImage !== "none") return null;
        if (!style.backgroundColor.startsWith("rgb")) return null;
        layers.push(rgba(style.backgroundColor));
        if (layers.at(-1)[3] === 1) break;
      }
      return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
    };
    const weak = new Map();
    for (const element of document.querySelectorAll("body *")) {
      const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
      if (!own || !shown(element) || element.closest("svg, [aria-hidden=true], :disabled, .disabled, .visually-hidden")) continue;
      const style = getComputedStyle(element);
      const under = ground(element);
      if (!under || !style.color.startsWith("rgb")) continue;
      const [one, two] = [light(over(rgba(style.color), under)), light(under)].sort((a, b) => b - a);
      const ratio = (one + 0.05) / (two + 0.05);
      const size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      if (ratio < (large ? 3 : 4.5)) {
        weak.set(`${element.className} ${style.color}`, `contrast ${ratio.toFixed(2)} (${style.color} on ${under.slice(0, 3).map(Math.round)}): ${tell(element)}`);
      }
    }
    return [...weak.values()];
  }
}
