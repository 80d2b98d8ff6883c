// The contrast of each element's words with what is behind them, as WCAG 2.2 measures it.
() => {
  const numbers = (colour) => { const found = colour.match(/[\d.]+/g).map(Number); return found.length > 3 ? found : [...found, 1]; };
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = numbers(getComputedStyle(each).backgroundColor);
      if (colour[3] > 0) return colour;
    }
    return [255, 255, 255, 1];
  };
  const says = (element) => element.tagName === "IMG" ? element.alt
    : [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join("").trim();
  return [...document.body.querySelectorAll("*")]
    .filter((element) => says(element) && element.getClientRects().length && !element.closest(".preheader"))
    .map((element) => {
      const [low, high] = [light(numbers(getComputedStyle(element).color)), light(behind(element))].sort((a, b) => a - b);
      return { name: element.tagName.toLowerCase(), words: says(element), contrast: (high + 0.05) / (low + 0.05) };
    });
}
